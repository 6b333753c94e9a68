import { describe, expect, it } from 'vitest';
import type { BaseImage } from '../../src/model/image.ts';
import type { ImageWatchStore } from '../../src/model/ports/image-watch-store.ts';
import type { RunOutcome, Store } from '../../src/model/ports/store.ts';
import type { RunRequest } from '../../src/model/run-record.ts';
import type { TaskRecord } from '../../src/model/task-definition.ts';
import type { StoreUnderTest } from './store.ts';
import { at, digestOf, imageTag, newTask } from './store-trigger-values.ts';
import { outcome, runRequest, stepRecord } from './store-values.ts';

type Static = Parameters<ImageWatchStore['setStatic']>[1];
const CONTEXT = 'https://git.example/app.git';
const NODE = imageTag('library/node', '20', 'docker.io');

export function describeImageRecords(use: () => StoreUnderTest): void {
  describe('images of tasks', () => {
    describeBuilt(use);
    describeWhoCounts(use);
    describeStatic(use);
    describeOutputs(use);
  });
}

function base(reference: string, letter: string, parts: Partial<BaseImage & { readonly step: string }> = {}) {
  return {
    ...{ step: 'build', reference, platform: 'linux/amd64', indexDigest: digestOf(letter), platformDigest: digestOf(letter.toUpperCase()) },
    ...{ role: 'runtime' as const, source: 'registry' as const, ...parts },
  };
}

function appTask(store: Store, name = 'app'): Promise<TaskRecord> {
  return newTask(store, name, { step: { type: 'FileTask', taskFilePath: 'acb.yaml', contextPath: `${CONTEXT}#main`, values: [] } });
}

/** A run from its creation to its end; its id. */
async function run(
  store: Store,
  status: RunOutcome['status'],
  made: Partial<RunOutcome>,
  request: Partial<RunRequest> = {},
): Promise<string> {
  const { id } = await store.runs.create({ request: runRequest({ task: 'app', ...request }) });
  expect(await store.runs.finish(id, undefined, outcome(status, made))).toBe('done');
  return id;
}

async function shown({ imageWatch }: Store, query: Parameters<ImageWatchStore['dependencies']>[0] = {}): Promise<readonly unknown[]> {
  const rows = await imageWatch.dependencies(query);
  return rows.map(({ step, written, state, indexDigest, run: by }) => [step, written, state, indexDigest.slice(7, 8), by ?? '']);
}

