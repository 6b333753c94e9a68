import type { ArgumentInput } from '../../api/task-schema.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Assignment } from '../flags/option-values.ts';
import type { Io } from '../io.ts';
import { FlagError } from './flag-error.ts';
import { readSecretInput } from './secret-input.ts';

interface ArgumentFlags {
  readonly arg: readonly string[];
  readonly secretArg: readonly string[];
}

interface ValueFlags {
  readonly set: readonly Assignment[];
  readonly setSecret: readonly Assignment[];
}

/** `--arg` and `--secret-arg` of a Dockerfile; `NAME` alone takes the value of this process's variable. */
export function buildArguments({ arg, secretArg }: ArgumentFlags, io: Io): Promise<readonly ArgumentInput[]> {
  return collectArguments(
    arg.map((text) => assignmentOf(text, '--arg', io)),
    secretArg.map((text) => assignmentOf(text, '--secret-arg', io)),
    '--secret-arg',
    io,
  );
}

/** `--set` and `--set-secret` of a task file. */
export function templateValues({ set, setSecret }: ValueFlags, io: Io): Promise<readonly ArgumentInput[]> {
  return collectArguments(set, setSecret, '--set-secret', io);
}

async function collectArguments(
  plain: readonly Assignment[],
  secret: readonly Assignment[],
  secretFlag: string,
  io: Io,
): Promise<readonly ArgumentInput[]> {
  const problems: Diagnostic[] = [];
  const all: ArgumentInput[] = plain.map(({ name, value }) => ({ name, value, isSecret: false }));
  for (const assignment of secret) {
    const read = await readSecretInput(secretFlag, assignment, io, { literal: true });
    if (read.ok) all.push({ name: assignment.name, value: read.value, isSecret: true });
    else problems.push(read.error);
  }
  if (problems.length > 0) throw new FlagError(problems);
  return all;
}

function assignmentOf(text: string, flag: string, io: Io): Assignment {
  const equals = text.indexOf('=');
  const name = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? io.environment[text] : text.slice(equals + 1);
  if (name !== '' && value !== undefined) return { name, value };
  throw new FlagError([
    {
      code: 'flag-value',
      severity: 'error',
      message: name === '' ? `${flag} ${JSON.stringify(text)} has no name` : `${flag} ${name}: the environment has no variable ${name}`,
      expected: 'NAME=VALUE, or NAME of a variable of the environment',
    },
  ]);
}
