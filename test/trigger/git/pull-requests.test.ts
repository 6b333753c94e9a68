import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullRequestHappening } from '../../../src/model/trigger-event.ts';
import { type Folder, makeFolder } from '../../service/runs/control-plane.ts';
import { type GitServer, type GitWork, startGitServer } from '../../support/git-server.ts';
import { fileTask, type GitRig, openGitRig, pullRequest, push, ZERO } from './git-rig.ts';

const FOLLOWED = { sourceTriggerEvents: ['pullrequest'] } as const;
const HEAD = 'refs/pull/7/head';

let folder: Folder;
let server: GitServer;
let rig: GitRig;
let work: GitWork & AsyncDisposable;
let url: string;
let base: string;

beforeEach(async () => {
  folder = await makeFolder();
  server = await startGitServer();
  await server.repository('app', async (tree) => {
    base = await tree.commit('one');
  });
  work = await server.workTree('app');
  url = `${server.url}/smart/app.git`;
  rig = await openGitRig(folder);
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
  await work[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await folder.remove();
  expect(rig.problems).toEqual([]);
});

/** Commits and pushes to the ref of pull request 7, and to a branch when it comes from the repository itself. */
async function proposed(
  message: string,
  options: { readonly branch?: string; readonly path?: string; readonly ref?: string } = {},
): Promise<string> {
  const path = options.path ?? 'file';
  await mkdir(join(work.directory, path, '..'), { recursive: true });
  await writeFile(join(work.directory, path), message);
  const commit = await work.commit(message);
  const refs = [options.ref ?? HEAD, ...(options.branch === undefined ? [] : [`refs/heads/${options.branch}`])];
  await work.git('push', '-q', '--force', 'origin', ...refs.map((ref) => `HEAD:${ref}`));
  return commit;
}
const tell = (headSha: string, parts: Partial<PullRequestHappening> = {}) => rig.hook(pullRequest(url, { headSha, ...parts }));
const because = async (told: ReturnType<typeof tell>): Promise<unknown> => {
  const [decision, ...others] = (await told).decisions;
  expect(others).toEqual([]);
  return [decision?.code, decision?.because];
};

describe('a pull request of the repository itself', () => {
  it('runs its head with all rights, once for webhooks and looks', async () => {
    await rig.define('app', url, FOLLOWED);
    const head = await proposed('feature', { branch: 'feature' });
    const told = await tell(head);
    expect(told.decisions).toMatchObject([
      { code: 'fired', because: `pull request 7 from its own repository into main has the head ${head.slice(0, 12)}` },
    ]);
    expect((await tell(head, { action: 'synchronized' })).codes).toEqual(['already-fired']);
    expect(await rig.look('app')).toEqual([]);
    const [run, ...others] = await rig.runs('app');
    expect(others).toEqual([]);
    expect(run?.hold).toBeUndefined();
    expect(run?.request).toMatchObject({
      ...{ trust: 'trusted', pinnedCommit: head, pinnedRef: HEAD, step: { contextPath: `${url}#${head}:sub` } },
      variables: { Branch: 'feature', Commit: head, TriggeredBy: 'Pull Request' },
      causes: [{ event: 'pullrequest', pullRequest: '7', branch: 'feature', commit: head, eventId: told.id }],
    });
    expect(run?.request.taskFileContext).toBeUndefined();
  });

  it('that is forced back to what it was runs again, once each time', async () => {
    await rig.define('app', url, FOLLOWED);
    const one = await proposed('one more', { branch: 'feature' });
    await tell(one);
    const two = await proposed('two more', { branch: 'feature' });
    await tell(two, { action: 'synchronized' });
    const force = (commit: string): Promise<string> =>
      work.git('push', '-q', '--force', 'origin', `${commit}:${HEAD}`, `${commit}:refs/heads/feature`);
    for (let time = 0; time < 2; time += 1) {
      await force(one);
      expect((await rig.look('app')).flatMap(({ decisions }) => decisions.map(({ code }) => code))).toEqual(['fired']);
      expect((await tell(one, { action: 'synchronized' })).codes).toEqual(['already-fired']);
      await force(two);
      expect((await tell(two, { action: 'synchronized' })).codes).toEqual(['fired']);
      expect((await tell(two, { action: 'synchronized' })).codes).toEqual(['already-fired']);
      expect(await rig.look('app')).toEqual([]);
    }
    const commits = (await rig.runs('app')).map(({ request }) => request.pinnedCommit);
    expect(commits).toEqual([one, two, one, two, one, two]);
    expect((await tell(one, { action: 'synchronized' })).codes).not.toContain('fired');
  });

  it('is nobody’s own because a payload says so: a branch of the repository has to be at its head', async () => {
    await rig.define('app', url, FOLLOWED);
    const head = await proposed('evil');
    for (const headBranch of ['feature', 'main']) await tell(head, { fork: false, headBranch });
    const [run, ...others] = await rig.runs('app');
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      hold: { approval: { commit: head } },
      request: { trust: 'untrusted', taskFileContext: `${url}#${base}:sub`, variables: { Branch: 'pull/7' } },
    });
  });

  it('is off unless the trigger follows it, and is not a push of its branch', async () => {
    await rig.define('app', url);
    const head = await proposed('feature', { branch: 'feature' });
    expect(await because(tell(head))).toEqual(['event-off', 'trigger src follows commit, not pullrequest']);
    expect((await rig.hook(push(url, 'refs/heads/feature', ZERO, head))).codes).toEqual(['branch-filter']);
    expect(await rig.look('app')).toEqual([]);
  });

  it('is filtered by the branch that it wants to go into, by paths and by its message', async () => {
    await rig.define('release', url, { ...FOLLOWED, branches: ['release/**'] });
    await work.git('push', '-q', 'origin', `${base}:refs/heads/release/1`);
    const head = await proposed('feature', { branch: 'feature', path: 'docs/a.md' });
    expect(await because(tell(head))).toEqual([
      'branch-filter',
      'pull request 7 wants to go into another branch: branch main matches none of release/**',
    ]);
    expect((await tell(head, { baseBranch: 'release/1' })).codes).toEqual(['fired']);
    await rig.define('release', url, { ...FOLLOWED, paths: { include: ['src/**'], exclude: [] } });
    const docs = await proposed('more docs', { branch: 'feature', path: 'docs/b.md' });
    expect((await tell(docs)).codes).toEqual(['path-filter']);
    const code = await proposed('code [skip ci]', { branch: 'feature', path: 'src/a.ts' });
    expect((await tell(code)).codes).toEqual(['fired']);
    await rig.define('release', url, { ...FOLLOWED, skipCi: true });
    expect((await tell(await proposed('again [skip ci]', { branch: 'feature' }))).codes).toEqual(['skip-ci']);
  });

  it('runs again when it wants to go elsewhere, not for labels and titles, and not when it is old', async () => {
    await rig.define('app', url, { ...FOLLOWED, branches: ['**'] });
    const head = await proposed('feature', { branch: 'feature' });
    await tell(head);
    expect(await because(tell(head, { action: 'other' }))).toEqual([
      'action-ignored',
      'nothing of pull request 7 that would have to run has changed',
    ]);
    expect((await tell(head, { action: 'retargeted', baseBranch: 'dev' })).codes).toEqual(['fired']);
    expect((await tell(head, { action: 'retargeted', baseBranch: 'dev' })).codes).toEqual(['already-fired']);
    expect((await tell(head, { action: 'reopened' })).codes).toEqual(['already-fired']);
    const newer = await proposed('newer', { branch: 'feature' });
    expect((await tell(head, { action: 'synchronized' })).codes).toEqual(['already-fired']);
    expect((await tell(newer, { action: 'synchronized' })).codes).toEqual(['fired']);
    await rig.define('other', url, FOLLOWED);
    const stale = await tell(head, { action: 'synchronized' });
    expect(stale.decisions.find(({ task }) => task === 'other')).toMatchObject({
      ...{ code: 'not-head', because: `pull request 7 is at ${newer.slice(0, 12)} and not at ${head.slice(0, 12)}` },
    });
    expect(await because(rig.hook(pullRequest(`${server.url}/smart/none.git`, { headSha: head })))).toMatchObject([
      'no-trigger',
      expect.anything(),
    ]);
  });

  it('with an abbreviated head and no ref of its own runs the whole commit of its branch', async () => {
    await rig.define('app', url, FOLLOWED);
    const head = await proposed('feature', { ref: 'refs/heads/feature' });
    const told = pullRequest(url, { headSha: head.slice(0, 12) }) as PullRequestHappening;
    const { headRef: _, ...bitbucket } = told;
    expect((await rig.hook(bitbucket)).codes).toEqual(['fired']);
    const [run] = await rig.runs('app');
    expect(run?.request).toMatchObject({ pinnedCommit: head, pinnedRef: 'refs/heads/feature' });
  });
});

