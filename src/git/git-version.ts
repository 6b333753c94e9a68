import { EngineError } from '../model/engine-error.ts';
import { runProcess } from '../util/process.ts';

/** The first git that takes configuration from its environment. */
const OLDEST = [2, 31] as const;

/** Rejects with EngineError when git is missing or too old to be hardened as git-command.ts does. */
export async function checkGitVersion(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  const outcome = await runProcess({
    file: 'git',
    args: ['--version'],
    env: { PATH: environment['PATH'] ?? '', LC_ALL: 'C' },
    timeoutMs: 30_000,
  });
  const help = 'Install git 2.31 or newer (`apt-get install git`).';
  if (outcome.kind === 'not-started') throw new EngineError('context-failed', 'git is not installed', { help });
  const match = /(\d+)\.(\d+)/.exec(outcome.stdout.toString('utf8'));
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new EngineError('context-failed', `git ${match?.[0] ?? 'of an unknown version'} is too old`, { help });
  }
}
