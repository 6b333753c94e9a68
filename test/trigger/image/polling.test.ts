import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startHttpServer } from '../../support/http-server.ts';
import { digestOf, startRegistry, type TestRegistry } from '../../support/registry-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { base, type ImageRig, imagePusher, openRig } from './support.ts';

let registry: TestRegistry;
let push: ReturnType<typeof imagePusher>;
beforeAll(async () => {
  registry = await startRegistry();
  push = imagePusher(registry.host);
});
afterAll(() => registry[Symbol.asyncDispose]());

/** Many tasks on one image, known from their files. */
async function defineMany(rig: ImageRig, count: number, reference: string): Promise<void> {
  const [host = '', ...rest] = reference.split('/');
  const [repository = '', tag = ''] = rest.join('/').split(':');
  const image = { registry: host, repository, tag };
  for (let number = 0; number < count; number += 1) {
    const { id, version, definition } = await rig.define(`task-${number}`);
    const dependency = { step: 'build', platform: 'linux/amd64', image, written: reference, role: 'runtime' } as const;
    await rig.store.imageWatch.setStatic(
      { id, name: definition.name, version },
      { dependencies: [dependency], outputs: [], steps: ['build'] },
    );
  }
}

const fixed = (rig: ImageRig) =>
  waitFor(async () => {
    const targets = await rig.targets();
    return targets.every(({ status }) => status === 'ok') ? targets : undefined;
  });