describe('a pull request from a fork', () => {
  it('is untrusted, waits for approval of its head, and takes its task file from the base', async () => {
    await rig.define('app', url, FOLLOWED, {
      credentials: [{ loginServer: 'registry.example', userName: 'u', password: { secret: 'canary' } }],
      policy: { privileged: true, hostMounts: true, dockerSocket: true },
    });
    const head = await proposed('evil');
    // It may call its branch as it likes.
    const told = await tell(head, { fork: true, headBranch: 'main', baseSha: 'b'.repeat(40) });
    expect(told.codes).toEqual(['fired']);
    const [run] = await rig.runs('app');
    expect(run).toMatchObject({
      status: 'Queued',
      hold: { because: `waits for approval of ${head.slice(0, 12)}`, approval: { commit: head } },
    });
    expect(run?.request).toMatchObject({
      ...{ trust: 'untrusted', pinnedCommit: head, pinnedRef: HEAD, credentials: [], noPush: true },
      policy: { privileged: false, hostMounts: false, dockerSocket: false },
      ...{ step: { contextPath: `${url}#${head}:sub` }, taskFileContext: `${url}#${base}:sub` },
      variables: { Branch: 'pull/7' },
    });
    expect(await rig.plane.store.runs.approve(run?.id ?? '', { by: 'ann', commit: 'c'.repeat(40) })).toBe('stale');
    expect(await rig.plane.store.runs.approve(run?.id ?? '', { by: 'ann', commit: head })).toBe('done');
  });

  it('whose head is newer ends the run that waits for the older one; approved runs stay', async () => {
    await rig.define('app', url, FOLLOWED);
    const one = await proposed('one');
    await tell(one, { fork: true });
    const two = await proposed('two');
    await tell(two, { fork: true, action: 'synchronized' });
    const states = async () => (await rig.runs('app')).map(({ status, request }) => [request.pinnedCommit, status]);
    expect(await states()).toEqual([
      [one, 'Canceled'],
      [two, 'Queued'],
    ]);
    expect((await rig.runs('app'))[0]?.error?.message).toContain(`pull request 7 has a newer head, ${two.slice(0, 12)}`);
    const approved = (await rig.runs('app'))[1];
    await rig.plane.store.runs.approve(approved?.id ?? '', { by: 'ann', commit: two });
    const three = await proposed('three');
    await tell(three, { fork: true, action: 'synchronized' });
    expect(await states()).toEqual([
      [one, 'Canceled'],
      [two, 'Queued'],
      [three, 'Queued'],
    ]);
    // Another pull request, and another task, are not touched.
    await rig.define('other', url, FOLLOWED);
    await work.git('push', '-q', 'origin', `${three}:refs/pull/8/head`);
    await tell(three, { fork: true, number: '8', headRef: 'refs/pull/8/head' });
    expect((await states()).at(-1)).toEqual([three, 'Queued']);
    expect((await rig.runs('app')).filter(({ status }) => status === 'Queued')).toHaveLength(3);
  });

  it('that is forced back waits for approval again', async () => {
    await rig.define('app', url, FOLLOWED);
    const one = await proposed('one more');
    await tell(one, { fork: true });
    const two = await proposed('two more');
    await tell(two, { fork: true, action: 'synchronized' });
    await work.git('push', '-q', '--force', 'origin', `${one}:${HEAD}`);
    expect((await tell(one, { fork: true, action: 'synchronized' })).codes).toEqual(['fired']);
    const runs = await rig.runs('app');
    expect(runs.map(({ status, hold }) => [status, hold?.approval?.commit])).toEqual([
      ['Canceled', undefined],
      ['Canceled', undefined],
      ['Queued', one],
    ]);
  });

  it('of a task on another repository waits again when it is rerun, and a newer head ends that rerun, too', async () => {
    await rig.define('app', url, FOLLOWED, { step: fileTask('https://git.example/elsewhere.git#main:sub') });
    const one = await proposed('one');
    await tell(one, { fork: true });
    const [first] = await rig.runs('app');
    expect(first?.request.pinnedCommit).toBeUndefined();
    const by = { name: 'ann', from: 'test' };
    let again = await rig.plane.runs.rerun(first?.id ?? '', by);
    expect(again).toMatchObject({ request: { trust: 'untrusted' }, hold: { approval: { commit: one } } });
    await rig.plane.runs.cancel(again.id, by);
    for (let times = 0; times < 25; times += 1) again = await rig.plane.runs.rerun(again.id, by);
    expect(again.hold?.approval?.commit).toBe(one);
    await tell(await proposed('two'), { fork: true, action: 'synchronized' });
    expect((await rig.runs('app')).map(({ status }) => status)).toEqual([...Array(27).fill('Canceled'), 'Queued']);
  });

  it('that is closed ends what waits for approval, and runs again when it is opened again', async () => {
    await rig.define('app', url, FOLLOWED);
    const head = await proposed('one');
    await tell(head, { fork: true });
    const [waiting] = await rig.runs('app');
    expect(await because(tell(head, { fork: true, action: 'closed' }))).toEqual([
      'action-ignored',
      `pull request 7 was closed; ${waiting?.id} waited for approval and is canceled`,
    ]);
    expect((await rig.runs('app')).map(({ status }) => status)).toEqual(['Canceled']);
    expect((await tell(head, { fork: true, action: 'reopened' })).codes).toEqual(['fired']);
    expect((await tell(head, { fork: true, action: 'reopened' })).codes).toEqual(['already-fired']);
    expect((await rig.runs('app')).map(({ status }) => status)).toEqual(['Canceled', 'Queued']);
  });

  it('runs at once or not at all where the trigger says so, untrusted in every case', async () => {
    await rig.define('run', url, { ...FOLLOWED, forks: 'run' });
    await rig.define('none', url, { ...FOLLOWED, forks: 'ignore' });
    const head = await proposed('one');
    const { decisions } = await tell(head, { fork: true });
    expect(decisions).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ task: 'none', code: 'fork-ignored' }),
        expect.objectContaining({ task: 'run', code: 'fired' }),
      ]),
    );
    const [run] = await rig.runs('run');
    expect(run).toMatchObject({ status: 'Queued', request: { trust: 'untrusted' } });
    expect(run?.hold).toBeUndefined();
  });

  it('without a ref in the repository runs from its own, with the token for its own server only', async () => {
    const token = 'tok-canary';
    await rig[Symbol.asyncDispose]();
    rig = await openGitRig(folder, { token: () => token });
    await using elsewhere = await startGitServer();
    await elsewhere.repository('fork', async (tree) => {
      await tree.git('commit', '-q', '--allow-empty', '-m', 'root');
    });
    await using theirs = await elsewhere.workTree('fork');
    await theirs.git('fetch', '-q', `${server.root}/app.git`, 'main');
    await theirs.git('checkout', '-q', '-B', 'topic', 'FETCH_HEAD');
    await writeFile(join(theirs.directory, 'x'), 'x');
    const head = await theirs.commit('theirs');
    await theirs.git('push', '-q', 'origin', 'HEAD:refs/heads/topic');
    const headUrl = `${elsewhere.url}/smart/fork`;
    await rig.define('app', url, FOLLOWED, { step: fileTask(`${url}#main:sub`) });
    const { headRef: _, ...bitbucket } = pullRequest(url, {
      ...{ headSha: head.slice(0, 12), headUrl: `${headUrl}.git`, headBranch: 'topic', fork: true },
    }) as PullRequestHappening;
    expect((await rig.hook(bitbucket)).codes).toEqual(['fired']);
    const [run] = await rig.runs('app');
    expect(run?.request).toMatchObject({
      ...{ trust: 'untrusted', pinnedCommit: head, step: { contextPath: `${headUrl}.git#${head}:sub` } },
      taskFileContext: `${url}#${base}:sub`,
    });
    expect(run?.request.pinnedRef).toBeUndefined();
    expect(elsewhere.requests.some(({ authorization }) => authorization !== undefined)).toBe(false);
    expect(server.requests.some(({ authorization }) => authorization !== undefined)).toBe(true);
    expect(JSON.stringify([await rig.events(), await rig.runs('app')])).not.toContain(token);
    const gone = await rig.hook({ ...bitbucket, headUrl: `${elsewhere.url}/smart/gone.git` });
    expect(gone.codes).toEqual(['unreachable']);
  });

  it('needs a base that is there', async () => {
    await rig.define('app', url, { ...FOLLOWED, branches: ['**'] });
    const head = await proposed('one');
    expect(await because(tell(head, { fork: true, baseBranch: 'nowhere' }))).toEqual([
      'not-head',
      'branch nowhere, which pull request 7 wants to go into, is not there',
    ]);
  });

  it('cannot name a commit that its repository does not have at its head', async () => {
    await rig.define('app', url, FOLLOWED);
    await proposed('one');
    for (const headSha of ['d'.repeat(40), '', '--upload-pack=x', 'abc', base]) {
      expect((await tell(headSha, { fork: true })).codes).toEqual(['not-head']);
    }
    expect(await rig.runs('app')).toEqual([]);
  });
});

