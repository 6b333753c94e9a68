import { resolve } from 'node:path';
import type { SecretInput } from '../../api/common.ts';
import type { StepShown } from '../../api/task-schema.ts';
import type { SourceText } from '../../model/diagnostic.ts';
import { classifyContext } from '../../task/build/context.ts';
import type { Io } from '../io.ts';
import { cmdTask } from '../source/cmd-task.ts';
import { readSource, readStdin } from '../source/find-task-file.ts';
import { conflict, FlagError, missingFlag } from './flag-error.ts';
import { readSecretInput } from './secret-input.ts';
import type { TaskDefinitionFlags } from './task-flags.ts';
import { branchOfContext, GIT_URL_HELP } from './trigger-body.ts';

export type StepType = StepShown['type'];

/** As ACR decides: these are task files (or what makes one), anything else is a Dockerfile. */
const TASK_FILE = /\.(ya?ml|toml|json|sh|bash|zsh|ps1|ps|cmd|bat|ts|js|php|py|rb|lua)$/i;

/** The context as the daemon gets it; undefined for none (`/dev/null` or not given). */
export function contextOf(flags: TaskDefinitionFlags): string | undefined {
  const { context } = flags;
  const branch = branchOfContext(flags);
  if (context === undefined) return undefined;
  const kind = kindOf(context);
  if (kind === 'none') return undefined;
  if (kind === 'local' || kind === 'stdin') {
    throw new FlagError([
      {
        code: 'context-unsupported',
        severity: 'error',
        message: `--context ${context}: a daemon fetches the context of a task at each run, and cannot fetch that`,
        expected: 'a git or archive URL, oci://…, or /dev/null',
        help: '`task run NAME --context DIR` sends a folder for one run',
      },
    ]);
  }
  if (branch === undefined) return context;
  const [written = ''] = (context.split('#')[1] ?? '').split(':');
  if (written !== '' && written !== branch)
    throw conflict(`\`--context\` names the branch ${written}, and \`--branch\` names ${branch}`, 'say it once');
  return withBranch(context, branch);
}

/** A `file://` URL is a repository of the daemon's machine; the daemon says whether it takes it. */
function kindOf(context: string): ReturnType<typeof classifyContext>['kind'] {
  return /^file:\/\//i.test(context) ? 'git' : classifyContext(context).kind;
}

export function withBranch(context: string | undefined, branch: string): string {
  if (context === undefined || kindOf(context) !== 'git') throw conflict('`--branch` needs a git URL as `--context`', GIT_URL_HELP);
  const [url = '', fragment = ''] = context.split('#');
  const folder = fragment.includes(':') ? fragment.slice(fragment.indexOf(':')) : '';
  return `${url}#${branch}${folder}`;
}

export function stepTypeOf(flags: TaskDefinitionFlags, context: string | undefined): StepType {
  if (flags.cmd !== undefined && flags.file !== undefined) throw conflict('`--cmd` and `--file` exclude each other');
  if (flags.cmd !== undefined || flags.file === '-') return 'EncodedTask';
  if (context !== undefined) return flags.file !== undefined && TASK_FILE.test(flags.file) ? 'FileTask' : 'Docker';
  if (flags.file !== undefined) return 'EncodedTask';
  throw missingFlag(
    'the task has neither a context nor a task file',
    '`--context URL` names the sources; `--file FILE` without a context, or `--cmd "IMAGE ARGUMENTS"`, stores the task file with the task',
  );
}

/** Flags that mean something for another kind of step only: ignoring them would hide a mistake. */
export function refuseForeignFlags(type: StepType, flags: TaskDefinitionFlags): void {
  const docker: readonly (readonly [string, boolean])[] = [
    ['--image', flags.image.length > 0],
    ['--arg', flags.arg.length > 0],
    ['--secret-arg', flags.secretArg.length > 0],
    ['--target', flags.target !== undefined],
    ['--no-push', flags.push === false],
    ['--no-cache', flags.cache === false],
  ];
  const file: readonly (readonly [string, boolean])[] = [
    ['--set', flags.set.length > 0],
    ['--set-secret', flags.setSecret.length > 0],
    ['--values', flags.values !== undefined],
  ];
  const wrong = (type === 'Docker' ? file : docker).filter(([, given]) => given).map(([flag]) => flag);
  if (wrong.length === 0) return;
  const what = type === 'Docker' ? 'the task builds a Dockerfile' : 'the task has a task file';
  throw conflict(
    `${wrong.join(', ')} cannot be: ${what}`,
    type === 'Docker'
      ? '`--arg` and `--secret-arg` set arguments of a build; `--file NAME.yaml` names a task file'
      : '`--set` and `--set-secret` set values of a task file',
  );
}

export async function accessToken(flags: TaskDefinitionFlags, io: Io): Promise<{ readonly contextAccessToken?: SecretInput }> {
  if (flags.gitAccessToken === undefined) return {};
  const read = await readSecretInput('--git-access-token', { name: 'value', value: flags.gitAccessToken }, io, { literal: false });
  if (!read.ok) throw new FlagError([read.error]);
  return { contextAccessToken: read.value };
}

export async function taskText(flags: TaskDefinitionFlags, io: Io): Promise<SourceText> {
  if (flags.cmd !== undefined) return cmdTask(flags.cmd);
  const file = flags.file ?? '';
  const read = file === '-' ? await readStdin(io.stdin) : await readSource({ path: resolve(io.directory, file), name: file });
  if (read.ok) return read.value;
  throw new FlagError([{ ...read.error, message: `--file: ${read.error.message}` }]);
}

export async function readText(file: string, flag: string, io: Io): Promise<string> {
  const read = await readSource({ path: resolve(io.directory, file), name: file });
  if (read.ok) return read.value.text;
  throw new FlagError([{ ...read.error, message: `${flag}: ${read.error.message}` }]);
}

export function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
