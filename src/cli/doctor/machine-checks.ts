import { existsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { runProcess } from '../../util/process.ts';
import { formatBytes } from '../terminal/format-duration.ts';
import type { Check } from './check.ts';

const LEAST_FREE_BYTES = 1_000_000_000;
const ENOUGH_FREE_BYTES = 5_000_000_000;
const OLDEST_GIT = [2, 31] as const;
const PROCESS_TIMEOUT_MS = 10_000;

/** Git and disk space. */
export function machineChecks(environment: NodeJS.ProcessEnv, logDirectory: string): readonly Check[] {
  return [
    { code: 'git', title: 'Git', run: () => checkGit(environment) },
    { code: 'disk', title: 'Disk', run: () => checkDisks(logDirectory) },
  ];
}

async function checkGit(environment: NodeJS.ProcessEnv): ReturnType<Check['run']> {
  const help = 'Install git 2.31 or newer; only build contexts from git need it.';
  const outcome = await runProcess({
    file: 'git',
    args: ['--version'],
    env: { PATH: environment['PATH'] ?? '' },
    timeoutMs: PROCESS_TIMEOUT_MS,
  });
  if (outcome.kind !== 'exited' || outcome.exitCode !== 0) return { status: 'warning', message: 'git is not installed', help };
  const text = outcome.stdout.toString('utf8').trim();
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(text) ?? [];
  const isOld = Number(major) < OLDEST_GIT[0] || (Number(major) === OLDEST_GIT[0] && Number(minor) < OLDEST_GIT[1]);
  return isOld ? { status: 'warning', message: `${text} is too old`, help } : { status: 'ok', message: text };
}

/** The disks of images, of fetched contexts and of logs, each file system once. */
async function checkDisks(logDirectory: string): ReturnType<Check['run']> {
  const places = ['/var/lib/docker', '/var/lib/containers', tmpdir(), logDirectory].filter((path) => existsSync(path));
  const facts: string[] = [];
  let least = Number.POSITIVE_INFINITY;
  const seen = new Set<number>();
  for (const path of places) {
    const { dev } = await stat(path);
    if (seen.has(dev)) continue;
    seen.add(dev);
    const { bavail, bsize } = await statfs(path);
    least = Math.min(least, bavail * bsize);
    facts.push(`${formatBytes(bavail * bsize)} free at ${path}`);
  }
  const message = facts.join(', ');
  if (least >= ENOUGH_FREE_BYTES) return { status: 'ok', message };
  const help = 'Free space, for example with `docker system df` and `docker builder prune`.';
  return { status: least < LEAST_FREE_BYTES ? 'failed' : 'warning', message, help };
}
