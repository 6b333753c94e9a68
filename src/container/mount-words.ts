import { mountFields } from '../model/mount-fields.ts';
import { parseBytes } from '../model/size-words.ts';

/** docker's Mount of a HostConfig, as far as `--mount` words can say it. */
export interface MountSetting {
  readonly Type: string;
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly BindOptions?: { readonly Propagation?: string; readonly NonRecursive?: boolean };
  readonly VolumeOptions?: { readonly NoCopy: boolean };
  readonly TmpfsOptions?: { readonly SizeBytes?: number; readonly Mode?: number };
}

/** A `--mount` word that docker would refuse. */
export class BadMount extends Error {}

/** Reads `type=bind,source=/a,target=/b,readonly` (comma separated, fields may be quoted). Throws BadMount. */
export function parseMount(word: string): MountSetting {
  const fields = mountFields(word);
  for (const key of fields.keys()) {
    if (!KNOWN.has(key)) throw new BadMount(`invalid mount "${word}": unknown field "${key}"`);
  }
  const type = fields.get('type') ?? 'volume';
  if (!['bind', 'volume', 'tmpfs'].includes(type)) throw new BadMount(`invalid mount "${word}": type is bind, volume or tmpfs`);
  const target = fields.get('target');
  if (target === undefined || !target.startsWith('/')) throw new BadMount(`invalid mount "${word}": target has to be an absolute path`);
  const source = fields.get('source');
  if (type === 'bind' && (source === undefined || source === ''))
    throw new BadMount(`invalid mount "${word}": a bind mount needs a source`);
  return {
    Type: type,
    Target: target,
    ...(source === undefined ? {} : { Source: source }),
    ...(isOn(fields, 'readonly', word) ? { ReadOnly: true } : {}),
    ...bindOptions(fields, word),
    ...(isOn(fields, 'volume-nocopy', word) ? { VolumeOptions: { NoCopy: true } } : {}),
    ...tmpfsOptions(fields, word),
  };
}

const KNOWN = new Set([
  'type',
  'source',
  'target',
  'readonly',
  'consistency',
  'bind-propagation',
  'bind-nonrecursive',
  'volume-nocopy',
  'tmpfs-size',
  'tmpfs-mode',
]);

function bindOptions(fields: ReadonlyMap<string, string>, word: string): Pick<MountSetting, 'BindOptions'> {
  const propagation = fields.get('bind-propagation');
  const nonRecursive = isOn(fields, 'bind-nonrecursive', word);
  if (propagation === undefined && !nonRecursive) return {};
  return {
    BindOptions: { ...(propagation === undefined ? {} : { Propagation: propagation }), ...(nonRecursive ? { NonRecursive: true } : {}) },
  };
}

function tmpfsOptions(fields: ReadonlyMap<string, string>, word: string): Pick<MountSetting, 'TmpfsOptions'> {
  const size = fields.get('tmpfs-size');
  const mode = fields.get('tmpfs-mode');
  if (size === undefined && mode === undefined) return {};
  const bytes = size === undefined ? undefined : parseBytes(size);
  if (size !== undefined && bytes === undefined) throw new BadMount(`invalid mount "${word}": tmpfs-size is a size such as 64m`);
  if (mode !== undefined && !/^[0-7]{1,5}$/.test(mode)) throw new BadMount(`invalid mount "${word}": tmpfs-mode is octal such as 1777`);
  return {
    TmpfsOptions: {
      ...(bytes === undefined ? {} : { SizeBytes: bytes }),
      ...(mode === undefined ? {} : { Mode: Number.parseInt(mode, 8) }),
    },
  };
}

function isOn(fields: ReadonlyMap<string, string>, key: string, word: string): boolean {
  const value = fields.get(key)?.toLowerCase();
  if (value === undefined || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1') return true;
  throw new BadMount(`invalid mount "${word}": "${key}" is true or false`);
}
