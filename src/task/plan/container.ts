import type { Checked } from '../../model/diagnostic.ts';
import type { ContainerSpec } from '../../model/plan.ts';
import type { CmdStep } from '../../model/task.ts';
import { ok } from '../../util/result.ts';
import { type ParsedCommand, parseCommand, parseCommandWords } from '../command/parse-command.ts';
import { containerWorkdir } from '../command/working-directory.ts';
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

/** The container of a cmd step. What stands before the image in the `cmd` comes after the step's own properties and wins. */
export function planContainer(step: CmdStep, { words, created }: ContainerInputs): Checked<PlannedContainer> {
  const env = words.env(step);
  const parsed = readCommand(step, env);
  if (!parsed.ok) return parsed;
  const { value: command, warnings } = parsed.value;
  const container: ContainerSpec = {
    image: command.image,
    args: command.args,
    ...entrypointOf(step, command, words),
    env: [HOME, ...env, ...command.env],
    ...workdirOf(step, command, words),
    ...optional('user', command.user ?? words.word(step.user, 'user', step)),
    network: networkOf(command.network ?? words.word(step.network, 'network', step), created),
    ports: join(words.words(step.ports, 'ports', step), command.ports),
    expose: join(words.words(step.expose, 'expose', step), command.expose),
    privileged: step.privileged || command.privileged === true,
    ...optional('cpus', command.cpus ?? words.word(step.cpus, 'cpus', step)),
    ...optional('isolation', command.isolation ?? words.word(step.isolation, 'isolation', step)),
    ...optional('platform', command.platform ?? ''),
    volumeMounts: step.volumeMounts,
    extra: command.flags,
  };
  return ok({ value: { container, detach: step.detach || command.detach === true }, warnings });
}

function readCommand(step: CmdStep, env: readonly string[]): Checked<ParsedCommand> {
  if (step.script !== undefined) {
    return ok({ value: { ...NO_COMMAND, image: step.script.image, args: [step.script.text] }, warnings: [] });
  }
  return typeof step.cmd === 'string' ? parseCommand(step.cmd, { env, range: step.cmdRange }) : parseCommandWords(step.cmd, step.cmdRange);
}

/** A script runs in a shell that stops at the first command that fails; `entryPoint` names another shell. */
function entrypointOf(step: CmdStep, command: ParsedCommand, words: StepWords): { readonly entrypoint?: readonly string[] } {
  const written = command.entrypoint ?? words.word(step.entryPoint, 'entryPoint', step);
  if (step.script !== undefined) return { entrypoint: [written === '' ? '/bin/sh' : written, '-ec'] };
  return written === '' ? {} : { entrypoint: [written] };
}

function workdirOf(step: CmdStep, command: ParsedCommand, words: StepWords): { readonly workdir?: string } {
  if (command.workdir !== undefined) return { workdir: command.workdir };
  if (step.disableWorkingDirectoryOverride) return {};
  return { workdir: containerWorkdir(words.word(step.workingDirectory, 'workingDirectory', step)) };
}

function networkOf(name: string, created: ReadonlySet<string>): ContainerSpec['network'] {
  if (name === '') return { kind: 'default' };
  return created.has(name) ? { kind: 'task', name } : { kind: 'mode', mode: name };
}

function optional<K extends string>(key: K, value: string): { readonly [P in K]?: string } {
  return (value === '' ? {} : { [key]: value }) as { readonly [P in K]?: string };
}

function join(own: readonly string[], more: readonly string[]): readonly string[] {
  return more.length === 0 ? own : [...own, ...more];
}
