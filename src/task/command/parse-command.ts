import type { Checked, Diagnostic, SourceRange } from '../../model/diagnostic.ts';
import type { DiagnosticCode } from '../../model/diagnostic-codes.ts';
import type { DockerRunFlags } from '../../model/plan.ts';
import { err, ok } from '../../util/result.ts';
import { definedOnly } from './defined-only.ts';
import { DOCKER_RUN_FLAGS } from './docker-run-flags.ts';
import { type FlagProblem, type ParsedFlags, parseFlags } from './flags.ts';
import { rangeWithin } from './range-within.ts';
import type { ShellProblem } from './shell-problems.ts';
import { type ShellWord, splitShellWords } from './shell-words.ts';
import { envValues } from './unquote-env.ts';

/**
 * A `cmd` taken apart: the flags of `docker run` before the image, the image, its arguments. Flags that a step also has as
 * properties stand beside `flags`; they come after the step's own on docker's command line, so a single value here wins
 * and a list is appended.
 */
export interface ParsedCommand {
  readonly image: string;
  readonly args: readonly string[];
  /** `NAME=value`, or `NAME` alone. */
  readonly env: readonly string[];
  readonly ports: readonly string[];
  readonly expose: readonly string[];
  readonly entrypoint?: string;
  readonly workdir?: string;
  readonly user?: string;
  readonly network?: string;
  readonly isolation?: string;
  readonly cpus?: string;
  readonly platform?: string;
  readonly privileged?: boolean;
  readonly detach?: boolean;
  readonly flags: DockerRunFlags;
}

interface CommandOptions {
  /** The step's environment, merged and unquoted: `$NAME` of these expands. */
  readonly env: readonly string[];
  /** The value of `cmd` in the file. */
  readonly range: SourceRange;
}

/** Reads a `cmd`: words as `sh` splits them, then docker-run flags, the image and its arguments. */
export function parseCommand(text: string, options: CommandOptions): Checked<ParsedCommand> {
  // Most commands name no variable: none has to be looked up.
  const variables = text.includes('$') ? envValues(options.env) : undefined;
  const words = splitShellWords(text, { ...(variables !== undefined && { variables }), newline: 'ends' });
  if (!words.ok) return err([shellDiagnostic(words.error, text, options.range)]);
  return readCommand(words.value, (word) => rangeWithin(options.range, text, word.start, word.end), options.range);
}

/** The same for a `cmd` written as a list: every item is one word, no shell reads it. */
export function parseCommandWords(items: readonly string[], range: SourceRange): Checked<ParsedCommand> {
  const words = items.map((text) => ({ text, start: 0, end: text.length }));
  return readCommand(words, (word) => rangeWithin(range, word.text, word.start, word.end), range);
}

function readCommand(words: readonly ShellWord[], place: (word: ShellWord) => SourceRange, range: SourceRange): Checked<ParsedCommand> {
  const [first, ...others] = words;
  // Nearly every command starts with its image: there are no flags to look for.
  if (first !== undefined && first.text !== '' && !first.text.startsWith('-')) {
    return ok({ value: { ...WITHOUT_FLAGS, image: first.text, args: others.map(({ text }) => text) }, warnings: [] });
  }
  const flags = parseFlags(words, DOCKER_RUN_FLAGS, { interspersed: false, command: 'docker run' });
  const diagnostics = flags.problems.map((problem) => flagDiagnostic(problem, place(problem.word)));
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const image = flags.positionals[0];
  if (errors.length > 0) return err(errors);
  if (image === undefined || image.text === '') return err([missingImage(words, range)]);
  const args = flags.positionals.slice(1).map(({ text }) => text);
  return ok({ value: commandOf(image.text, args, flags), warnings: diagnostics });
}

const WITHOUT_FLAGS = { env: [], ports: [], expose: [], flags: {} } as const;

function missingImage(words: readonly ShellWord[], range: SourceRange): Diagnostic {
  return {
    code: 'cmd-no-image' satisfies DiagnosticCode,
    severity: 'error',
    message: words.length === 0 ? 'This `cmd` is blank.' : 'This `cmd` names no image.',
    expected: 'an image, then its arguments',
    help: 'Write the image first, for example `cmd: alpine echo hello`.',
    range,
  };
}

function commandOf(image: string, args: readonly string[], flags: ParsedFlags): ParsedCommand {
  return {
    image,
    args,
    env: flags.all('env'),
    ports: flags.all('publish'),
    expose: flags.all('expose'),
    flags: runFlags(flags),
    ...definedOnly<
      Pick<ParsedCommand, 'entrypoint' | 'workdir' | 'user' | 'network' | 'isolation' | 'cpus' | 'platform' | 'privileged' | 'detach'>
    >({
      entrypoint: flags.last('entrypoint'),
      workdir: flags.last('workdir'),
      user: flags.last('user'),
      network: flags.last('network'),
      isolation: flags.last('isolation'),
      cpus: flags.last('cpus'),
      platform: flags.last('platform'),
      privileged: flags.on('privileged'),
      detach: flags.on('detach'),
    }),
  };
}

function runFlags(flags: ParsedFlags): DockerRunFlags {
  return definedOnly<DockerRunFlags>({
    tty: flags.on('tty'),
    interactive: flags.on('interactive'),
    init: flags.on('init'),
    readOnly: flags.on('read-only'),
    memory: flags.last('memory'),
    memorySwap: flags.last('memory-swap'),
    cpuShares: flags.number('cpu-shares'),
    cpusetCpus: flags.last('cpuset-cpus'),
    pidsLimit: flags.number('pids-limit'),
    shmSize: flags.last('shm-size'),
    ulimits: flags.all('ulimit'),
    capAdd: flags.all('cap-add'),
    capDrop: flags.all('cap-drop'),
    securityOpt: flags.all('security-opt'),
    devices: flags.all('device'),
    dns: flags.all('dns'),
    addHost: flags.all('add-host'),
    hostname: flags.last('hostname'),
    labels: flags.all('label'),
    mounts: flags.all('mount'),
    tmpfs: flags.all('tmpfs'),
    volumesFrom: flags.all('volumes-from'),
    volumes: flags.all('volume'),
    groupAdd: flags.all('group-add'),
    sysctls: flags.all('sysctl'),
    pid: flags.last('pid'),
    ipc: flags.last('ipc'),
    stopSignal: flags.last('stop-signal'),
    networkAlias: flags.all('network-alias'),
    runtime: flags.last('runtime'),
    pull: pullPolicy(flags.last('pull')),
  });
}

function pullPolicy(value: string | undefined): DockerRunFlags['pull'] {
  return value === 'always' || value === 'missing' || value === 'never' ? value : undefined;
}

/** A problem of the words of a text, placed in the author's file. */
export function shellDiagnostic(problem: ShellProblem, text: string, range: SourceRange): Diagnostic {
  const { start, end, ...said } = problem;
  return { severity: 'error', ...said, range: rangeWithin(range, text, start, end) };
}

/** A problem of a flag, placed in the author's file. */
export function flagDiagnostic(problem: FlagProblem, range: SourceRange): Diagnostic {
  const { word: _word, ...said } = problem;
  return { ...said, range };
}

/** The image that an explicit pull of a `cmd` fetches, as the peer reads it: everything before the first blank. */
export function imageNameForPull(cmd: string): string {
  const blank = cmd.indexOf(' ');
  return blank === -1 ? cmd : cmd.slice(0, blank);
}