describe('pull requests that only a look finds', () => {
  it('go into the default branch, and come from forks unless their head is a branch', async () => {
    await rig.define('app', url, FOLLOWED);
    const own = await proposed('own', { branch: 'feature' });
    await work.git('reset', '-q', '--hard', base);
    const foreign = await proposed('foreign', { ref: 'refs/pull/8/head' });
    expect((await rig.look('app')).map(({ codes }) => codes)).toEqual([['fired'], ['fired']]);
    const runs = new Map((await rig.runs('app')).map((run) => [run.request.pinnedCommit, run]));
    expect(runs.get(own)?.request).toMatchObject({ trust: 'trusted', variables: { Branch: 'feature' }, causes: [{ pullRequest: '7' }] });
    expect(runs.get(foreign)).toMatchObject({
      hold: { approval: { commit: foreign } },
      request: { trust: 'untrusted', pinnedRef: 'refs/pull/8/head', taskFileContext: `${url}#${base}:sub`, causes: [{ pullRequest: '8' }] },
    });
    expect((await tell(own)).codes).toEqual(['already-fired']);
    const newer = await proposed('newer', { ref: 'refs/pull/8/head' });
    await rig.look('app');
    expect((await rig.runs('app')).map(({ status, request }) => [request.pinnedCommit, status]).at(-1)).toEqual([newer, 'Queued']);
    expect((await rig.plane.get(runs.get(foreign)?.id ?? '')).status).toBe('Canceled');
    await work.git('push', '-q', 'origin', ':refs/pull/8/head');
    expect((await rig.look('app')).map(({ codes }) => codes)).toEqual([['action-ignored']]);
    expect((await rig.runs('app')).at(-1)?.status).toBe('Canceled');
  });

  it('are not told a second time when a webhook said where they go', async () => {
    await rig.define('app', url, FOLLOWED);
    await work.git('push', '-q', 'origin', `${base}:refs/heads/dev`);
    await rig.look('app');
    const head = await proposed('feature', { branch: 'feature' });
    expect((await tell(head, { baseBranch: 'dev' })).codes).toEqual(['branch-filter']);
    expect(await rig.look('app')).toEqual([]);
    expect(await rig.runs('app')).toEqual([]);
  });
});
