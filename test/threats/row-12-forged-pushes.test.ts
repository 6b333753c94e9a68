import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../service/runs/control-plane.ts';
import { startGitServer } from '../support/git-server.ts';
import { openGitRig, push, ZERO } from '../trigger/git/git-rig.ts';

const MAIN = 'refs/heads/main';

it('threat 12: no word makes a push of the commit of a fork, which the server serves by its id', async () => {
  await using server = await startGitServer();
  let first = '';
  const bare = await server.repository('app', async (tree) => {
    first = await tree.commit('one');
  });
  await using work = await server.workTree('app');
  // As forges do.
  const { git } = work;
  await git('--git-dir', bare, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  const url = `${server.url}/smart/app.git`;
  const folder = await makeFolder();
  const rig = await openGitRig(folder);
  try {
    await rig.define('app', url, { branches: ['**'] });
    await writeFile(join(work.directory, 'evil'), 'x');
    const evil = await work.commit('of the fork');
    await git('push', '-q', 'origin', 'HEAD:refs/pull/7/head');
    const claims = [push(url, MAIN, first, evil), push(url, 'refs/heads/new', ZERO, evil), push(url, 'refs/tags/v1', ZERO, evil)];
    for (const claim of claims) expect((await rig.hook(claim)).codes).not.toContain('fired');
    // Nor when the branch has moved on since from where the push is said to begin.
    await git('reset', '-q', '--hard', first);
    const [two, three] = [await work.commit('two'), await work.commit('three')];
    await git('push', '-q', 'origin', `HEAD:${MAIN}`);
    for (const claim of claims) expect((await rig.hook(claim)).codes).not.toContain('fired');
    expect(await rig.runs('app')).toEqual([]);
    // What is in the history of the branch was pushed.
    expect((await rig.hook(push(url, MAIN, first, two))).codes).toEqual(['fired']);
    expect((await rig.hook(push(url, MAIN, two, three))).codes).toEqual(['fired']);
    expect((await rig.runs('app')).map(({ request }) => request.pinnedCommit)).toEqual([two, three]);
    expect(rig.problems).toEqual([]);
  } finally {
    await rig[Symbol.asyncDispose]();
    await folder.remove();
  }
});