function describeBuilt(use: () => StoreUnderTest): void {
  it('a run that succeeded tells by digest what the task is built from', async () => {
    const { store, reopen } = use();
    const task = await appTask(store);
    const pinned = `node:20@${digestOf('e')}`;
    const baseImages = [
      base('node:20', 'a', { role: 'buildtime' }),
      base('node:20', 'a'),
      base('node', 'b', { step: 'web', role: 'buildtime', platform: '' }),
      base(pinned, 'e'),
      base('scratch', 'c', { source: 'scratch' }),
      base('local:1', 'c', { source: 'engine' }),
      base('gone:1', '', { source: 'unresolved' }),
      base('NO reference', 'c'),
    ];
    await run(store, 'Succeeded', { baseImages });
    await reopen();
    const common = { taskId: task.id, task: 'app', state: 'built', run: 'ra001', resolvedAt: at() };
    expect(await use().store.imageWatch.dependencies({ taskId: task.id })).toEqual([
      {
        ...{ ...common, step: 'build', platform: 'linux/amd64', image: NODE, written: 'node:20', role: 'runtime' },
        ...{ indexDigest: digestOf('a'), platformDigest: digestOf('A') },
      },
      {
        ...{ ...common, step: 'web', platform: '', image: { ...NODE, tag: 'latest' }, written: 'node', role: 'buildtime' },
        ...{ indexDigest: digestOf('b'), platformDigest: digestOf('B') },
      },
    ]);
  });

  it('the next one that succeeds replaces it; one that fails was an attempt', async () => {
    const { store } = use();
    await appTask(store);
    await run(store, 'Failed', { baseImages: [base('node:20', 'a'), base('go:1', 'a')] });
    expect(await shown(store)).toEqual([
      ['build', 'go:1', 'attempted', 'a', 'ra001'],
      ['build', 'node:20', 'attempted', 'a', 'ra001'],
    ]);
    await run(store, 'Succeeded', { baseImages: [base('node:20', 'b')] });
    expect(await shown(store)).toEqual([['build', 'node:20', 'built', 'b', 'ra002']]);
    await run(store, 'Timeout', { baseImages: [base('node:20', 'c'), base('python:3', 'c')] });
    await run(store, 'Error', {});
    const both = [
      ['build', 'node:20', 'built', 'b', 'ra002'],
      ['build', 'python:3', 'attempted', 'c', 'ra003'],
    ];
    expect(await shown(store)).toEqual(both);
    await run(store, 'Succeeded', {});
    expect(await shown(store)).toEqual([]);
  });

  it('a step that failed and was ignored was an attempt', async () => {
    const { store } = use();
    await appTask(store);
    const steps = [stepRecord('build', 'failed'), stepRecord('web', 'succeeded')];
    await run(store, 'Succeeded', { steps, baseImages: [base('node:20', 'a'), base('go:1', 'b', { step: 'web' })] });
    expect(await shown(store)).toEqual([
      ['build', 'node:20', 'attempted', 'a', 'ra001'],
      ['web', 'go:1', 'built', 'b', 'ra001'],
    ]);
  });

  it('what a track chose is followed under what is written', async () => {
    const { store } = use();
    await appTask(store);
    const baseImages = [{ reference: 'node:20', use: 'node:20.7' }];
    for (const reference of ['node:20', 'node:20.7']) {
      await run(store, 'Succeeded', { baseImages: [base(reference, 'a')] }, { baseImages });
      expect(await store.imageWatch.dependencies({})).toMatchObject([{ written: 'node:20', image: { ...NODE, tag: '20.7' } }]);
    }
  });

  it('an end that is stale, or of a run that had ended, tells nothing', async () => {
    const { store } = use();
    await appTask(store);
    const { id } = await store.runs.create({ request: runRequest({ task: 'app' }) });
    const done = outcome('Succeeded', { baseImages: [base('node:20', 'a')] });
    expect(await store.runs.finish(id, 4, done)).toBe('stale');
    await store.runs.requestCancel(id, { by: 'me', reason: 'no' });
    expect(await store.runs.finish(id, undefined, done)).toBe('stale');
    expect(await shown(store)).toEqual([]);
  });
}

function describeWhoCounts(use: () => StoreUnderTest): void {
  const made = {
    baseImages: [base('node:20', 'a')],
    images: [{ step: 'push', reference: 'registry.example/app:1', digest: digestOf('f') }],
  };
  const source = { kind: 'source', trigger: 'main', repositoryUrl: CONTEXT, commit: 'abc', provider: 'Gitea' } as const;
  const step = (contextPath: string, taskFilePath = 'acb.yaml'): Pick<RunRequest, 'step'> => ({
    step: { type: 'FileTask', taskFilePath, contextPath, values: [] },
  });
  const counts: readonly (readonly [string, Partial<RunRequest>, boolean])[] = [
    ['of another branch of the context', step(`${CONTEXT}#other:dir`), true],
    [
      'of a commit under the URL of the trigger',
      { ...step('https://git.example/App#abc'), causes: [{ ...source, event: 'commit' }] },
      true,
    ],
    [
      'of an update after a rerun',
      {
        causes: [
          { kind: 'rerun', principal: 'ann', run: 'ra001' },
          { ...source, event: 'tag' },
        ],
      },
      true,
    ],
    ['of class untrusted', { trust: 'untrusted' }, false],
    ['of a pull request', { causes: [{ ...source, event: 'pullrequest' }] }, false],
    ['of a context that was sent', step('upload:0123'), false],
    ['of another repository', step('https://git.example/other.git#main'), false],
    ['of another file', step(`${CONTEXT}#main`, 'other.yaml'), false],
    ['of a task that is not there', { task: 'nobody' }, false],
  ];
  it.each(counts)('a run %s tells of its task only as it should', async (_of, request, expected) => {
    const { store } = use();
    await appTask(store);
    await run(store, 'Succeeded', made, request);
    expect(await store.imageWatch.dependencies({})).toHaveLength(expected ? 1 : 0);
    expect(await store.imageWatch.outputs({})).toHaveLength(expected ? 1 : 0);
  });

  it('a quick run counts for no task, and a run for no task that was made anew meanwhile', async () => {
    const { store, clock } = use();
    const first = await appTask(store);
    const { id } = await store.runs.create({ request: runRequest({ task: 'app' }) });
    const quick = await store.runs.create({ request: runRequest() });
    await clock.advance(1);
    await store.tasks.delete('app', {});
    await appTask(store);
    for (const each of [id, quick.id]) await store.runs.finish(each, undefined, outcome('Succeeded', made));
    expect(await store.imageWatch.dependencies({})).toEqual([]);
    expect(await store.imageWatch.outputs({ taskId: first.id })).toEqual([]);
  });
}

