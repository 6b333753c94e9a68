import type { SourceRange } from '../../model/diagnostic.ts';
import type { RunVariables } from '../../model/run-variables.ts';
import type { SecretReference, Task } from '../../model/task.ts';
import { type DecodedMapping, decodeMapping } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';
import { TASK_PROPERTIES } from '../schema/task-properties.ts';
import { isNullScalar } from '../yaml/scalar.ts';
import type { YamlNode } from '../yaml/yaml-node.ts';
import { inheritedEnv, mergeEnv } from './env.ts';
import { lintDuplicateKeys } from './lint-duplicates.ts';
import { type LintOptions, lintTaskFields } from './lint-fields.ts';
import { readNetworks } from './networks.ts';
import { readSecrets } from './secrets.ts';
import { readSteps } from './steps.ts';
import { readVersion } from './version.ts';
import { readVolumes } from './volumes.ts';

/** What the engine adds to a task file. */
export interface EngineInputs {
  readonly run: RunVariables;
  readonly taskName: string;
  /** `--env`: `NAME=value`, split at commas. */
  readonly env: readonly string[];
  readonly network: string;
  readonly workingDirectory: string;
  /** The whole text, for problems whose place is not known. */
  readonly whole: SourceRange;
  /** Adds the warnings of `task lint`. */
  readonly lint?: LintOptions | undefined;
  readonly mostSteps: number;
}

type TaskMapping = DecodedMapping<typeof TASK_PROPERTIES>;

const STEP_TIMEOUT_MS = 600_000;

/** The meaning of a task file whose YAML is `node`. Every problem goes to `problems`; with errors there the task must not be used. */
export function readTask(node: YamlNode | undefined, inputs: EngineInputs, problems: Problems): Task {
  const fields: TaskMapping['fields'] = decodeTask(node, problems)?.fields ?? {};
  if (inputs.lint !== undefined) lintTaskFields(fields, inputs.lint, problems);
  if (inputs.lint !== undefined && node !== undefined) lintDuplicateKeys(node, problems);
  const secrets = readSecrets(fields.secrets, inputs.whole, problems);
  const volumes = readVolumes(fields.volumes, inputs.whole, problems);
  const version = readVersion(fields, problems);
  const ownEnv = (fields.env?.value ?? []).map(({ value }) => value);
  const env = mergeEnv(ownEnv, inheritedEnv(inputs.env, problems));
  const { networks, defaultName } = readNetworks(fields.networks, inputs.network);
  const timeoutMs = fields.stepTimeout !== undefined && fields.stepTimeout.value > 0 ? fields.stepTimeout.value : STEP_TIMEOUT_MS;
  const workingDirectory = fields.workingDirectory?.value || inputs.workingDirectory;
  const located = env.map((value, index) => fields.env?.value[index] ?? value);
  const mappings = fields.steps?.value ?? [];
  if (mappings.length > inputs.mostSteps) {
    problems.error('too-many-steps', `The task has ${mappings.length} steps.`, {
      range: fields.steps?.key.range,
      expected: `at most ${inputs.mostSteps} steps`,
    });
  }
  const steps = readSteps(
    mappings.slice(0, inputs.mostSteps),
    {
      timeoutMs,
      workingDirectory,
      env: inheritedEnv(located, problems),
      network: defaultName,
      volumes: new Set(volumes.map(({ name }) => name)),
      registry: inputs.run.Registry,
      range: inputs.whole,
    },
    problems,
  );
  const name = inputs.taskName || 'quickrun';
  return { version, name, run: inputs.run, stepTimeout: timeoutMs / 1000, workingDirectory, env, networks, volumes, secrets, steps };
}

/** Only the `secrets` of a task file, for the pass that resolves them; the rest is checked by `readTask`. */
export function readSecretReferences(node: YamlNode | undefined, whole: SourceRange, problems: Problems): readonly SecretReference[] {
  return readSecrets(decodeTask(node, problems)?.fields.secrets, whole, problems);
}

function decodeTask(node: YamlNode | undefined, problems: Problems): TaskMapping | undefined {
  if (node === undefined || (node.kind === 'scalar' && isNullScalar(node))) return undefined;
  return decodeMapping(node, TASK_PROPERTIES, 'The task', problems);
}
