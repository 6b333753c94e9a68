import { lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runTask } from '../cli/task-process.ts';
import { startDaemon } from '../support/daemon.ts';
import { startGitServer } from '../support/git-server.ts';
import { decided, defineTask, deliver, hookOf, pullRequest, push, runsOf } from './forge-rig.ts';
import { ended } from './threat-rig.ts';

const ZERO = '0'.repeat(40);
const FILE = '/tmp/slipway-threat-7-triggers';
const BRANCHES = [
  `$(touch\${IFS}${FILE})`,
  `--upload-pack=touch\${IFS}${FILE}`,
  '{{.Run.ID}}',
  // Turns the letters after it around, hides, and begins another line for some programs.
  'safe/\u202egnp.exe',
  'a\u200b\u2028b',
];
/** What a terminal would act on, and what makes it show something else than is there. */
const STEERS = /[\p{Cc}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

it('threat 7: what a webhook says is text, to git, to steps, in tables and in logs', async () => {
  await using git = await startGitServer();
  const task = 'version: v1.1.0\nsteps:\n  - cmd: busybox:local printf "<%s>\\n" {{ .Run.Branch | quote }}\n';
  await git.repository('app', async (work) => {
    await writeFile(join(work.directory, 'acb.yaml'), task);
    await work.commit('one');
  });
  const url = `${git.url}/smart/app.git`;
  await using daemon = await startDaemon({ env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' } });
  await defineTask(daemon, {
    name: 'app',
    step: { contextPath: `${url}#main`, taskFilePath: 'acb.yaml' },
    trigger: {
      sourceTriggers: [
        {
          ...{ name: 'git', sourceTriggerEvents: ['commit', 'pullrequest'], branches: ['**'], pollInterval: 0, commitStatus: false },
          sourceRepository: { sourceControlType: 'Github', repositoryUrl: url },
        },
      ],
    },
    concurrency: { group: 'app-${branch}' },
  });
  await daemon.api('POST', '/api/v1/tasks/app/check');
  const hook = await hookOf(daemon, 'app');
  await using work = await git.workTree('app');
  const message = `{{ fail "rendered" }} $(touch ${FILE}) \u001b]0;title\u0007\u001b[2J`;
  const login = 'eve\u001b[31m\u0000\n{"level":60}';
  const ids: string[] = [];
  for (const branch of BRANCHES) {
    const after = await work.commit(message);
    await work.git('push', '-q', 'origin', `HEAD:refs/heads/${branch}`);
    const payload = push({ url, before: ZERO, after, ref: `refs/heads/${branch}`, login, message });
    const [event] = await decided(daemon, await deliver(hook, { event: 'push', payload }));
    const [{ code, runId = '' } = { code: '' }] = event?.decisions ?? [];
    ids.push(event?.eventId ?? '');
    // Names that mean something to git, or to people something else than they are, are not followed.
    expect([branch, code]).toStrictEqual([branch, /^-|\p{Cf}/u.test(branch) ? 'not-head' : 'fired']);
    await expect(lstat(FILE)).rejects.toThrow();
    if (runId === '') continue;
    ids.push(runId);
    const { run, log } = await ended(daemon, runId);
    expect([branch, run.status, run.commit]).toStrictEqual([branch, 'Succeeded', after]);
    // A name that no template may see is none at all.
    expect(['<>\n', `<${branch}>\n`]).toContain(/^<.*>\n/mu.exec(log)?.[0]);
    await expect(lstat(FILE)).rejects.toThrow();
  }
  const [run] = await runsOf(daemon, 'app');
  expect(JSON.stringify(run)).not.toContain('eve\\u001b');

  // Names that git itself refuses never come so far.
  const head = run?.commit ?? '';
  for (const bad of ['a\nb', 'a\u001b[2Jb', 'a\u0000b', '../x', 'a b', '-x/..', 'x~1', 'x^{}', 'a\u007f', '@{u}']) {
    const ref = `refs/heads/${bad}`;
    const told = await deliver(hook, { event: 'push', payload: push({ url, before: ZERO, after: head, ref }) });
    const asked = await deliver(hook, { event: 'pull_request', payload: pullRequest({ url, head, base: head, headBranch: bad }) });
    expect([bad, told.status, asked.status]).toStrictEqual([bad, 400, 400]);
    expect(`${told.text}${asked.text}`).not.toMatch(STEERS);
  }
  const titled = pullRequest({ url, head, base: head, title: message, login });
  expect((await deliver(hook, { event: 'pull_request', payload: titled })).status).toBe(202);

  const commands = [['event', 'list'], ['list-runs'], ['explain', 'app'], ['list'], ['audit'], ['trigger', 'list', 'app']];
  for (const id of ids)
    commands.push(
      ...(id.startsWith('e')
        ? [['event', 'show', id]]
        : [
            ['show-run', id],
            ['explain', id],
          ]),
    );
  const shown = async (args: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await runTask(args, { env: { SLIPWAY_DATA: daemon.data } });
    expect([args, code, stderr]).toStrictEqual([args, 0, expect.any(String)]);
    expect([args, STEERS.exec(`${stdout}${stderr}`.replaceAll('\n', ''))?.[0]]).toStrictEqual([args, undefined]);
  };
  await Promise.all(commands.map(shown));
  for (const line of daemon.stderr.trimEnd().split('\n')) {
    expect(STEERS.test(line)).toBe(false);
    expect(line).not.toContain('"level":60');
  }
});