function describeStatic(use: () => StoreUnderTest): void {
  const found = (parts: Partial<Static> = {}): Static => ({ dependencies: [], outputs: [], ...parts });
  const read = (written: string, image = NODE, parts: Partial<Static['dependencies'][number]> = {}) => ({
    ...{ step: 'build', platform: 'linux/amd64', image, written, role: 'runtime' as const, ...parts },
  });

  it('what is read stands where nothing was built, and is replaced by what is read later', async () => {
    const { store, clock } = use();
    const { imageWatch } = store;
    const { id } = await appTask(store);
    const GO = imageTag('library/go', '1', 'docker.io');
    await imageWatch.setStatic(
      { id, name: 'app', version: 1 },
      found({ dependencies: [read('node:20'), read('go:1', GO, { role: 'buildtime' })] }),
    );
    expect(await imageWatch.dependencies({ image: { repository: 'library/go' } })).toEqual([
      {
        ...{ taskId: id, task: 'app', step: 'build', platform: 'linux/amd64', image: GO, written: 'go:1', role: 'buildtime' },
        ...{ indexDigest: '', platformDigest: '', resolvedAt: at(), state: 'static' },
      },
    ]);
    await run(store, 'Succeeded', { baseImages: [base('node:20', 'a')] });
    const now = [
      ['build', 'go:1', 'static', '', ''],
      ['build', 'node:20', 'built', 'a', 'ra001'],
    ];
    expect(await shown(store)).toEqual(now);
    await clock.advance(1000);
    await imageWatch.setStatic({ id, name: 'app', version: 2 }, found({ dependencies: [read('node:20', NODE, { platform: '' })] }));
    expect(await shown(store)).toEqual([now[1]]);
    expect(await shown(store, { image: NODE })).toEqual([now[1]]);
    expect(await imageWatch.analysis(id)).toEqual({ version: 2, at: at(1000) });
  });

  it('takes away what was built of steps that are no longer there', async () => {
    const { store } = use();
    const { id } = await appTask(store);
    const task = { id, name: 'app', version: 2 };
    await run(store, 'Succeeded', { baseImages: [base('node:20', 'a'), base('go:1', 'b', { step: 'old' })] });
    await store.imageWatch.setStatic(task, found({ dependencies: [read('node:20')] }));
    expect(await shown(store)).toHaveLength(2);
    await store.imageWatch.setStatic(task, found({ steps: ['build', 'other'] }));
    expect(await shown(store)).toEqual([['build', 'node:20', 'built', 'a', 'ra001']]);
  });

  it('what could not be read leaves what was read before, and says why', async () => {
    const { store, reopen } = use();
    const { id } = await appTask(store);
    await store.imageWatch.setStatic(
      { id, name: 'app', version: 1 },
      found({ dependencies: [read('node:20')], outputs: [imageTag('app')] }),
    );
    await store.imageWatch.setStatic({ id, name: 'app', version: 2 }, found({ error: 'no route to git.example' }));
    await reopen();
    const { imageWatch } = use().store;
    expect(await imageWatch.analysis(id)).toEqual({ version: 2, at: at(), error: 'no route to git.example' });
    expect([await shown(use().store), await imageWatch.outputs({})].map(({ length }) => length)).toEqual([1, 1]);
  });

  it('what comes late, of an older version or a task that is gone, is nothing', async () => {
    const { store } = use();
    const { imageWatch } = store;
    const { id } = await appTask(store);
    await imageWatch.setStatic({ id, name: 'app', version: 3 }, found({ dependencies: [read('node:20')] }));
    await imageWatch.setStatic({ id, name: 'app', version: 2 }, found());
    expect(await shown(store)).toHaveLength(1);
    await run(store, 'Succeeded', { baseImages: [base('go:1', 'a')] });
    await imageWatch.forget(id);
    expect([await shown(store), await imageWatch.analysis(id)]).toEqual([[], undefined]);
    await run(store, 'Succeeded', { baseImages: [base('go:1', 'a')] });
    await store.tasks.delete('app', {});
    expect(await shown(store)).toEqual([]);
    await imageWatch.setStatic({ id, name: 'app', version: 4 }, found({ dependencies: [read('node:20')], outputs: [NODE] }));
    expect([await shown(store), await imageWatch.outputs({}), await imageWatch.analysis(id)]).toEqual([[], [], undefined]);
  });

  it('are found by any part of an image, and by task', async () => {
    const { store } = use();
    const [app, web] = [await appTask(store), await appTask(store, 'web')];
    await store.imageWatch.setStatic({ ...app, name: 'app', version: 1 }, found({ dependencies: [read('node:20')] }));
    await store.imageWatch.setStatic(
      { ...web, name: 'web', version: 1 },
      found({ dependencies: [read('node:20'), read('node:22', { ...NODE, tag: '22' })] }),
    );
    const count = async (query: Parameters<ImageWatchStore['dependencies']>[0]): Promise<number> =>
      (await store.imageWatch.dependencies(query)).length;
    expect([await count({}), await count({ image: NODE }), await count({ image: { tag: '22' } })]).toEqual([3, 2, 1]);
    expect([await count({ image: NODE, taskId: web.id }), await count({ image: { registry: 'quay.io' } })]).toEqual([1, 0]);
  });
}

