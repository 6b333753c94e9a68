import type { Task } from '../../model/task.ts';
import type { DecodedMapping } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';
import type { TASK_PROPERTIES } from '../schema/task-properties.ts';

const DEFAULT_VERSION = 'v1.0.0';
const VERSIONS: readonly Task['version'][] = ['1.0-preview-1', 'v1.0.0', 'v1.1.0'];

/** The version a task file asks for, in its canonical spelling. */
export function readVersion(fields: DecodedMapping<typeof TASK_PROPERTIES>['fields'], problems: Problems): Task['version'] {
  const written = fields.version?.value ?? '';
  if (written === '') return DEFAULT_VERSION;
  const known = VERSIONS.find((version) => version === written.toLowerCase());
  if (known !== undefined) return known;
  problems.error('version-unknown', `\`${written}\` is no version of the task language; the current version is \`${DEFAULT_VERSION}\`.`, {
    range: fields.version?.node.range,
    expected: VERSIONS.map((version) => `\`${version}\``).join(', '),
    help: /^\d+\.\d+\.\d+$/.test(written) ? `Did you mean \`v${written}\`?` : undefined,
  });
  return DEFAULT_VERSION;
}
