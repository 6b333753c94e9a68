import type { Checked } from '../../model/diagnostic.ts';
import type { ContainerSpec } from '../../model/plan.ts';
import type { CmdStep } from '../../model/task.ts';
import { ok } from '../../util/result.ts';
import { type ParsedCommand, parseCommand, parseCommandWords } from '../command/parse-command.ts';
import type { StepWords } from './step-words.ts';

interface ContainerInputs {
  readonly words: StepWords;
  /** Names of the networks that the run creates. */
  readonly created: ReadonlySet<string>;
}

interface PlannedContainer {
  readonly container: ContainerSpec;
  /** The `cmd` itself asks to be detached (`-d` before the image). */
  readonly detach: boolean;
}

const HOME = 'HOME=/acb/home';
const NO_COMMAND = { args: [], env: [], ports: [], expose: [], flags: {} } as const;

type Draft = { -readonly [K in keyof ContainerSpec]: ContainerSpec[K] };

/** The container of a cmd step. What stands before the image in the `cmd` comes after the step's own properties and wins. */
export function planContainer(step: CmdStep, { words, created }: ContainerInputs): Checked<PlannedContainer> {
  const env = words.env(step);
  const parsed = readCommand(step, env);
  if (!parsed.ok) return parsed;
  const { value: command, warnings } = parsed.value;
  const container: Draft = {
    image: command.image,
    args: command.args,
    env: [HOME, ...env, ...command.env],
    network: networkOf(command.network ?? words.word(step.network, 'network', step), created),
    ports: join(words.words(step.ports, 'ports', step), command.ports),
    expose: join(words.words(step.expose, 'expose', step), command.expose),
    privileged: step.privileged || command.privileged === true,
    volumeMounts: step.volumeMounts,
    extra: command.flags,
  };
  addSettings(container, step, command, words);
  return ok({ value: { container, detach: step.detach || command.detach === true }, warnings });
}

/** What is there only when somebody asked for it. Assignments, not spreads: a task may have thousands of steps. */
function addSettings(container: Draft, step: CmdStep, command: ParsedCommand, words: StepWords): void {
  if (command.workdir !== undefined) container.workdir = command.workdir;
  else if (!step.disableWorkingDirectoryOverride) {
    container.workdir = words.workdir(step);
  }
  const entrypoint = entrypointOf(step, command, words);
  if (entrypoint !== undefined) container.entrypoint = entrypoint;
  const user = command.user ?? words.word(step.user, 'user', step);
  if (user !== '') container.user = user;
  const cpus = command.cpus ?? words.word(step.cpus, 'cpus', step);
  if (cpus !== '') container.cpus = cpus;
  const isolation = command.isolation ?? words.word(step.isolation, 'isolation', step);
  if (isolation !== '') container.isolation = isolation;
  if (command.platform !== undefined) container.platform = command.platform;
}

function readCommand(step: CmdStep, env: readonly string[]): Checked<ParsedCommand> {
  if (step.script !== undefined) {
    return ok({ value: { ...NO_COMMAND, image: step.script.image, args: [step.script.text] }, warnings: [] });
  }
  return typeof step.cmd === 'string' ? parseCommand(step.cmd, { env, range: step.cmdRange }) : parseCommandWords(step.cmd, step.cmdRange);
}

/** A script runs in a shell that stops at the first command that fails; `entryPoint` names another shell. */
function entrypointOf(step: CmdStep, command: ParsedCommand, words: StepWords): readonly string[] | undefined {
  const written = command.entrypoint ?? words.word(step.entryPoint, 'entryPoint', step);
  if (step.script !== undefined) return [written === '' ? '/bin/sh' : written, '-ec'];
  return written === '' ? undefined : [written];
}

function networkOf(name: string, created: ReadonlySet<string>): ContainerSpec['network'] {
  if (name === '') return { kind: 'default' };
  return created.has(name) ? { kind: 'task', name } : { kind: 'mode', mode: name };
}

function join(own: readonly string[], more: readonly string[]): readonly string[] {
  return more.length === 0 ? own : [...own, ...more];
}