describe('asking registries', () => {
  it('asks once for a thousand tasks, in the types that change no digest, and queues them all in seconds', async () => {
    const asked: string[] = [];
    const accepted = new Set<string | undefined>();
    const proxy = await startFaultProxy(registry.host, (call) => {
      if (call.url?.includes('/manifests/') === true) {
        asked.push(`${call.method} ${call.url}`);
        accepted.add(call.headers.accept);
      }
      return undefined;
    });
    await using _ = { [Symbol.asyncDispose]: () => proxy.stop() };
    await using rig = await openRig();
    const reference = `${proxy.host}/storm/base:1`;
    await push.index('storm/base', '1', { 'linux/amd64': 'one' }, 'proof');
    await defineMany(rig, 1000, reference);
    await rig.start();
    await fixed(rig);
    expect(asked.filter((one) => one.startsWith('HEAD'))).toEqual(['HEAD /v2/storm/base/manifests/1']);
    expect(asked.filter((one) => one.startsWith('GET'))).toHaveLength(1);
    expect([...accepted].map((types) => types?.split(', ').sort())).toEqual([
      [
        'application/vnd.docker.distribution.manifest.list.v2+json',
        'application/vnd.docker.distribution.manifest.v2+json',
        'application/vnd.oci.image.index.v1+json',
        'application/vnd.oci.image.manifest.v1+json',
      ],
    ]);
    asked.length = 0;
    await push.index('storm/base', '1', { 'linux/amd64': 'two' }, 'proof');
    const started = performance.now();
    await rig.look(reference);
    const seconds = (performance.now() - started) / 1000;
    expect(asked.filter((one) => one.startsWith('HEAD'))).toHaveLength(1);
    expect(await rig.live()).toHaveLength(1000);
    expect((await rig.live()).every(({ request }) => request.priority === -100 && request.background === true)).toBe(true);
    expect(seconds).toBeLessThan(5);
    await rig.look(reference);
    expect(await rig.live()).toHaveLength(1000);
    expect(rig.problems).toEqual([]);
  }, 120_000);

  it('keeps what it knows of an image whose registry is down or that is gone, says so, and goes on afterwards', async () => {
    let fault: 'down' | 'gone' | undefined;
    const proxy = await startFaultProxy(registry.host, (call) => {
      if (call.url?.includes('/manifests/') !== true || fault === undefined) return undefined;
      return fault === 'down' ? { status: 503 } : { status: 404 };
    });
    await using _ = { [Symbol.asyncDispose]: () => proxy.stop() };
    await using rig = await openRig();
    const reference = `${proxy.host}/fragile/base:1`;
    const first = await push.single('fragile/base', '1', 'one');
    const task = await rig.define('app');
    await rig.start();
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await rig.look(reference);
    fault = 'down';
    await rig.look(reference);
    expect(await rig.targets()).toMatchObject([
      { status: 'unreachable', indexDigest: first.digest, failures: 1, error: expect.stringContaining('503') },
    ]);
    const [told] = (await rig.events()).filter(({ happening }) => happening.kind === 'image');
    expect(await rig.store.events.decisions({ event: told?.id ?? '', limit: 1 })).toMatchObject([{ code: 'unreachable' }]);
    fault = 'gone';
    await rig.look(reference);
    expect(await rig.targets()).toMatchObject([{ status: 'missing', indexDigest: first.digest, failures: 2 }]);
    expect(await rig.live()).toEqual([]);
    fault = undefined;
    await rig.look(reference);
    expect(await rig.targets()).toMatchObject([{ status: 'ok', failures: 0 }]);
    expect(await rig.live()).toEqual([]);
    await push.single('fragile/base', '1', 'two');
    await rig.look(reference);
    expect(await rig.live()).toHaveLength(1);
    expect(rig.problems).toEqual([]);
  });

  it('leaves a registry alone for as long as it asks, for all its images, and others not', async () => {
    const asked: string[] = [];
    const bytes = JSON.stringify({ schemaVersion: 2 });
    await using busy = await startHttpServer((request, response) => {
      if (request.url?.includes('/manifests/') === true) asked.push(request.url);
      response.writeHead(request.url === '/v2/' ? 200 : 429, { 'retry-after': '3600' }).end('{}');
    });
    await using calm = await startHttpServer((_request, response) => {
      const digest = digestOf(Buffer.from(bytes));
      response
        .setHeader('docker-content-digest', digest)
        .setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json')
        .end(bytes);
    });
    const hosts = [`127.0.0.1:${busy.port}`, `127.0.0.1:${calm.port}`];
    await using rig = await openRig({ limits: () => ({ concurrency: 1, perSecond: 1000, burst: 1000 }) });
    for (const [at, host] of hosts.entries()) {
      for (let number = 0; number < 20; number += 1) {
        const { id, version } = await rig.define(`task-${at}-${number}`);
        const image = { registry: host, repository: `image${number}`, tag: '1' };
        const dependency = { step: 'build', platform: 'linux/amd64', image, written: `${host}/image${number}:1`, role: 'runtime' } as const;
        await rig.store.imageWatch.setStatic({ id, name: `task-${at}-${number}`, version }, { dependencies: [dependency], outputs: [] });
      }
    }
    await rig.start();
    const targets = await waitFor(async () => {
      const all = await rig.targets();
      return all.every(({ status }) => status !== 'new') ? all : undefined;
    });
    expect(asked).toHaveLength(1);
    const waiting = targets.filter(({ image }) => image.registry === hosts[0]);
    expect(waiting.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'unreachable'));
    expect(waiting.every(({ nextCheck }) => Date.parse(nextCheck) > Date.now() + 3_000_000)).toBe(true);
    expect(targets.filter(({ status }) => status === 'ok')).toHaveLength(20);
    await rig.look(`${hosts[0]}/image7:1`);
    expect(asked).toHaveLength(1);
  });

  it('follows the newest tag of a pattern, and builds on it', async () => {
    await using rig = await openRig();
    const reference = `${registry.host}/versions/base:1.2-slim`;
    await push.single('versions/base', '1.2.0-slim', 'zero');
    const first = await push.single('versions/base', '1.2.1-slim', 'one');
    await push.single('versions/base', '1.2.9', 'another variant');
    await push.single('versions/base', '1.3.0-slim', 'out of range');
    const tracks = [{ image: `${registry.host}/versions/base`, by: 'semver', pattern: '~1.2' }] as const;
    const task = await rig.define('app', { trigger: { tracks } });
    expect(await rig.images.baseImagesOf(task)).toEqual([]);
    await rig.start();
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await fixed(rig);
    expect(await rig.targets()).toMatchObject([{ pattern: 'semver[slim]:~1.2', newestTag: '1.2.1-slim', indexDigest: first.digest }]);
    expect(await rig.images.baseImagesOf(task)).toEqual([{ reference, use: `${registry.host}/versions/base:1.2.1-slim` }]);
    const newer = await push.single('versions/base', '1.2.10-slim', 'ten');
    await rig.look(`${registry.host}/versions/base:1.2.10-slim`);
    const [run, ...others] = await rig.live();
    expect(others).toEqual([]);
    expect(run?.request.baseImages).toEqual([{ reference, use: `${registry.host}/versions/base:1.2.10-slim` }]);
    expect((await rig.decisions('app'))[0]?.because).toContain('1.2.1-slim before');
    if (run === undefined) throw new Error('no run');
    await rig.build(run, { bases: [base(reference, newer)] });
    await rig.settle();
    await push.single('versions/base', '1.2.11-slim', 'ten');
    await rig.look(`${registry.host}/versions/base:1.2.11-slim`);
    expect(await rig.live()).toEqual([]);
    expect(await rig.images.baseImagesOf(task)).toEqual([{ reference, use: `${registry.host}/versions/base:1.2.11-slim` }]);
    expect(rig.problems).toEqual([]);
  });

  it('has a run that waits build on the newest tag, which came while it waited', async () => {
    await using rig = await openRig({ windowSeconds: 3600 });
    const reference = `${registry.host}/waiting/base:1.2`;
    const at = (tag: string): string => `${registry.host}/waiting/base:${tag}`;
    const first = await push.single('waiting/base', '1.2.1', 'one');
    const tracks = [{ image: `${registry.host}/waiting/base`, by: 'semver', pattern: '~1.2' }] as const;
    const task = await rig.define('app', { trigger: { tracks } });
    await rig.start();
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await fixed(rig);
    for (const tag of ['1.2.2', '1.2.3']) {
      await push.single('waiting/base', tag, tag);
      await rig.look(at(tag));
    }
    const runs = await rig.live();
    expect(runs.map(({ request }) => request.baseImages)).toEqual([[{ reference, use: at('1.2.3') }]]);
    expect((await rig.decisions('app')).map(({ outcome }) => outcome)).toEqual(['joined', 'run', 'skipped']);
  });

  it('has every run of the task build on the newest tag, whatever starts it, and no rebuild follows', async () => {
    await using rig = await openRig();
    const reference = `${registry.host}/whatever/base:1.2`;
    const at = (tag: string): string => `${registry.host}/whatever/base:${tag}`;
    const first = await push.single('whatever/base', '1.2.1', 'one');
    const tracks = [{ image: `${registry.host}/whatever/base`, by: 'semver', pattern: '~1.2' }] as const;
    const other = await rig.define('other');
    const task = await rig.define('app', { trigger: { tracks }, after: 'other' });
    await rig.start();
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    const newer = await push.single('whatever/base', '1.2.2', 'two');
    await rig.look(at('1.2.2'));
    for (const run of await rig.live()) await rig.build(run, { bases: [base(reference, newer)] });
    await rig.settle();
    await rig.build(other);
    await rig.settle();
    const [run] = await rig.live();
    expect(run?.request).toMatchObject({ causes: [{ kind: 'after' }, { kind: 'manual' }], baseImages: [{ reference, use: at('1.2.2') }] });
    if (run !== undefined) await rig.build(run, { bases: [base(reference, newer)] });
    await rig.look(at('1.2.2'));
    expect(await rig.live()).toEqual([]);
  });

  it('looks for newer tags when somebody runs the task; what it finds makes no second run', async () => {
    await using rig = await openRig();
    const reference = `${registry.host}/fresh/base:1.2`;
    const use = `${registry.host}/fresh/base:1.2.2`;
    const first = await push.single('fresh/base', '1.2.1', 'one');
    const tracks = [{ image: `${registry.host}/fresh/base`, by: 'semver', pattern: '~1.2' }] as const;
    const task = await rig.define('app', { trigger: { tracks } });
    await rig.start();
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await fixed(rig);
    const newer = await push.single('fresh/base', '1.2.2', 'two');
    const baseImages = await rig.images.freshBaseImagesOf(task);
    expect(baseImages).toEqual([{ reference, use }]);
    const manual = await rig.order(task, baseImages);
    await rig.settle();
    expect((await rig.live()).map(({ id }) => id)).toEqual([manual.id]);
    expect((await rig.decisions('app'))[0]).toMatchObject({ code: 'same-digest', run: manual.id });
    await rig.build(manual, { bases: [base(reference, newer)] });
    await rig.settle();
    expect(await rig.live()).toEqual([]);
  });

  it('is rebuilt when the run that was to build on a newer tag is canceled', async () => {
    await using rig = await openRig();
    const reference = `${registry.host}/canceled/base:1.2`;
    const first = await push.single('canceled/base', '1.2.1', 'one');
    const tracks = [{ image: `${registry.host}/canceled/base`, by: 'semver', pattern: '~1.2' }] as const;
    const task = await rig.define('app', { trigger: { tracks } });
    await rig.start();
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await fixed(rig);
    await push.single('canceled/base', '1.2.2', 'two');
    const manual = await rig.order(task, await rig.images.freshBaseImagesOf(task));
    await rig.settle();
    await rig.build(manual, { status: 'Canceled' });
    await rig.settle();
    expect((await rig.live()).map(({ request }) => request.causes[0]?.kind)).toEqual(['image-update']);
  });

  it('takes the newest known tag when a registry does not answer, and says so', async () => {
    await using rig = await openRig();
    const own = await startRegistry();
    const reference = `${own.host}/down/base:1.2`;
    const first = await imagePusher(own.host).single('down/base', '1.2.1', 'one');
    const tracks = [{ image: `${own.host}/down/base`, by: 'semver', pattern: '~1.2' }] as const;
    const task = await rig.define('app', { trigger: { tracks } });
    await rig.start();
    await rig.build(task, { bases: [base(reference, first)] });
    await rig.settle();
    await fixed(rig);
    await own[Symbol.asyncDispose]();
    const chosen = [{ reference, use: `${own.host}/down/base:1.2.1`, unchecked: expect.stringContaining(own.host) }];
    expect(await rig.images.freshBaseImagesOf(task)).toEqual(chosen);
  });

  it('says when no tag satisfies a pattern, and when it is none', async () => {
    await using rig = await openRig();
    await push.single('patterns/base', 'latest', 'one');
    const image = `${registry.host}/patterns/base`;
    const first = await push.single('patterns/base', '1', 'one');
    for (const [name, by, pattern] of [
      ['none', 'semver', '~9'],
      ['bad', 'regex', '('],
    ] as const) {
      const task = await rig.define(name, { trigger: { tracks: [{ image, by, pattern }] } });
      await rig.build(task, { bases: [base(`${image}:1`, first)] });
    }
    await rig.start();
    const targets = await waitFor(async () => {
      const all = await rig.targets();
      return all.every(({ status }) => status === 'missing') && all.length === 2 ? all : undefined;
    });
    expect(targets.map(({ error }) => error).sort()).toEqual([
      expect.stringContaining('is no RE2 pattern'),
      expect.stringContaining('satisfies semver:~9'),
    ]);
  });
});
