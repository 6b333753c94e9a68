import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/model/ports/store.ts';
import { type Folder, makeFolder } from '../../service/runs/control-plane.ts';
import { type GitServer, type GitWork, startGitServer } from '../../support/git-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { fileTask, type GitRig, openGitRig, push, sourceTrigger, ZERO } from './git-rig.ts';

let folder: Folder;
let server: GitServer;
let rig: GitRig;
let work: GitWork & AsyncDisposable;
let url: string;
let first: string;

beforeEach(async () => {
  folder = await makeFolder();
  server = await startGitServer();
  await server.repository('app', async (tree) => {
    first = await tree.commit('one');
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

/** Commits a file and pushes HEAD to the ref. */
async function pushed(
  message: string,
  options: { readonly path?: string; readonly ref?: string; readonly force?: boolean } = {},
): Promise<string> {
  const { path = 'file', ref = 'refs/heads/main', force = false } = options;
  await mkdir(join(work.directory, path, '..'), { recursive: true });
  await writeFile(join(work.directory, path), `${message} ${Math.random()}`);
  const commit = await work.commit(message);
  await work.git('push', '-q', ...(force ? ['--force'] : []), 'origin', `HEAD:${ref}`);
  return commit;
}
const MAIN = 'refs/heads/main';
const listings = (): number => server.requests.filter(({ method }) => method === 'POST').length;
const commitsOf = async (task: string): Promise<unknown[]> => (await rig.runs(task)).map(({ request }) => request.pinnedCommit);
const decisionsOf = async (decided: Promise<readonly { readonly codes: readonly string[] }[]>) => (await decided).map(({ codes }) => codes);

describe('a push', () => {
  it('told by a webhook makes a run of its commit, once however often it is told or found', async () => {
    await rig.define('app', url);
    const commit = await pushed('two');
    const told = await rig.hook(push(url, MAIN, first, commit), 'hook:h:d1:0');
    expect(told.decisions).toMatchObject([
      { task: 'app', trigger: 'src', outcome: 'run', code: 'fired', because: `branch main was pushed to ${commit.slice(0, 12)}` },
    ]);
    expect((await rig.hook(push(url, MAIN, first, commit), 'hook:h:d1:0')).id).toBe(told.id);
    const again = await rig.hook(push(url, MAIN, first, commit), 'hook:h:d2:0');
    expect(again.decisions).toMatchObject([{ code: 'already-fired', outcome: 'skipped', run: told.decisions[0]?.run }]);
    // The look finds nothing that the webhook has not told of.
    expect(await rig.look('app')).toEqual([]);
    const [run, ...others] = await rig.runs('app');
    expect(others).toEqual([]);
    expect(run).toMatchObject({ status: 'Queued' });
    expect(run?.request).toMatchObject({
      step: { contextPath: `${url}#${commit}:sub` },
      ...{ pinnedCommit: commit, pinnedRef: MAIN, trust: 'trusted', runType: 'AutoRun' },
      variables: { Commit: commit, Branch: 'main', Repository: url, TriggeredBy: 'Commit' },
      causes: [
        {
          ...{ kind: 'source', event: 'commit', trigger: 'src', repositoryUrl: url, branch: 'main', commit },
          ...{ provider: 'Gitea', eventId: told.id },
        },
      ],
    });
    expect(run?.request.taskFileContext).toBeUndefined();
    expect(run?.hold).toBeUndefined();
  });

  it('found by a look makes a run; the first look makes none', async () => {
    await rig.define('app', url);
    expect(await rig.look('app')).toEqual([]);
    expect(await rig.runs('app')).toEqual([]);
    const commit = await pushed('two');
    expect(await decisionsOf(rig.look('app'))).toEqual([['fired']]);
    expect(await commitsOf('app')).toEqual([commit]);
    expect((await rig.events())[1]).toMatchObject({ origin: 'poll', happening: { kind: 'push', before: first, after: commit, ref: MAIN } });
    const told = await rig.hook(push(url, MAIN, first, commit));
    expect(told.codes).toEqual(['already-fired']);
    expect(await rig.look('app')).toEqual([]);
  });

  it('runs though another followed at once, in whatever order the two are told', async () => {
    for (const [task, order] of [
      ['forwards', [0, 1]],
      ['backwards', [1, 0]],
    ] as const) {
      const before = (await work.git('rev-parse', 'HEAD')).trim();
      await rig.define(task, url);
      await rig.look(task);
      const commits = [await pushed('a'), await pushed('b')];
      const ids = [before, ...commits];
      for (const index of order) await rig.hook(push(url, MAIN, ids[index] ?? '', ids[index + 1] ?? ''));
      expect((await commitsOf(task)).toSorted()).toEqual(commits.toSorted());
      await rig.look(task);
      expect(await commitsOf(task)).toHaveLength(2);
    }
  });

  it('that came late starts nothing where only the latest counts', async () => {
    await rig.define('app', url, { latestOnly: true });
    const one = await pushed('a');
    const two = await pushed('b');
    expect((await rig.hook(push(url, MAIN, first, one))).decisions).toMatchObject([
      { code: 'superseded', because: `main has moved on from ${one.slice(0, 12)} to ${two.slice(0, 12)} (latestOnly)` },
    ]);
    expect((await rig.hook(push(url, MAIN, one, two))).codes).toEqual(['fired']);
    expect(await commitsOf('app')).toEqual([two]);
  });

  it('that the source does not bear out starts nothing: forged, or an old one sent again', async () => {
    await rig.define('app', url);
    const two = await pushed('two');
    const told = push(url, MAIN, first, two);
    await rig.hook(told, 'hook:h:old:0');
    const three = await pushed('three');
    await rig.hook(push(url, MAIN, two, three));
    expect(await rig.plane.store.events.prune({ before: '9999-01-01T00:00:00.000Z', limit: 100 })).toBeGreaterThan(0);
    // Another task, made since, for which nothing has fired.
    await rig.define('newer', url);
    const replayed = await rig.hook(told, 'hook:h:old:0');
    expect(replayed.decisions).toMatchObject([
      { task: 'newer', code: 'not-head', because: `branch main was at ${two.slice(0, 12)} before and is at ${three.slice(0, 12)} now` },
      { task: 'app', code: 'already-fired' },
    ]);
    const forged = await rig.hook(push(url, MAIN, 'b'.repeat(40), 'c'.repeat(40)));
    expect(forged.codes).toEqual(['not-head', 'not-head']);
    const nonsense = await rig.hook(push(url, MAIN, 'x', '--upload-pack=touch /tmp/slipway-pwned'));
    expect(nonsense.codes).toEqual(['not-head', 'not-head']);
    expect(await rig.runs('newer')).toEqual([]);
    const long = 'x'.repeat(100_000);
    for (const happening of [
      push(url, `refs/heads/${long}`, ZERO, two),
      push(url, long, two, ZERO),
      push(`${url}/${long}`, long, long, long),
    ]) {
      for (const { because } of (await rig.hook(happening)).decisions) expect(because.length).toBeLessThan(500);
    }
  });

  it('that was decided on by a process that ended before it said so is told as it was', async () => {
    await rig.define('app', url);
    const two = await pushed('two');
    const { id } = await rig.hook(push(url, MAIN, first, two));
    const three = await pushed('three');
    await rig.hook(push(url, MAIN, two, three));
    const event = await rig.plane.store.events.get(id);
    if (event?.happening.kind !== 'push') throw new Error('no push');
    const again = await rig.triggers.handlers.push?.({ ...event, happening: event.happening }, new AbortController().signal);
    expect(again?.decisions).toMatchObject([{ task: 'app', outcome: 'run', code: 'fired' }]);
    expect(await rig.runs('app')).toHaveLength(2);
  });

  it('that was forced runs like any other', async () => {
    await rig.define('app', url);
    const two = await pushed('two');
    await rig.hook(push(url, MAIN, first, two));
    await work.git('reset', '-q', '--hard', first);
    const other = await pushed('other', { force: true });
    expect((await rig.hook(push(url, MAIN, two, other))).codes).toEqual(['fired']);
    await work.git('push', '-q', '--force', 'origin', `${first}:${MAIN}`);
    expect(await decisionsOf(rig.look('app'))).toEqual([['fired']]);
    expect(await commitsOf('app')).toEqual([two, other, first]);
  });

  it('that forces a branch back to what it was runs again, once each time', async () => {
    await rig.define('app', url);
    const two = await pushed('two');
    const three = await pushed('three');
    await rig.hook(push(url, MAIN, first, two));
    await rig.hook(push(url, MAIN, two, three));
    const force = (commit: string): Promise<string> => work.git('push', '-q', '--force', 'origin', `${commit}:${MAIN}`);
    for (let time = 0; time < 2; time += 1) {
      await force(two);
      expect(await decisionsOf(rig.look('app'))).toEqual([['fired']]);
      // The webhook comes late, and twice.
      expect((await rig.hook(push(url, MAIN, three, two))).codes).toEqual(['already-fired']);
      expect((await rig.hook(push(url, MAIN, three, two))).codes).toEqual(['already-fired']);
      await force(three);
      expect((await rig.hook(push(url, MAIN, two, three))).codes).toEqual(['fired']);
      expect(await rig.look('app')).toEqual([]);
    }
    expect(await commitsOf('app')).toEqual([two, three, two, three, two, three]);
    // What was told before is no news, as long as the branch is elsewhere.
    expect((await rig.hook(push(url, MAIN, three, two))).codes).not.toContain('fired');
    expect(await commitsOf('app')).toHaveLength(6);
  });

  it('that deletes its branch never runs', async () => {
    await rig.define('app', url, { branches: ['**'] });
    const commit = await pushed('x', { ref: 'refs/heads/gone' });
    expect((await rig.hook(push(url, 'refs/heads/gone', ZERO, commit))).codes).toEqual(['fired']);
    await work.git('push', '-q', 'origin', ':refs/heads/gone');
    expect((await rig.hook(push(url, 'refs/heads/gone', commit, ZERO))).decisions).toMatchObject([
      { code: 'ref-deleted', because: 'refs/heads/gone was deleted' },
    ]);
    expect(await rig.look('app')).toEqual([]);
    expect(await commitsOf('app')).toEqual([commit]);
  });

  it('that deletes a branch or a tag and is found by a look is decided on as one that is told', async () => {
    await rig.define('app', url, { branches: ['**'], tags: ['v*'], sourceTriggerEvents: ['commit', 'tag'] });
    const commit = await pushed('x', { ref: 'refs/heads/gone' });
    await work.git('push', '-q', 'origin', `${commit}:refs/tags/v1`);
    expect((await decisionsOf(rig.look('app'))).flat()).toEqual(['fired', 'fired']);
    await work.git('push', '-q', 'origin', ':refs/heads/gone', ':refs/tags/v1');
    const found = await rig.look('app');
    expect(found.flatMap(({ decisions }) => decisions.map(({ code, because }) => `${code}: ${because}`)).sort()).toEqual([
      'ref-deleted: refs/heads/gone was deleted',
      'ref-deleted: refs/tags/v1 was deleted',
    ]);
    const [event] = (await rig.events()).slice(-2);
    expect(event?.happening).toMatchObject({ before: commit, after: ZERO });
    expect(await rig.look('app')).toEqual([]);
  });

  it('that was forced and is found by a look is marked so: back to where it was, a moved tag, another history where that is read', async () => {
    await rig.define('app', url, { branches: ['**'], tags: ['v*'], sourceTriggerEvents: ['commit', 'tag'] });
    const forcedOf = async (): Promise<unknown[]> => {
      const found = await rig.look('app');
      const events = (await rig.events()).filter(({ id }) => found.some((one) => one.id === id));
      return events.map(({ happening }) => 'ref' in happening && [happening.ref, happening.forced === true]);
    };
    const two = await pushed('two');
    await work.git('push', '-q', 'origin', `${two}:refs/tags/v1`);
    expect((await forcedOf()).sort()).toEqual([
      [MAIN, false],
      ['refs/tags/v1', false],
    ]);
    await work.git('push', '-q', '--force', 'origin', `${first}:${MAIN}`, `${first}:refs/tags/v1`);
    expect((await forcedOf()).sort()).toEqual([
      [MAIN, true],
      ['refs/tags/v1', true],
    ]);
    await rig.define('app', url, { branches: ['**'], paths: { include: [], exclude: ['docs/**'] } });
    const three = await pushed('three', { force: true });
    await work.git('reset', '-q', '--hard', first);
    await forcedOf();
    await pushed('four', { force: true });
    expect(await forcedOf()).toEqual([[MAIN, true]]);
    await pushed('five');
    expect(await forcedOf()).toEqual([[MAIN, false]]);
    expect(three).not.toBe('');
  });

  it('of a branch or file with an odd name stays a name', async () => {
    await rig.define('app', url, { branches: ['**'] });
    const names = ['$(touch${IFS}x)', '{{.Run.ID}}', 'a;b&c|d', "'quoted'"];
    for (const name of names) {
      const commit = await pushed(name, { ref: `refs/heads/${name}`, path: '$(touch y).txt' });
      expect((await rig.hook(push(url, `refs/heads/${name}`, ZERO, commit))).codes).toEqual(['fired']);
    }
    const found = await rig.runs('app');
    expect(found.map(({ request }) => request.variables.Branch)).toEqual(names);
    for (const { request } of found) expect(request.step.contextPath).toBe(`${url}#${request.pinnedCommit}:sub`);
  });
});

describe('branches', () => {
  it('are the default one unless the trigger, its repository or the context names others', async () => {
    await rig.define('default', url);
    await rig.define('globs', url, { branches: ['release/**', '!release/old'] });
    await rig.define('acr', url, { sourceRepository: { ...sourceTrigger(url).sourceRepository, branch: 'dev' } });
    await rig.define('context', url, {}, { step: fileTask(`${url}#topic:sub`) });
    const told: Record<string, Record<string, string>> = {};
    for (const branch of ['main', 'release/1', 'release/old', 'dev', 'topic']) {
      const commit = await pushed(branch, { ref: `refs/heads/${branch}` });
      const before = branch === 'main' ? first : ZERO;
      const { decisions } = await rig.hook(push(url, `refs/heads/${branch}`, before, commit));
      told[branch] = Object.fromEntries(decisions.map(({ task, code, because }) => [task, code === 'fired' ? code : because]));
    }
    expect(told).toEqual({
      main: {
        ...{ default: 'fired', globs: 'branch main matches none of release/**' },
        ...{ acr: 'branch main is not dev', context: 'branch main is not topic' },
      },
      'release/1': {
        ...{ default: 'branch release/1 is not main', globs: 'fired' },
        ...{ acr: 'branch release/1 is not dev', context: 'branch release/1 is not topic' },
      },
      'release/old': expect.objectContaining({ globs: 'branch release/old is excluded by !release/old' }),
      dev: expect.objectContaining({ acr: 'fired', context: 'branch dev is not topic' }),
      topic: expect.objectContaining({ acr: 'branch topic is not dev', context: 'fired' }),
    });
  });
});

describe('tags', () => {
  it('run when they are followed, annotated ones at their commit', async () => {
    await rig.define('app', url, { sourceTriggerEvents: ['tag'], tags: ['v*'] });
    const commit = await pushed('two');
    await work.git('tag', '-a', '-m', 'release', 'v1');
    await work.git('tag', 'other');
    await work.git('tag', 'v2');
    await work.git('push', '-q', 'origin', 'v1', 'other');
    const object = (await work.git('rev-parse', 'refs/tags/v1')).trim();
    expect(object).not.toBe(commit);
    expect((await rig.hook(push(url, 'refs/tags/v1', ZERO, object))).codes).toEqual(['fired']);
    expect((await rig.hook(push(url, 'refs/tags/v1', ZERO, commit))).codes).toEqual(['already-fired']);
    expect((await rig.hook(push(url, 'refs/tags/other', ZERO, commit))).decisions).toMatchObject([
      { code: 'tag-filter', because: 'tag other matches none of v*' },
    ]);
    expect((await rig.hook(push(url, MAIN, first, commit))).decisions).toMatchObject([
      { code: 'event-off', because: 'trigger src follows tag, not commit' },
    ]);
    await work.git('push', '-q', 'origin', 'v2');
    expect(await decisionsOf(rig.look('app'))).toEqual([['fired']]);
    const runs = await rig.runs('app');
    expect(runs.map(({ request }) => [request.variables.GitTag, request.pinnedCommit, request.pinnedRef])).toEqual([
      ['v1', commit, 'refs/tags/v1'],
      ['v2', commit, 'refs/tags/v2'],
    ]);
    expect(runs[0]?.request.variables).toMatchObject({ TriggeredBy: 'Tag', Commit: commit });
  });
});

describe('changes', () => {
  const paths = (include: readonly string[], exclude: readonly string[] = []) => ({ paths: { include, exclude } });

  it('decide by their paths, read with git', async () => {
    await rig.define('source', url, paths(['src/**']));
    await rig.define('notdocs', url, paths([], ['docs/**', '**/*.md']));
    let before = first;
    const tell = async (path: string): Promise<Record<string, string>> => {
      const commit = await pushed(path, { path });
      const { decisions } = await rig.hook(push(url, MAIN, before, commit));
      before = commit;
      return Object.fromEntries(decisions.map(({ task, code, because }) => [task, code === 'path-filter' ? because : code]));
    };
    expect(await tell('src/a.ts')).toEqual({ source: 'fired', notdocs: 'fired' });
    expect(await tell('docs/a.txt')).toEqual({
      source: 'the changed file docs/a.txt is none that matches src/**',
      notdocs: 'the changed file docs/a.txt is none that is outside docs/**, **/*.md',
    });
    expect(await tell('.github/x.yml')).toEqual({ source: expect.stringContaining('.github/x.yml'), notdocs: 'fired' });
  });

  it('of a new branch are those since it left the default branch; in doubt it runs', async () => {
    await rig.define('source', url, { ...paths(['src/**']), branches: ['**'] });
    const main = await pushed('main', { path: 'src/a.ts' });
    await rig.hook(push(url, MAIN, first, main));
    const branch = await pushed('docs', { path: 'docs/a.md', ref: 'refs/heads/topic' });
    expect((await rig.hook(push(url, 'refs/heads/topic', ZERO, branch))).codes).toEqual(['path-filter']);
    // Nobody knows what lies between a commit that is gone and this one.
    await work.git('checkout', '-q', '--orphan', 'lonely');
    const lonely = await pushed('lonely', { path: 'docs/b.md', ref: 'refs/heads/lonely' });
    expect((await rig.hook(push(url, 'refs/heads/lonely', ZERO, lonely))).codes).toEqual(['fired']);
  });

  it('after a force push are those since the merge base', async () => {
    await rig.define('source', url, paths(['src/**']));
    const two = await pushed('two', { path: 'src/a.ts' });
    await rig.hook(push(url, MAIN, first, two));
    await work.git('reset', '-q', '--hard', first);
    const docs = await pushed('docs', { path: 'docs/a.md', force: true });
    expect((await rig.hook(push(url, MAIN, two, docs))).codes).toEqual(['path-filter']);
  });

  it('of a push that takes commits back are what they had changed', async () => {
    await rig.define('source', url, paths(['src/**']));
    await rig.define('docs', url, paths(['docs/**']));
    const two = await pushed('two', { path: 'src/a.ts' });
    await rig.hook(push(url, MAIN, first, two));
    await work.git('push', '-q', '--force', 'origin', `${first}:${MAIN}`);
    const { decisions } = await rig.hook(push(url, MAIN, two, first));
    expect(Object.fromEntries(decisions.map(({ task, code }) => [task, code]))).toEqual({ source: 'fired', docs: 'path-filter' });
  });

  it('are skipped when their message asks for it and the trigger heeds it', async () => {
    await rig.define('heeds', url, { skipCi: true });
    await rig.define('deaf', url);
    let before = first;
    for (const [message, code] of [
      ['fix [skip ci]', 'skip-ci'],
      ['[CI Skip] fix', 'skip-ci'],
      ['fix ***NO_CI***', 'skip-ci'],
      ['fix\n\nbody\n\nskip-checks: true', 'skip-ci'],
      ['skip ci', 'fired'],
      ['skip-checks: true', 'fired'],
    ]) {
      const commit = await pushed(message ?? '');
      const { decisions } = await rig.hook(push(url, MAIN, before, commit));
      expect([message, Object.fromEntries(decisions.map((one) => [one.task, one.code]))]).toEqual([
        message,
        { heeds: code, deaf: 'fired' },
      ]);
      before = commit;
    }
  });
});

describe('a repository', () => {
  it('that is looked at for the first time says for each trigger why nothing runs, in one event', async () => {
    await work.git('push', '-q', 'origin', ...Array.from({ length: 20 }, (_, number) => `${first}:refs/heads/b${number}`));
    await rig.define('app', url, { tags: ['v*'], sourceTriggerEvents: ['commit', 'tag', 'pullrequest'] });
    await rig.evaluator.idle();
    expect(await rig.events()).toMatchObject([{ origin: 'poll', happening: { kind: 'repository' } }]);
    const decisions = await rig.plane.store.events.decisions({ task: 'app', limit: 10 });
    expect(new Set(decisions.map(({ code }) => code))).toEqual(new Set(['first-sight']));
    expect(decisions.map(({ because }) => because.replace(/^.*?: /, '')).sort()).toEqual([
      `branch main is at ${first.slice(0, 12)}; what changes from now on counts`,
      'pull requests are followed; what changes from now on counts',
      'tags that match v* are followed; what changes from now on counts',
    ]);
  });

  it('is asked once for all its tasks', async () => {
    await rig[Symbol.asyncDispose]();
    rig = await openGitRig(folder, { spaceMs: 1000 });
    for (const task of ['a', 'b', 'c']) await rig.define(task, url);
    expect(listings()).toBe(1);
    const commit = await pushed('two');
    const before = listings();
    expect(await decisionsOf(rig.look('b'))).toEqual([['fired', 'fired', 'fired']]);
    expect(listings()).toBe(before + 1);
    for (const task of ['a', 'b', 'c']) expect(await commitsOf(task)).toEqual([commit]);
    // Events of a moment share one question.
    const told = Array.from({ length: 20 }, (_, index) => rig.hook(push(url, MAIN, first, commit), `hook:h:many${index}:0`));
    expect((await Promise.all(told)).every(({ codes }) => codes.every((code) => code === 'already-fired'))).toBe(true);
    expect(listings()).toBeLessThanOrEqual(before + 4);
  });

  it('is known by all its spellings, and is apart for each credential', async () => {
    const store: Store = rig.plane.store;
    await rig.define('plain', url);
    await rig.define('spelt', url.replace(/\.git$/, '/'), {}, { step: fileTask(`${url}#main`) });
    expect(await store.gitWatch.list()).toHaveLength(1);
    const auth = (secret: string) => ({
      sourceRepository: {
        ...sourceTrigger(url).sourceRepository,
        sourceControlAuthProperties: { tokenType: 'PAT' as const, token: { secret } },
      },
    });
    await rig.define('token', url, auth('one'));
    await rig.define('token2', url, auth('one'));
    await rig.define('other', url, auth('two'));
    expect(await store.gitWatch.list()).toHaveLength(3);
    expect(JSON.stringify(await store.gitWatch.list())).not.toContain('one');
    await store.tasks.delete('other', {});
    await rig.triggers.taskChanged('other', undefined);
    expect(await store.gitWatch.list()).toHaveLength(2);
  });

  it('is looked at when a webhook only says that something happened', async () => {
    await rig.define('app', url);
    const commit = await pushed('two');
    expect((await rig.hook({ kind: 'repository', repository: { forge: 'Generic', url } })).codes).toEqual([]);
    await waitFor(async () => ((await rig.runs('app')).length === 1 ? true : undefined));
    expect(await commitsOf('app')).toEqual([commit]);
    expect((await rig.hook({ kind: 'repository', repository: { forge: 'Generic', url: `${server.url}/smart/none.git` } })).codes).toEqual([
      'no-trigger',
    ]);
  });

  it('whose refs change by the thousand is kept in parts, with an event for each', async () => {
    await rig.define('app', url, { branches: ['none'] });
    const id = await pushed('two');
    const lines = Array.from({ length: 1200 }, (_, number) => `${id} refs/heads/many${number}\n`);
    await writeFile(join(server.root, 'app.git', 'packed-refs'), lines.toSorted().join(''));
    const record = await rig.plane.store.tasks.get('app');
    if (record !== undefined) await rig.triggers.check(record);
    await rig.evaluator.idle();
    expect(await rig.plane.store.events.counts()).toMatchObject({ settled: 1202 });
    expect((await rig.plane.store.gitWatch.refs((await rig.plane.store.gitWatch.list())[0]?.key ?? '')).size).toBe(1201);
  });

  it('that nobody follows, or nobody wants to now, starts nothing', async () => {
    await rig.define('off', url, {}, { status: 'Disabled' });
    await rig.define('mute', url, { status: 'Disabled' });
    const commit = await pushed('two');
    expect((await rig.hook(push(url, MAIN, first, commit))).codes.toSorted()).toEqual(['task-disabled', 'trigger-disabled']);
    expect(listings()).toBe(0);
    expect((await rig.hook(push(`${server.url}/smart/else.git`, MAIN, first, commit))).codes).toEqual(['no-trigger']);
    expect(await rig.plane.store.gitWatch.list()).toEqual([]);
  });

  it('is looked at by itself, and after its server was down', async () => {
    await rig[Symbol.asyncDispose]();
    rig = await openGitRig(folder, { gitPollSeconds: 1 });
    await rig.define('app', url);
    const one = await pushed('while it looks');
    await waitFor(async () => ((await rig.runs('app')).length === 1 ? true : undefined), 15_000);
    server.down = true;
    const row = await waitFor(async () => (await rig.plane.store.gitWatch.list()).find(({ failures }) => failures > 0), 15_000);
    expect(row.error).toContain('503');
    const two = await pushed('while it is down');
    server.down = false;
    await waitFor(async () => ((await rig.runs('app')).length === 2 ? true : undefined), 25_000);
    expect(await commitsOf('app')).toEqual([one, two]);
    expect((await rig.plane.store.gitWatch.list())[0]).toMatchObject({ failures: 0 });
  }, 60_000);

  it('whose first look failed counts as seen when a webhook had it asked', async () => {
    server.down = true;
    await rig.define('app', url, { branches: ['**'] });
    expect((await rig.plane.store.gitWatch.list())[0]).toMatchObject({ failures: 1 });
    server.down = false;
    await work.git('push', '-q', 'origin', `${first}:refs/heads/a`, `${first}:refs/heads/b`);
    const two = await pushed('two');
    expect((await rig.hook(push(url, MAIN, first, two))).codes).toEqual(['fired']);
    expect(await rig.look('app')).toEqual([]);
    const three = await pushed('three', { ref: 'refs/heads/a' });
    expect(await decisionsOf(rig.look('app'))).toEqual([['fired']]);
    expect(await commitsOf('app')).toEqual([two, three]);
  });

  it('that was pushed to while nobody looked is caught up with by the next process', async () => {
    await rig.define('app', url);
    await rig[Symbol.asyncDispose]();
    const commit = await pushed('while it was off');
    rig = await openGitRig(folder);
    await rig.look('app');
    expect(await commitsOf('app')).toEqual([commit]);
  });

  it('is never looked at again by itself where webhooks alone count', async () => {
    await rig.define('app', url, { pollInterval: 0 });
    expect((await rig.plane.store.gitWatch.list())[0]?.nextCheck).toMatch(/^9999/);
    await rig.define('app', url, { pollInterval: 60 });
    await waitFor(async () => ((await rig.plane.store.gitWatch.list())[0]?.nextCheck.startsWith('9999') === false ? true : undefined));
  });

  it('that cannot be reached is named as the reason, and tried again when that may pass', async () => {
    const none = `${server.url}/smart/none.git`;
    await rig.define('none', none);
    const { decisions } = await rig.hook(push(none, MAIN, first, 'a'.repeat(40)));
    expect(decisions).toMatchObject([{ code: 'unreachable', because: expect.stringContaining('has no such repository') }]);
    await rig.define('app', url);
    const commit = await pushed('two');
    server.down = true;
    const waiting = rig.hook(push(url, MAIN, first, commit));
    await waitFor(async () => (await rig.events()).find(({ error }) => error?.includes('503')));
    server.down = false;
    expect((await waiting).codes).toEqual(['fired']);
  }, 60_000);

  it('of another task than the context starts it with its own context', async () => {
    await rig.define('app', url, {}, { step: fileTask('https://git.example/other.git#main') });
    const commit = await pushed('two');
    await rig.hook(push(url, MAIN, first, commit));
    const [run] = await rig.runs('app');
    expect(run?.request).toMatchObject({ step: { contextPath: 'https://git.example/other.git#main' }, variables: { Commit: commit } });
    expect(run?.request.pinnedCommit).toBeUndefined();
  });
});

describe('a local repository', () => {
  it('is followed when an admin allows it', async () => {
    await rig[Symbol.asyncDispose]();
    rig = await openGitRig(folder, { allowFile: true });
    const local = `file://${server.root}/app.git`;
    await rig.define('app', local);
    const commit = await pushed('two');
    await rig.look('app');
    expect((await rig.runs('app')).map(({ request }) => request.step.contextPath)).toEqual([`${local}#${commit}:sub`]);
  });
});
