import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/model/engine-error.ts';
import { shortDigest } from '../../../src/util/short-digest.ts';
import { startRegistry, type TestRegistry } from '../../support/registry-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { base, type ImageRig, imagePusher, missingBase, openRig } from './support.ts';

let registry: TestRegistry;
let push: ReturnType<typeof imagePusher>;
let numbers = 0;
beforeAll(async () => {
  registry = await startRegistry();
  push = imagePusher(registry.host);
});
afterAll(() => registry[Symbol.asyncDispose]());

/** A repository that no other test uses. */
function repository(): string {
  numbers += 1;
  return `team/image${numbers}`;
}

describe('one task on one image', () => {
  it('is rebuilt once when its base image is pushed anew, however often that is told', async () => {
    await using rig = await openRig();
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const first = await push.single(name, '1', 'one');
    const task = await rig.define('app');
    await rig.start();
    const built = await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    expect(await rig.targets()).toMatchObject([{ image: { registry: registry.host, repository: name, tag: '1' } }]);
    await rig.look(reference);
    expect(await rig.live()).toEqual([]);
    const second = await push.single(name, '1', 'two');
    await rig.look(reference);
    const [run, ...others] = await rig.live();
    expect(others).toEqual([]);
    expect(run?.request).toMatchObject({ task: 'app', priority: -100, background: true, runType: 'AutoBuild' });
    expect(run?.request.causes).toMatchObject([
      { kind: 'image-update', trigger: 'base', images: [{ registry: registry.host, repository: name, tag: '1', digest: second.digest }] },
    ]);
    const [decision] = await rig.decisions('app');
    expect(decision).toMatchObject({ outcome: 'run', code: 'fired', run: run?.id });
    expect(decision?.because).toContain(
      `is now ${shortDigest(second.digest)} for linux/amd64; the last successful build used ${shortDigest(first.digest)}`,
    );
    expect(built.id).not.toBe(run?.id);
    await rig.look(reference);
    await rig.look(reference);
    expect(await rig.live()).toHaveLength(1);
    if (run !== undefined) await rig.build(run, { bases: [base(reference, second)] });
    await rig.look(reference);
    expect(await rig.live()).toEqual([]);
    expect(rig.problems).toEqual([]);
  });

  it('is not started again for a digest that its build failed with, but for the next one', async () => {
    await using rig = await openRig();
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const first = await push.single(name, '1', 'one');
    const task = await rig.define('app');
    await rig.start();
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    const second = await push.single(name, '1', 'two');
    await rig.look(reference);
    const [run] = await rig.live();
    if (run === undefined) throw new Error('no run');
    await rig.build(run, { bases: [base(reference, second)], status: 'Failed' });
    await rig.settle();
    await rig.look(reference);
    expect(await rig.live()).toEqual([]);
    await push.single(name, '1', 'three');
    await rig.look(reference);
    expect(await rig.live()).toHaveLength(1);
    expect(rig.problems).toEqual([]);
  });

  it('of several pushes in a row makes one run, which tells what the last build used', async () => {
    await using rig = await openRig({ windowSeconds: 3600 });
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const used = await push.single(name, '1', 'one');
    const task = await rig.define('app');
    await rig.start();
    await rig.build(task, { bases: [base(reference, used)] });
    await rig.settle();
    await rig.look(reference);
    await push.single(name, '1', 'two');
    await rig.look(reference);
    const last = await push.single(name, '1', 'three');
    await rig.look(reference);
    const [run, ...others] = await rig.live();
    expect(others).toEqual([]);
    expect(run?.request.causes).toMatchObject([{ images: [{ digest: last.digest, before: used.digest }] }]);
    const { chain } = await rig.service.explainRun(run?.id ?? '');
    expect(chain[0]?.summary).toBe(`${reference} has a new digest: ${shortDigest(used.digest)} → ${shortDigest(last.digest)}`);
  });
});

