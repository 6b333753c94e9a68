import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../src/model/run-record.ts';
import { startRegistry, type TestRegistry } from '../../support/registry-server.ts';
import { base, type ImageRig, imagePusher, openRig, type Pushed } from './support.ts';

let registry: TestRegistry;
let push: ReturnType<typeof imagePusher>;
let numbers = 0;
beforeAll(async () => {
  registry = await startRegistry();
  push = imagePusher(registry.host);
});
afterAll(() => registry[Symbol.asyncDispose]());

/** Repositories of one test, and what is in them now. */
function images() {
  numbers += 1;
  const prefix = `test${numbers}`;
  const now = new Map<string, Pushed>();
  const reference = (name: string): string => `${registry.host}/${prefix}/${name}:1`;
  return {
    reference,
    push: async (name: string, content: string): Promise<Pushed> => {
      const pushed = await push.single(`${prefix}/${name}`, '1', `${prefix} ${name} ${content}`);
      now.set(name, pushed);
      return pushed;
    },
    bases: (names: readonly string[]) => names.map((name) => base(reference(name), now.get(name) ?? { digest: '', platforms: {} })),
    digest: (name: string): string => now.get(name)?.digest ?? '',
  };
}

type Images = ReturnType<typeof images>;

/** A run, which builds on images as they are now and pushes its own. */
async function rebuild(rig: ImageRig, run: RunRecord | undefined, made: Images, from: readonly string[], content: string): Promise<void> {
  if (run?.request.task === undefined) throw new Error('no run');
  const name = run.request.task;
  await made.push(name, content);
  await rig.build(run, { bases: made.bases(from), pushed: [{ reference: made.reference(name), digest: made.digest(name) }] });
  await rig.settle();
}

/** Every task is built once, in this order, and everything was looked at. */
async function firstBuilds(rig: ImageRig, made: Images, tasks: Readonly<Record<string, readonly string[]>>): Promise<void> {
  for (const name of Object.keys(tasks)) await rig.define(name);
  await rig.start();
  for (const [name, from] of Object.entries(tasks)) {
    await made.push(name, 'first');
    const task = await rig.store.tasks.get(name);
    if (task === undefined) throw new Error(name);
    await rig.build(task, { bases: made.bases(from), pushed: [{ reference: made.reference(name), digest: made.digest(name) }] });
    await rig.settle();
  }
  for (const names of Object.values(tasks)) for (const name of names) await rig.look(made.reference(name));
  expect(await rig.live()).toEqual([]);
}

const byTask = async (rig: ImageRig): Promise<Readonly<Record<string, RunRecord>>> =>
  Object.fromEntries((await rig.live()).map((run) => [run.request.task ?? '', run]));

