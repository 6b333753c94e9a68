import type { TaskDefinition } from '../../model/task-definition.ts';
import type { Shown } from './secret-places.ts';

const OF_THE_DAEMON: ReadonlySet<string> = new Set(['id', 'version', 'creationDate', 'lastUpdatedTime', 'managedBy', 'warnings']);
const PLAIN = /^[A-Za-z][A-Za-z0-9_./-]*$/;
/** Words that YAML takes for something else than text. */
const NO_TEXT = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
/** What a block of text shows as it is. */
const PRINTABLE = /^[\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\uffef]*$/;

/**
 * A task as a YAML document that `task apply` takes back unchanged: what only the daemon sets is left out, inline task files stand as text,
 * and sealed values as `stored: true` (they stay what they are).
 */
export function definitionToYaml(task: Shown<TaskDefinition>): string {
  const fields = Object.entries(task).filter(([name, value]) => !OF_THE_DAEMON.has(name) && value !== undefined);
  return `kind: Task\n${emitFields(
    fields.map(([name, value]) => [name, name === 'step' ? readable(value) : value]),
    0,
  )}`;
}

/** Base64 of text is shown as the text. */
function readable(step: unknown): unknown {
  const entries = Object.entries(Object(step)).map(([name, value]): [string, unknown] => {
    const text = name === 'encodedTaskContent' ? 'taskContent' : name === 'encodedValuesContent' ? 'valuesContent' : undefined;
    if (text === undefined || typeof value !== 'string') return [name, value];
    const decoded = Buffer.from(value, 'base64').toString('utf8');
    return Buffer.from(decoded).toString('base64') === value ? [text, decoded] : [name, value];
  });
  return Object.fromEntries(entries);
}

function emitFields(fields: readonly (readonly [string, unknown])[], indent: number): string {
  return fields
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${' '.repeat(indent)}${word(name)}:${emitValue(value, indent)}`)
    .join('');
}

/** What follows the colon of a name at `indent`, or a dash. */
function emitValue(value: unknown, indent: number): string {
  if (typeof value === 'string') return ` ${text(value, indent)}\n`;
  if (typeof value !== 'object' || value === null) return ` ${String(value)}\n`;
  if (Array.isArray(value)) return value.length === 0 ? ' []\n' : `\n${value.map((item) => emitItem(item, indent + 2)).join('')}`;
  const fields = Object.entries(value);
  return fields.length === 0 ? ' {}\n' : `\n${emitFields(fields, indent + 2)}`;
}

function emitItem(item: unknown, indent: number): string {
  const dash = `${' '.repeat(indent)}-`;
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return `${dash}${emitValue(item, indent)}`;
  return `${dash} ${emitFields(Object.entries(item), indent + 2).trimStart()}`;
}

function text(value: string, indent: number): string {
  if (!value.includes('\n') || !PRINTABLE.test(value) || value.trim() === '') return word(value);
  const chomp = value.endsWith('\n\n') ? '+' : value.endsWith('\n') ? '' : '-';
  const lines = (value.endsWith('\n') ? value.slice(0, -1) : value).split('\n');
  const margin = ' '.repeat(indent + 2);
  return `|2${chomp}\n${lines.map((line) => (line === '' ? '' : `${margin}${line}`)).join('\n')}`;
}

/** Quoted as JSON, which YAML reads the same, unless it is plainly a word. JSON leaves DEL and C1 as they are: they steer terminals. */
function word(value: string): string {
  if (PLAIN.test(value) && !NO_TEXT.test(value)) return value;
  return JSON.stringify(value).replace(/[\x7f-\x9f]/g, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
