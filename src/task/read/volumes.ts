import type { SourceRange } from '../../model/diagnostic.ts';
import type { Volume } from '../../model/task.ts';
import type { DecodedMapping, Located } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';
import type { VOLUME_PROPERTIES } from '../schema/task-properties.ts';

type VolumeMapping = DecodedMapping<typeof VOLUME_PROPERTIES>;

const VOLUME_NAME = /^[A-Za-z0-9_-]+$/;
const FILE_NAME = /^[A-Za-z0-9._-]+$/;

/** The `volumes` of a task, checked. That the values are base64 is checked where they are used: templates may still leave them empty. */
export function readVolumes(
  volumes: Located<readonly VolumeMapping[]> | undefined,
  whole: SourceRange,
  problems: Problems,
): readonly Volume[] {
  const seen = new Set<string>();
  return (volumes?.value ?? []).map((volume) => {
    const { name, secret } = volume.fields;
    if (!volume.broken) checkVolume(volume, problems);
    if (name !== undefined && name.value !== '' && seen.has(name.value)) {
      problems.error('volume-duplicate-name', `Two volumes have the name \`${name.value}\`.`, { range: name.node.range });
    }
    seen.add(name?.value ?? '');
    const files = Object.fromEntries([...(secret?.value ?? [])].map(([file, { value }]) => [file, value]));
    const range = volume.node.range ?? whole;
    const fileRanges = new Map([...(secret?.value ?? [])].map(([file, { node }]) => [file, node.range ?? range]));
    return { name: name?.value ?? '', files, fileRanges, range };
  });
}

function checkVolume({ fields: { name, secret }, node }: VolumeMapping, problems: Problems): void {
  if (name === undefined || name.value === '') {
    problems.error('volume-missing-name', 'This volume has no `name`.', { range: node.range, help: 'Add `name: NAME`.' });
  } else if (!VOLUME_NAME.test(name.value)) {
    problems.error('volume-bad-name', `\`${name.value}\` is no name for a volume.`, {
      range: name.node.range,
      expected: 'letters, digits, `_` and `-`',
    });
  }
  if (secret === undefined) {
    problems.error('volume-missing-secret', 'This volume has no `secret`: only volumes of secret files are supported.', {
      range: node.range,
      help: 'Add `secret:` with a file name and its content in base64.',
    });
  } else if (secret.value.size === 0) {
    problems.error('volume-empty-secret', 'The `secret` of this volume names no file.', { range: secret.node.range });
  }
  for (const [file, { node: value }] of secret?.value ?? []) {
    if (FILE_NAME.test(file) && file !== '.' && file !== '..') continue;
    problems.error('volume-bad-file-name', `\`${file}\` is no name for a file of a volume.`, {
      range: value.range ?? node.range,
      expected: 'letters, digits, `.`, `_` and `-`; not `.` or `..`',
    });
  }
}