describe('cascades', () => {
  it('rebuilds a diamond once, in order, and tells the whole chain', async () => {
    await using rig = await openRig();
    const made = images();
    await made.push('root', 'first');
    await firstBuilds(rig, made, { left: ['root'], right: ['root'], top: ['left', 'right'] });
    await made.push('root', 'second');
    await rig.look(made.reference('root'));
    const wave = await byTask(rig);
    expect(Object.keys(wave).sort()).toEqual(['left', 'right']);
    await rebuild(rig, wave['left'], made, ['root'], 'second');
    const afterLeft = await byTask(rig);
    expect(Object.keys(afterLeft).sort()).toEqual(['right', 'top']);
    expect(afterLeft['top']?.hold?.runs).toEqual([wave['right']?.id]);
    expect((await rig.decisions('top'))[0]).toMatchObject({ outcome: 'run', code: 'waits-for-base' });
    await rebuild(rig, wave['right'], made, ['root'], 'second');
    const { top, ...others } = await byTask(rig);
    expect(others).toEqual({});
    expect(top?.id).toBe(afterLeft['top']?.id);
    expect(top?.hold).toBeUndefined();
    expect(top?.request.causes).toMatchObject([
      {
        kind: 'image-update',
        task: 'right',
        run: wave['right']?.id,
        images: [{ digest: made.digest('left') }, { digest: made.digest('right') }],
      },
      { kind: 'image-update', images: [{ digest: made.digest('root') }] },
    ]);
    await rebuild(rig, top, made, ['left', 'right'], 'second');
    expect(await rig.live()).toEqual([]);
    expect(rig.problems).toEqual([]);
  });

  it('holds who builds on the image itself and on what others make of it, also over several of them', async () => {
    await using rig = await openRig();
    const made = images();
    await made.push('root', 'first');
    await firstBuilds(rig, made, { middle: ['root'], upper: ['middle'], top: ['root', 'upper'] });
    await made.push('root', 'second');
    await rig.look(made.reference('root'));
    const first = await byTask(rig);
    expect(Object.keys(first).sort()).toEqual(['middle', 'top']);
    expect(first['top']?.hold?.runs).toEqual([first['middle']?.id]);
    await rebuild(rig, first['middle'], made, ['root'], 'second');
    const second = await byTask(rig);
    expect(Object.keys(second).sort()).toEqual(['top', 'upper']);
    expect(second['top']?.hold?.runs).toEqual([second['upper']?.id]);
    await rebuild(rig, second['upper'], made, ['middle'], 'second');
    const third = await byTask(rig);
    expect(Object.keys(third)).toEqual(['top']);
    expect(third['top']?.id).toBe(first['top']?.id);
    expect(third['top']?.hold).toBeUndefined();
    expect(rig.problems).toEqual([]);
  });

  it('goes on without a rebuild that fails, and stops where a rebuild changes nothing', async () => {
    await using rig = await openRig();
    const made = images();
    await made.push('root', 'first');
    await firstBuilds(rig, made, { middle: ['root'], top: ['root', 'middle'], beside: ['middle'] });
    await made.push('root', 'second');
    await rig.look(made.reference('root'));
    const { middle, top } = await byTask(rig);
    expect(top?.hold?.runs).toEqual([middle?.id]);
    if (middle === undefined || top === undefined) throw new Error('no runs');
    await rig.build(middle, { bases: made.bases(['root']), status: 'Failed' });
    await rig.settle();
    const left = await byTask(rig);
    expect(Object.keys(left)).toEqual(['top']);
    expect(left['top']?.hold).toBeUndefined();
    await rebuild(rig, left['top'], made, ['root', 'middle'], 'second');
    await made.push('root', 'third');
    await rig.look(made.reference('root'));
    await rebuild(rig, (await byTask(rig))['middle'], made, ['root'], 'first');
    expect(Object.keys(await byTask(rig))).toEqual(['top']);
    expect(rig.problems).toEqual([]);
  });

  it('refuses a task that builds on its own image, and a longer way round, and names the cycle', async () => {
    await using rig = await openRig();
    const made = images();
    await made.push('self', 'zero');
    await made.push('ping', 'zero');
    await made.push('pong', 'zero');
    for (const name of ['self', 'ping', 'pong']) await rig.define(name);
    await rig.start();
    for (const [name, from] of [
      ['self', 'self'],
      ['ping', 'pong'],
      ['pong', 'ping'],
    ] as const) {
      const task = await rig.store.tasks.get(name);
      if (task === undefined) throw new Error(name);
      await rig.build(task, { bases: made.bases([from]), pushed: [] });
    }
    await rig.settle();
    for (const name of ['self', 'ping', 'pong']) await rig.look(made.reference(name));
    const self = await rig.store.tasks.get('self');
    if (self === undefined) throw new Error('self');
    const bases = made.bases(['self']);
    await made.push('self', 'one');
    await rig.build(self, { bases, pushed: [{ reference: made.reference('self'), digest: made.digest('self') }] });
    await rig.settle();
    expect(await rig.live()).toEqual([]);
    expect((await rig.decisions('self'))[0]).toMatchObject({ code: 'already-in-chain' });
    expect((await rig.decisions('self'))[0]?.because).toContain('self → self');
    await made.push('ping', 'one');
    await rig.look(made.reference('ping'));
    await rebuild(rig, (await byTask(rig))['pong'], made, ['ping'], 'one');
    await rebuild(rig, (await byTask(rig))['ping'], made, ['pong'], 'two');
    expect(await rig.live()).toEqual([]);
    expect((await rig.decisions('pong'))[0]?.because).toContain('pong → ping → pong');
    expect(rig.problems).toEqual([]);
  });

  it('ends at ten runs that follow one another', async () => {
    await using rig = await openRig();
    const made = images();
    await made.push('t0', 'first');
    const tasks = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`t${at + 1}`, [`t${at}`]]));
    await firstBuilds(rig, made, tasks);
    await made.push('t0', 'second');
    await rig.look(made.reference('t0'));
    let rebuilt = 0;
    for (let run = (await rig.live())[0]; run !== undefined; run = (await rig.live())[0]) {
      rebuilt += 1;
      const name = run.request.task ?? '';
      await rebuild(rig, run, made, tasks[name] ?? [], 'second');
    }
    expect(rebuilt).toBe(10);
    expect((await rig.decisions('t11'))[0]).toMatchObject({ code: 'chain-too-long' });
    expect(rig.problems).toEqual([]);
  });
});