function describeOutputs(use: () => StoreUnderTest): void {
  const pushed = (tag: string, letter = 'f') => ({ step: 'push', reference: `registry.example/app:${tag}`, digest: digestOf(letter) });

  it('are what the newest run that succeeded pushed, before what is read', async () => {
    const { store } = use();
    const { imageWatch } = store;
    const { id } = await appTask(store);
    await imageWatch.setStatic({ id, name: 'app', version: 1 }, { dependencies: [], outputs: [imageTag('app', '1'), imageTag('other')] });
    await run(store, 'Succeeded', { images: [pushed('1'), pushed('ra001-x'), pushed('x-ra001')] });
    const states = async (): Promise<unknown> =>
      (await imageWatch.outputs({})).map(({ image, state, run: by }) => [image.repository, image.tag, state, by ?? '']);
    const first = [
      ['app', '', 'pushed', 'ra001'],
      ['app', '1', 'pushed', 'ra001'],
      ['other', '1', 'static', ''],
    ];
    expect(await states()).toEqual(first);
    await run(store, 'Failed', { images: [pushed('3')] });
    await run(store, 'Succeeded', {});
    expect(await states()).toEqual(first);
    await run(store, 'Succeeded', { images: [pushed('2')] });
    expect(await states()).toEqual([
      ['app', '1', 'static', ''],
      ['app', '2', 'pushed', 'ra004'],
      ['other', '1', 'static', ''],
    ]);
    expect(await imageWatch.outputs({ taskId: id, image: imageTag('app', '2') })).toHaveLength(1);
  });

  it('the pusher of a digest is the newest run that pushed it under the tag, whatever became of the run', async () => {
    const { store } = use();
    const { imageWatch, runs } = store;
    await run(store, 'Succeeded', { images: [pushed('1', 'a')] });
    await run(store, 'Failed', { images: [pushed('1', 'a'), pushed('2', 'b')] }, { task: 'web' });
    const { id } = await runs.create({ request: runRequest() });
    await runs.claim(id, { agent: 'one', from: 0 });
    await runs.append(id, 1, [], { steps: [], images: [pushed('3', 'c')] });
    expect(await imageWatch.pusherOf(imageTag('app', '1'), digestOf('a'))).toEqual({ run: 'ra002', task: 'web' });
    expect(await imageWatch.pusherOf(imageTag('app', '3'), digestOf('c'))).toEqual({ run: 'ra003', task: '' });
    expect(await imageWatch.pusherOf(imageTag('app', '2'), digestOf('a'))).toBeUndefined();
    expect(await imageWatch.pusherOf(imageTag('app', '1', 'docker.io'), digestOf('a'))).toBeUndefined();
    await runs.delete('ra002');
    expect(await imageWatch.pusherOf(imageTag('app', '1'), digestOf('a'))).toEqual({ run: 'ra001', task: 'app' });
  });
}
