import { lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.ts';
import { startGitServer } from '../support/git-server.ts';
import { runToEnd } from './threat-rig.ts';

/** Names that git allows for a branch, each a command for a shell or code for a template. */
const BRANCHES = [
  '$(touch${IFS}/tmp/slipway-threat-7)',
  '`touch${IFS}/tmp/slipway-threat-7`',
  "';touch${IFS}/tmp/slipway-threat-7;'",
  '{{repeat${IFS}3}}',
  'a&&touch${IFS}x',
  '<b>bold</b>',
];

it('threat 7: a branch is text, to templates and to steps, whatever its name says', async () => {
  await using git = await startGitServer();
  const task = [
    'version: v1.1.0',
    'steps:',
    '  - id: env',
    '    cmd: busybox:local sh -c \'printf "%s\\n" "$BRANCH"; ls /tmp\'',
    '    env: [{{ printf "BRANCH=%s" .Run.Branch | quote }}]',
    '  - id: words',
    '    cmd: busybox:local printf "<%s>\\n" {{ .Run.Branch | quote }}',
    '',
  ].join('\n');
  const message = '{{ fail "rendered" }} $(touch /tmp/slipway-threat-7)';
  await git.repository('project', async (work) => {
    await writeFile(join(work.directory, 'acb.yaml'), task);
    await work.commit(message);
    for (const branch of BRANCHES) await work.git('branch', '--', branch);
  });
  await using daemon = await startDaemon({ env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' } });
  for (const branch of BRANCHES) {
    const { run, log } = await runToEnd(daemon, { type: 'FileTaskRunRequest', sourceLocation: `${git.url}/smart/project.git#${branch}` });
    expect([branch, run.status]).toStrictEqual([branch, 'Succeeded']);
    // A name that no template may see is none at all.
    const seen = run.source?.branch ?? '';
    expect(log).toContain(`<${seen}>\n`);
    expect(log).toContain(`${seen}\n`);
    expect(['', branch]).toContain(seen);
    await expect(lstat('/tmp/slipway-threat-7')).rejects.toThrow();
  }
});
