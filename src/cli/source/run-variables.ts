import type { Diagnostic } from '../../model/diagnostic.ts';
import { type RunVariables, runDate } from '../../model/run-variables.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { err, ok, type Result } from '../../util/result.ts';
import type { Assignment } from '../flags/option-values.ts';
import { RUN_VARIABLE_NAMES } from '../flags/task-flags.ts';

/** Node's names of architectures in Go's words. */
const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

type SettableName = (typeof RUN_VARIABLE_NAMES)[number];

interface VariableInputs {
  /** `--run NAME=VALUE` in order; later ones win. */
  readonly assignments: readonly Assignment[];
  readonly runId: string;
  readonly now: Date;
  readonly registry: string;
  readonly taskName: string;
  /** `os[/arch[/variant]]`; undefined for this machine's. */
  readonly platform: string | undefined;
  /** What is mounted at /workspace. */
  readonly workspace: string;
  readonly git: { readonly commit: string; readonly branch: string } | undefined;
}

/** The `.Run` values of a run; `--run` beats everything else. */
export function resolveRunVariables(inputs: VariableInputs): Result<RunVariables, readonly Diagnostic[]> {
  const problems = inputs.assignments.filter(({ name }) => !isSettable(name)).map(unknownVariable);
  if (problems.length > 0) return err(problems);
  const given = Object.fromEntries(inputs.assignments.map(({ name, value }) => [name, value])) as Partial<Record<SettableName, string>>;
  const [os = 'linux', architecture = GO_ARCHITECTURES[process.arch] ?? process.arch] = inputs.platform?.split('/') ?? [];
  const registry = given.Registry ?? inputs.registry;
  return ok({
    ID: inputs.runId,
    Commit: inputs.git?.commit ?? '',
    Branch: inputs.git?.branch ?? '',
    Repository: '',
    GitTag: '',
    TriggeredBy: '',
    Date: runDate(inputs.now),
    SharedVolume: inputs.workspace,
    OS: os,
    OSVersion: '',
    Architecture: architecture,
    TaskName: inputs.taskName,
    ...given,
    Registry: registry,
    RegistryName: registry.split('.')[0] ?? '',
  });
}

function isSettable(name: string): boolean {
  return RUN_VARIABLE_NAMES.some((known) => known === name);
}

function unknownVariable({ name }: Assignment): Diagnostic {
  const near = nearestName(name, RUN_VARIABLE_NAMES);
  return {
    code: 'flag-value',
    severity: 'error',
    message: `--run: there is no run variable ${JSON.stringify(name)}`,
    expected: `one of ${RUN_VARIABLE_NAMES.join(', ')}`,
    ...(near === undefined ? {} : { help: `did you mean "${near}"?` }),
  };
}
