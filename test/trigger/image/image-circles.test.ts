import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnalysedTask } from '../../../src/model/ports/task-analyser.ts';
import { imageTagOf } from '../../../src/trigger/image/image-tag.ts';
import { startRegistry, type TestRegistry } from '../../support/registry-server.ts';
import { type ImageRig, imagePusher, openRig } from './support.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  const push = imagePusher(registry.host);
  for (const name of ['a', 'b', 'c', 'own', 'elsewhere']) await push.single(name, '1', name);
});
afterAll(() => registry[Symbol.asyncDispose]());

interface Files {
  readonly from: readonly string[];
  readonly pushes: readonly string[];
  readonly error?: string;
}

function tag(name: string) {
  const image = imageTagOf(`${registry.host}/${name}:1`);
  if (image === undefined) throw new Error(name);
  return image;
}

function analysed({ from, pushes, error }: Files): AnalysedTask {
  const dependency = (name: string) => ({
    ...{ step: 'build', platform: 'linux/amd64', image: tag(name), written: `${registry.host}/${name}:1`, role: 'runtime' as const },
  });
  const found = { dependencies: from.map(dependency), outputs: pushes.map(tag), steps: ['build'] };
  return error === undefined ? found : { ...found, error };
}

/** Tasks whose files say what they build on and push, by name. */
async function openFiles(files: Record<string, Files>, directory?: string) {
  const rig = await openRig({
    analyse: ({ definition }) => analysed(files[definition.name] ?? { from: [], pushes: [] }),
    ...(directory === undefined ? {} : { directory }),
  });
  const problem = async (task: string): Promise<string | undefined> =>
    (await rig.service.explainTask(task, 1)).triggers.find(({ kind }) => kind === 'base-image')?.problem;
  return { rig, problem };
}

async function define(rig: ImageRig, name: string): Promise<void> {
  await rig.define(name);
  await rig.service.taskChanged(name);
  await rig.images.analysed();
}

const said = (circle: string): string => `it builds on what it pushes: ${circle}; a run that would close the circle is refused`;

describe('tasks that build on what they push', () => {
  it('have that as a problem once their files are read, until it is no more', async () => {
    const files: Record<string, Files> = {
      ca: { from: ['b'], pushes: ['a'] },
      cb: { from: ['c'], pushes: ['b'] },
      cc: { from: ['a'], pushes: ['c'], error: 'one of its Dockerfiles is not there' },
      beside: { from: ['a'], pushes: ['d'] },
    };
    const { rig, problem } = await openFiles(files);
    await using _ = rig;
    await rig.start();
    for (const name of ['ca', 'cb', 'beside']) await define(rig, name);
    expect(await problem('ca')).toBeUndefined();
    await define(rig, 'cc');
    expect(await problem('ca')).toBe(said('ca → cc → cb → ca'));
    expect(await problem('cb')).toBe(said('cb → ca → cc → cb'));
    expect(await problem('cc')).toBe(`${said('cc → cb → ca → cc')}; one of its Dockerfiles is not there`);
    expect(await problem('beside')).toBeUndefined();

    files['cb'] = { from: ['elsewhere'], pushes: ['b'] };
    const cb = await rig.store.tasks.get('cb');
    if (cb === undefined) throw new Error('no task');
    await rig.store.tasks.replace({ ...cb.definition, priority: 1 }, {});
    await rig.service.taskChanged('cb');
    await rig.images.analysed();
    expect(await problem('ca')).toBeUndefined();
    expect(await problem('cb')).toBeUndefined();
    expect(await problem('cc')).toBe('one of its Dockerfiles is not there');
    expect(rig.problems).toEqual([]);
  });

  it('are known of one task alone, over restarts, and of circles that an earlier version did not look for', async () => {
    const files = { own: { from: ['own'], pushes: ['own'] }, ca: { from: ['b'], pushes: ['a'] }, cb: { from: ['a'], pushes: ['b'] } };
    const first = await openFiles(files);
    await using _ = first.rig;
    await first.rig.start();
    for (const name of Object.keys(files)) await define(first.rig, name);
    expect(await first.problem('own')).toBe(said('own → own'));
    const ca = await first.rig.store.tasks.get('ca');
    if (ca === undefined) throw new Error('no task');
    await first.rig.store.imageWatch.setStatic({ id: ca.id, name: 'ca', version: 1 }, analysed(files.ca));
    await first.rig.stop();
    const second = await openFiles(files, first.rig.directory);
    await using __ = second.rig;
    await second.rig.start();
    await second.rig.images.analysed();
    expect(await second.problem('own')).toBe(said('own → own'));
    expect(await second.problem('ca')).toBe(said('ca → cb → ca'));
  });

  it('have it no more when one of them is deleted or follows no images', async () => {
    const files = { ca: { from: ['b'], pushes: ['a'] }, cb: { from: ['a'], pushes: ['b'] } };
    const { rig, problem } = await openFiles(files);
    await using _ = rig;
    await rig.start();
    for (const name of Object.keys(files)) await define(rig, name);
    const cb = await rig.store.tasks.get('cb');
    if (cb === undefined) throw new Error('no task');
    await rig.store.tasks.replace({ ...cb.definition, status: 'Disabled' }, {});
    await rig.service.taskChanged('cb');
    await rig.images.analysed();
    expect(await problem('ca')).toBeUndefined();
    await rig.store.tasks.replace(cb.definition, {});
    await rig.service.taskChanged('cb');
    await rig.images.analysed();
    expect(await problem('ca')).toBe(said('ca → cb → ca'));
    await rig.store.tasks.delete('cb', {});
    await rig.service.taskChanged('cb');
    await rig.images.analysed();
    expect(await problem('ca')).toBeUndefined();
  });
});
