import { type Command, Option } from 'commander';
import { type Assignment, collect, collectAssignments, parsePlatform } from './option-values.ts';

/** Run variables that `--run NAME=VALUE` sets. */
export const RUN_VARIABLE_NAMES = [
  'ID',
  'Commit',
  'Branch',
  'Repository',
  'GitTag',
  'TriggeredBy',
  'Registry',
  'Date',
  'SharedVolume',
  'OS',
  'OSVersion',
  'Architecture',
  'TaskName',
] as const;

/** What `run`, `render`, `plan`, `graph` and `lint` have in common: which task, with which inputs. */
export interface TaskFlags {
  readonly file?: string;
  readonly cmd?: string;
  readonly run: readonly Assignment[];
  readonly name?: string;
  readonly values?: string;
  readonly set: readonly Assignment[];
  readonly setSecret: readonly Assignment[];
  readonly env: readonly string[];
  readonly network?: string;
  readonly workingDirectory?: string;
  readonly credential: readonly string[];
  readonly registry?: string;
  readonly secret: readonly Assignment[];
  readonly secretMap: readonly Assignment[];
  readonly allowExecSecrets: boolean;
  readonly extended: boolean;
  readonly platform?: string;
  readonly workspace?: string;
}

/** Adds the flags of TaskFlags. */
export function addTaskFlags(command: Command): Command {
  return command
    .optionsGroup('Task:')
    .option(
      '-f, --file <file>',
      'task file, relative to the context; `-` reads standard input (default: task.yaml, acr-task.yaml or acb.yaml)',
    )
    .option(
      '--cmd <text>',
      'run one container instead of a task file: "image arguments"; the context /dev/null gives it an empty workspace (default: none)',
    )
    .addOption(repeatable('--run <name=value>', 'set a run variable', collectAssignments))
    .option('--name <name>', 'name of the task (default: quickrun)')
    .option('--values <file>', 'YAML file of template values (default: none)')
    .addOption(repeatable('--set <name=value>', 'set a template value, always a string', collectAssignments))
    .addOption(
      repeatable(
        '--set-secret <name=value>',
        'set a template value that is masked in all output; env:NAME and file:PATH keep it off the command line',
        collectAssignments,
      ),
    )
    .addOption(repeatable('--env <name=value>', 'environment variable of every step that does not set it', collect))
    .option('--network <name>', 'network of steps that name none (default: one made for the run)')
    .option('--working-directory <dir>', 'working directory of steps that name none (default: the workspace)')
    .option('--registry <host>', 'registry of the run: .Run.Registry (default: SLIPWAY_REGISTRY or slipway.yaml, else empty)')
    .option('--platform <os/arch>', 'platform of the run (default: linux and the architecture of this machine)', parsePlatform)
    .option(
      '--workspace <source>',
      'volume or absolute folder to mount at /workspace as it is (default: a fresh volume with a copy of the context)',
    )
    .option('--extended', 'give exitedWith and exitedWithout their evident meaning', false)
    .optionsGroup('Secrets and credentials:')
    .addOption(repeatable('--secret <id=source>', 'value of a secret of the task: env:NAME or file:PATH', collectAssignments))
    .addOption(
      repeatable('--secret-map <url=provider>', 'resolve a vault URL by another provider, for example env://NAME', collectAssignments),
    )
    .option('--allow-exec-secrets', 'let secrets with exec:// run a command on this machine', false)
    .addOption(repeatable('--credential <json>', 'registry credential in the JSON of ACR', collect));
}

export type Output = 'text' | 'json';

/** `--output text|json` for commands that print one document. */
export function addOutputFlag(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .addOption(new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'));
}

/** An option that may be given several times; its default is no value at all. */
export function repeatable<Value>(
  flags: string,
  description: string,
  parse: (text: string, previous: readonly Value[]) => readonly Value[],
): Option {
  return new Option(flags, `${description}; repeatable`).default([], 'none').argParser(parse);
}

/** `flag` with a platform for a single build or scan. */
export function platformOption(): Option {
  return new Option('--platform <os/arch>', 'platform to build for (default: the platform of the engine)').argParser(parsePlatform);
}