describe('what counts as an update', () => {
  it('is the manifest of the platform, not another platform or an attestation', async () => {
    await using rig = await openRig();
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const first = await push.index(name, '1', { 'linux/amd64': 'amd one', 'linux/arm64': 'arm one' }, 'proof one');
    const byPlatform = await rig.define('by-platform');
    const byIndex = await rig.define('by-index', { trigger: { trackIndex: true } });
    await rig.start();
    await rig.build(byPlatform, { bases: [base(reference, first)] });
    await rig.build(byIndex, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    const attested = await push.index(name, '1', { 'linux/amd64': 'amd one', 'linux/arm64': 'arm two' }, 'proof two');
    expect(attested.digest).not.toBe(first.digest);
    await rig.look(reference);
    expect((await rig.live()).map(({ request }) => request.task)).toEqual(['by-index']);
    expect((await rig.decisions('by-platform')).map(({ code }) => code)).toEqual(['same-digest', 'same-digest']);
    const patched = await push.index(name, '1', { 'linux/amd64': 'amd two', 'linux/arm64': 'arm two' }, 'proof three');
    await rig.look(reference);
    expect((await rig.live()).map(({ request }) => request.task)).toEqual(['by-index', 'by-platform']);
    expect((await rig.decisions('by-platform'))[0]?.because).toContain(shortDigest(patched.platforms['linux/amd64'] ?? ''));
    await push.index(name, '1', { 'linux/arm64': 'arm two' }, 'proof four');
    await rig.look(reference);
    expect((await rig.decisions('by-platform'))[0]).toMatchObject({ code: 'unreachable' });
    expect(rig.problems).toEqual([]);
  });

  it('is news again when an image comes back to what it was', async () => {
    await using rig = await openRig();
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const task = await rig.define('app');
    await rig.start();
    const first = await push.single(name, '1', 'one');
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    for (const content of ['two', 'one', 'two', 'one']) {
      const pushed = await push.single(name, '1', content);
      await rig.look(reference);
      const [run] = await rig.live();
      if (run === undefined) throw new Error(`no run for ${content}`);
      await rig.build(run, { bases: [base(reference, pushed)] });
      await rig.settle();
    }
    expect(rig.problems).toEqual([]);
  });

  it('is not started for ever when a build does not get the digest that it is for', async () => {
    await using rig = await openRig();
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const task = await rig.define('app');
    await rig.start();
    const first = await push.single(name, '1', 'one');
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    await push.single(name, '1', 'two');
    await rig.look(reference);
    const [run] = await rig.live();
    if (run === undefined) throw new Error('no run');
    // A mirror that lags behind.
    await rig.build(run, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    expect(await rig.live()).toEqual([]);
    expect((await rig.decisions('app'))[0]).toMatchObject({ code: 'already-fired', run: run.id });
  });

  it('needs no first build: files are enough, from the second look on', async () => {
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const image = { registry: registry.host, repository: name, tag: '1' };
    const dependency = { step: 'build', platform: 'linux/amd64', image, written: reference, role: 'runtime' } as const;
    await using rig = await openRig({ analyse: () => ({ dependencies: [dependency], outputs: [], steps: ['build'] }) });
    await push.index(name, '1', { 'linux/amd64': 'one' }, 'proof one');
    await rig.define('app');
    await rig.start();
    await rig.look(reference);
    expect(await rig.decisions('app')).toEqual([
      expect.objectContaining({ trigger: 'base', outcome: 'skipped', code: 'first-sight', because: expect.stringContaining(reference) }),
    ]);
    await rig.define('other');
    await rig.service.taskChanged('other');
    await rig.settle();
    expect((await rig.decisions('other')).map(({ code }) => code)).toEqual(['first-sight']);
    await rig.service.taskChanged('other');
    await rig.settle();
    expect(await rig.decisions('other')).toHaveLength(1);
    await rig.store.tasks.delete('other', {});
    await rig.service.taskChanged('other');
    await push.index(name, '1', { 'linux/amd64': 'one' }, 'proof two');
    await rig.look(reference);
    expect(await rig.live()).toEqual([]);
    await push.index(name, '1', { 'linux/amd64': 'two' }, 'proof two');
    await rig.look(reference);
    expect(await rig.live()).toHaveLength(1);
    expect((await rig.decisions('app'))[0]?.because).toContain('the task was never built');
  });
});

describe('who is rebuilt', () => {
  it('leaves out what is disabled, not in scope, or by digest', async () => {
    await using rig = await openRig();
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const first = await push.single(name, '1', 'one');
    const pinned = `${reference}@${first.digest}`;
    const tasks = {
      runtime: await rig.define('runtime'),
      all: await rig.define('all', { trigger: { baseImageTriggerType: 'All' } }),
      builder: await rig.define('builder'),
      disabled: await rig.define('disabled', { status: 'Disabled' }),
      paused: await rig.define('paused', { trigger: { status: 'Disabled' } }),
      pinned: await rig.define('pinned'),
    };
    await rig.start();
    await rig.build(tasks.runtime, { bases: [base(reference, first)] });
    await rig.build(tasks.all, { bases: [base(reference, first, { role: 'buildtime' })] });
    await rig.build(tasks.builder, { bases: [base(reference, first, { role: 'buildtime' })] });
    await rig.build(tasks.disabled, { bases: [base(reference, first)] });
    await rig.build(tasks.paused, { bases: [base(reference, first)] });
    await rig.build(tasks.pinned, { bases: [base(pinned, first)] });
    await rig.settle();
    await rig.look(reference);
    await push.single(name, '1', 'two');
    await rig.look(reference);
    expect((await rig.live()).map(({ request }) => request.task).sort()).toEqual(['all', 'runtime']);
    expect((await rig.decisions('builder'))[0]).toMatchObject({ code: 'not-in-scope' });
    expect((await rig.decisions('disabled'))[0]).toMatchObject({ code: 'task-disabled' });
    expect((await rig.decisions('paused'))[0]).toMatchObject({ code: 'trigger-disabled' });
    expect(await rig.decisions('pinned')).toEqual([]);
  });

  it('builds what was missed when a trigger is enabled again, and forgets a task that is deleted', async () => {
    await using rig = await openRig();
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const first = await push.single(name, '1', 'one');
    const other = await rig.define('other');
    const paused = await rig.define('paused', { trigger: { status: 'Disabled' } });
    await rig.start();
    await rig.build(other, { bases: [base(reference, first)] });
    await rig.build(paused, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    await push.single(name, '1', 'two');
    await rig.look(reference);
    const { trigger } = other.definition;
    const enabled = await rig.store.tasks.replace({ ...paused.definition, ...(trigger === undefined ? {} : { trigger }) }, {});
    if (!enabled.ok) throw new Error(enabled.because);
    await rig.images.taskChanged('paused', enabled.value);
    await rig.settle();
    expect((await rig.live()).map(({ request }) => request.task)).toEqual(['other', 'paused']);
    await rig.store.tasks.delete('other', {});
    await rig.images.taskChanged('other', undefined);
    expect(await rig.targets()).toHaveLength(1);
    await rig.store.tasks.delete('paused', {});
    await rig.images.taskChanged('paused', undefined);
    expect(await rig.targets()).toEqual([]);
    await rig.look(reference);
    expect(rig.problems).toEqual([]);
  });

  it('says that nobody follows a tag', async () => {
    await using rig = await openRig();
    await rig.start();
    await rig.look('registry.example/none:1');
    const [event] = await rig.events();
    expect(await rig.store.events.decisions({ event: event?.id ?? '', limit: 5 })).toMatchObject([{ code: 'no-trigger' }]);
  });
});

describe('runs that are there already', () => {
  it('takes several updates into one run while it waits', async () => {
    await using rig = await openRig({ windowSeconds: 600 });
    const [one, other] = [repository(), repository()];
    const references = [`${registry.host}/${one}:1`, `${registry.host}/${other}:1`] as const;
    const first = [await push.single(one, '1', 'one'), await push.single(other, '1', 'other one')] as const;
    const task = await rig.define('app');
    await rig.start();
    await rig.build(task, { bases: [base(references[0], first[0]), base(references[1], first[1])] });
    await rig.settle();
    for (const reference of references) await rig.look(reference);
    const newer = [await push.single(one, '1', 'two'), await push.single(other, '1', 'other two')] as const;
    for (const reference of references) await rig.look(reference);
    const newest = await push.single(one, '1', 'three');
    await rig.look(references[0]);
    const [run, ...others] = await rig.live();
    expect(others).toEqual([]);
    expect(run?.hold?.until).toBeDefined();
    const [cause] = run?.request.causes ?? [];
    expect(cause).toMatchObject({ kind: 'image-update' });
    expect(new Set(cause?.kind === 'image-update' ? cause.images.map(({ digest }) => digest) : [])).toEqual(
      new Set([newest.digest, newer[1].digest]),
    );
    expect((await rig.decisions('app')).map(({ code }) => code)).toEqual(['joined', 'joined', 'fired', 'same-digest', 'same-digest']);
  });

  it('follows a run that began before the update, and not one that began with it', async () => {
    await using rig = await openRig();
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const task = await rig.define('app');
    await rig.start();
    const first = await push.single(name, '1', 'one');
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    const second = await push.single(name, '1', 'two');
    await rig.look(reference);
    const [early] = await rig.live();
    if (early === undefined) throw new Error('no run');
    await rig.begin(early, [base(reference, second)]);
    const third = await push.single(name, '1', 'three');
    await rig.look(reference);
    const [, late, ...others] = await rig.live();
    expect(others).toEqual([]);
    if (late === undefined) throw new Error('no run that follows');
    await rig.begin(late, [base(reference, third)]);
    // The same again, by another way.
    const happening = (await rig.events()).find((event) => event.happening.kind === 'image-changed')?.happening;
    if (happening === undefined) throw new Error('no event');
    await rig.store.events.record([{ dedupKey: 'again', origin: 'replay', happening }]);
    rig.service.notify();
    await rig.settle();
    expect(await rig.live()).toHaveLength(2);
    expect((await rig.decisions('app'))[0]).toMatchObject({ code: 'same-digest', run: late.id });
  });
});

describe('a run that waits for what another has built with meanwhile', () => {
  /** A task that was built, and a run that waits to build it with the second base image. */
  async function waiting(rig: ImageRig) {
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const first = await push.single(name, '1', 'one');
    const task = await rig.define('app');
    await rig.start();
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    const second = await push.single(name, '1', 'two');
    await rig.look(reference);
    const [run, ...others] = await rig.live();
    if (run === undefined) throw new Error('no run');
    expect(others).toEqual([]);
    return { task, run, first: [base(reference, first)], second: [base(reference, second)] };
  }

  it('is dropped, and says so', async () => {
    await using rig = await openRig({ windowSeconds: 600 });
    const { task, run, second } = await waiting(rig);
    const other = await rig.build(task, { bases: second });
    await rig.settle();
    expect(await rig.live()).toEqual([]);
    expect(await rig.store.runs.get(run.id)).toMatchObject({ status: 'Canceled', attempt: 0 });
    const [decision] = await rig.decisions('app');
    expect(decision).toMatchObject({ outcome: 'skipped', code: 'superseded', trigger: 'base', run: run.id });
    expect(decision?.because).toContain(`run ${other.id} has built with it, so ${run.id} was canceled`);
    expect(rig.problems).toEqual([]);
  });

  it('is kept when the other one failed, or used another digest', async () => {
    await using rig = await openRig({ windowSeconds: 600 });
    const { task, run, first, second } = await waiting(rig);
    await rig.build(task, { bases: second, status: 'Failed' });
    await rig.build(task, { bases: first });
    await rig.settle();
    expect((await rig.live()).map(({ id }) => id)).toEqual([run.id]);
  });

  it('is kept when an agent had it before, or the other one built another context', async () => {
    await using rig = await openRig();
    const { task, run, second } = await waiting(rig);
    const elsewhere = {
      ...task,
      definition: { ...task.definition, step: { ...task.definition.step, contextPath: 'https://git.example/app.git#topic' } },
    };
    await rig.build(elsewhere, { bases: second });
    await rig.settle();
    expect((await rig.live()).map(({ id }) => id)).toEqual([run.id]);
    const claimed = await rig.store.runs.claim(run.id, { agent: 'test-agent', from: 0 });
    await rig.store.runs.release(run.id, claimed?.attempt ?? 0);
    await rig.build(task, { bases: second });
    await rig.settle();
    expect((await rig.live()).map(({ id, status }) => [id, status])).toEqual([[run.id, 'Queued']]);
  });
});

describe('endpoints', () => {
  it('are told instead of a run, once for each digest, and again when they did not answer', async () => {
    const posts: { readonly url: string; readonly body: unknown }[] = [];
    let broken = true;
    const post = async (url: string, body: unknown): Promise<void> => {
      if (broken) throw new EngineError('forge-failed', 'no answer', { transient: true });
      posts.push({ url, body });
    };
    await using rig = await openRig({ post });
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const endpoint = { updateTriggerEndpoint: { secret: 'endpoint' } };
    const whole = await rig.define('whole', { trigger: endpoint });
    const token = await rig.define('token', { trigger: { ...endpoint, updateTriggerPayloadType: 'Token' } });
    await rig.start();
    const first = await push.single(name, '1', 'one');
    for (const task of [whole, token]) await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    const second = await push.single(name, '1', 'two');
    await rig.look(reference);
    expect(posts).toEqual([]);
    broken = false;
    await waitFor(async () => {
      await rig.settle();
      return posts.length === 2 ? true : undefined;
    });
    expect(await rig.live()).toEqual([]);
    const [{ body } = { body: undefined }] = posts.filter((one) => JSON.stringify(one.body).includes('whole'));
    expect(body).toMatchObject({ task: 'whole', action: 'base-image-update', imageUpdateTrigger: { images: [{ digest: second.digest }] } });
    expect(posts.map((one) => Object.keys(Object(one.body)).sort())).toContainEqual(['id', 'task']);
    await rig.images.taskChanged('whole', whole);
    await rig.look(reference);
    expect(posts).toHaveLength(2);
    expect((await rig.decisions('whole'))[0]).toMatchObject({ code: 'already-fired' });
    expect(rig.problems).toEqual([]);
  });
});

describe('an image that was not there', () => {
  it('runs the task whose first build failed for want of it, once, and says why it runs no other', async () => {
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const image = { registry: registry.host, repository: name, tag: '1' };
    const analyse = () => ({
      dependencies: [{ step: 'build', platform: 'linux/amd64', image, written: reference, role: 'runtime' as const }],
      outputs: [],
      steps: ['build'],
    });
    await using rig = await openRig({ analyse });
    const waiting = await rig.define('waiting');
    await rig.define('never-ran');
    const broken = await rig.define('broken');
    await rig.start();
    await rig.look(reference);
    expect(await rig.targets()).toMatchObject([{ status: 'missing' }]);
    const failed = await rig.build(waiting, { bases: [missingBase(reference)], status: 'Failed' });
    await rig.build(broken, { status: 'Failed' });
    await rig.settle();
    const there = await push.single(name, '1', 'one');
    await rig.look(reference);
    await rig.look(reference);
    const [run, ...others] = await rig.live();
    expect([run?.request.task, others]).toEqual(['waiting', []]);
    const decisions = await rig.decisions('waiting');
    expect(decisions).toMatchObject([{ code: 'fired', because: expect.stringContaining(`run ${failed.id} failed, as it was not there`) }]);
    for (const task of ['never-ran', 'broken']) expect((await rig.decisions(task)).map(({ code }) => code)).toEqual(['first-sight']);
    if (run !== undefined) await rig.build(run, { bases: [base(reference, there)] });
    await rig.look(reference);
    expect(await rig.live()).toEqual([]);
    expect(rig.problems).toEqual([]);
  });
});

describe('restarts', () => {
  it('finds what was pushed while the daemon was down, and what it had begun to decide on', async () => {
    await using first = await openRig();
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const one = await push.single(name, '1', 'one');
    const task = await first.define('app');
    await first.start();
    await first.build(task, { bases: [base(reference, one)] });
    await first.settle();
    await first.look(reference);
    await first.stop();
    // The change is recorded, and the process ends before it is decided on.
    await push.single(name, '1', 'two');
    await using looker = await openRig({ directory: first.directory });
    await looker.images.check(task);
    expect(await looker.targets()).toMatchObject([{ indexDigest: one.digest }]);
    await looker.images.start();
    await looker.images.check(task);
    expect((await looker.targets())[0]?.indexDigest).not.toBe(one.digest);
    expect(await looker.events()).toContainEqual(expect.objectContaining({ status: 'pending' }));
    expect(await looker.live()).toEqual([]);
    await looker.stop();
    await using second = await openRig({ directory: first.directory });
    await second.start();
    expect(await second.live()).toHaveLength(1);
    await second.stop();
    await using third = await openRig({ directory: first.directory });
    await third.start();
    await third.look(reference);
    expect(await third.live()).toHaveLength(1);
    expect([...first.problems, ...second.problems, ...third.problems]).toEqual([]);
  });

  it('goes on after an event that was decided on in part, with one run for each task', async () => {
    let left = 17;
    const beforeFire = (): void => {
      left -= 1;
      if (left === 0) throw new EngineError('queue-full', 'the queue is full', { transient: true });
    };
    await using rig = await openRig({ beforeFire });
    const name = repository();
    const reference = `${registry.host}/${name}:1`;
    const first = await push.single(name, '1', 'one');
    const tasks = await Promise.all(Array.from({ length: 40 }, (_, number) => rig.define(`task-${number}`)));
    await rig.start();
    for (const task of tasks) await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    await push.single(name, '1', 'two');
    await rig.look(reference);
    await waitFor(async () => {
      await rig.settle();
      return (await rig.events()).every(({ status }) => status === 'settled') ? true : undefined;
    });
    const live = await rig.live();
    expect(new Set(live.map(({ request }) => request.task)).size).toBe(40);
    expect(live).toHaveLength(40);
    for (const { definition } of tasks) {
      const codes = (await rig.decisions(definition.name)).map(({ code }) => code);
      expect(codes.filter((code) => code !== 'same-digest')).toEqual(['fired']);
    }
    expect(rig.problems).toEqual([]);
  });
});
