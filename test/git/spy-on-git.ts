import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGitSource, type PrunableGitSource } from '../../src/git/git-source.ts';

import { git } from '../support/git-server.ts';

/** A git on PATH that writes down its arguments and environment and then is the real one. */
export async function spyOnGit(folder: string): Promise<{
  source: PrunableGitSource;
  argv(): Promise<string>;
  environment(): Promise<string>;
}> {
  const bin = await mkdtemp(join(folder, 'bin-'));
  const real = (await git(folder, '--exec-path')).trim();
  const log = join(bin, 'argv.log');
  const envLog = join(bin, 'env.log');
  await writeFile(join(bin, 'git'), `#!/bin/sh\nprintf '%s\\n' "$*" >> ${log}\nenv >> ${envLog}\nexec ${real}/git "$@"\n`);
  await chmod(join(bin, 'git'), 0o755);
  const environment = {
    ...process.env,
    PATH: `${bin}:${process.env['PATH']}`,
    GIT_DIR: '/nonexistent',
    GIT_SSH_COMMAND: 'touch /tmp/slipway-pwned',
    GIT_CONFIG_PARAMETERS: "'core.pager=touch /tmp/slipway-pwned'",
    GIT_ASKPASS: '/bin/evil',
    SSH_ASKPASS: '/bin/evil',
    EDITOR: '/bin/evil',
    SECRET_CANARY: 'canary-environment',
  };
  return {
    source: createGitSource({ addresses: { allowPrivate: true, allowLoopback: true }, environment }),
    argv: () => readFile(log, 'utf8'),
    environment: () => readFile(envLog, 'utf8'),
  };
}
