import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import type { BuildInputsRequest } from '../../src/model/ports/build-inputs.ts';
import { build, cmd, push } from './plans.ts';
import { BASE, createInputs, startRun } from './rig.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('build', () => {
  test('reads its inputs, tells the base images, builds and tells the image', async () => {
    const rig = startRun([build('b', { spec: { tags: ['app:1'] } })]);
    const result = await rig.result;
    expect(rig.events.map((event) => event.type)).toEqual([
      'run-started',
      'step-started',
      'base-images',
      'build-progress',
      'build-progress',
      'step-output',
      'image-built',
      'step-finished',
      'run-finished',
    ]);
    expect(result.built).toEqual([{ step: 'b', id: expect.stringMatching(/^sha256:/), tags: ['app:1'] }]);
    expect(result.baseImages).toEqual([{ ...BASE, step: 'b' }]);
  });

  test('an instruction that fails is a failure, a context that cannot be fetched an error', async () => {
    const rig = startRun([build('b')]);
    rig.engine.scripts.build.set('b', { ok: false, message: 'RUN make: exit code 2', canceled: false });
    expect(await rig.result).toMatchObject({ status: 'Failed', failure: { message: 'RUN make: exit code 2' } });
    const inputs = { prepare: () => Promise.reject(new EngineError('context-failed', 'no such branch')) };
    const other = startRun([build('b')], { deps: { inputs } });
    expect(await other.result).toMatchObject({ status: 'Error', failure: { message: 'no such branch', errorCode: 'context-failed' } });
  });

  test('retries build again from the same inputs, which are given back once', async () => {
    const requests: BuildInputsRequest[] = [];
    let disposed = 0;
    const dispose = async (): Promise<void> => {
      disposed += 1;
    };
    const rig = startRun([build('b', { retries: 2, retryDelayMs: 100 })], { deps: { inputs: createInputs(requests, { dispose }) } });
    rig.engine.scripts.build.set('b', { ok: false, message: 'no', canceled: false }, { ok: true, imageId: 'sha256:1' });
    await rig.until({ type: 'step-retrying' });
    await rig.clock.advance(100);
    expect((await rig.result).status).toBe('Succeeded');
    expect(rig.engine.calls.filter((call) => call.startsWith('build'))).toEqual(['build b#1', 'build b#2']);
    expect(requests).toHaveLength(1);
    expect(disposed).toBe(1);
  });

  test('inputs have a limit of their own; the timeout is that of the build', async () => {
    const stuck = {
      prepare: ({ signal }: BuildInputsRequest) =>
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })),
    };
    const rig = startRun([build('b', { timeoutMs: 1_000 })], { deps: { inputs: stuck } });
    await rig.clock.sleeping();
    await rig.clock.advance(899_999);
    expect(rig.ends()).toEqual([]);
    await rig.clock.advance(1);
    await rig.result;
    expect(rig.ends()).toEqual(['b failed (reading the inputs of the build did not end within 900 s: timed out)']);
    const slow = startRun([build('b', { timeoutMs: 1_000 })]);
    slow.engine.scripts.build.set('b', 'hold');
    await slow.until({ type: 'base-images' });
    await slow.clock.sleeping();
    await slow.clock.advance(1_000);
    await slow.result;
    expect(slow.ends()).toEqual(['b failed (the build did not end within 1 s: timed out)']);
  });

  test('reads the seed while no command can have changed the workspace, else the volume', async () => {
    const rig = startRun([build('first'), cmd('c', { needs: ['first'] }), build('second', { needs: ['c'] })]);
    rig.engine.workspaceFiles.set('/workspace/Dockerfile', Buffer.from('FROM x'));
    await rig.result;
    const [first, second] = rig.inputRequests;
    expect(first?.workspace).toEqual({ kind: 'directory', path: '/seed' });
    expect(second?.workspace.kind).toBe('workspace');
    const external = startRun([build('b')], { options: { workspace: { kind: 'external', source: '/home/me' } } });
    await external.result;
    expect(external.inputRequests[0]?.workspace.kind).toBe('workspace');
  });

  test('the platform of the run counts for builds that name none', async () => {
    const rig = startRun([build('a'), build('b', { spec: { platforms: ['linux/386'] } })], { options: { platform: 'linux/arm64' } });
    await rig.result;
    expect(rig.inputRequests.map((request) => request.platform)).toEqual(['linux/arm64', 'linux/arm64']);
    expect(rig.engine.builds.map((request) => request.spec.platforms)).toEqual([['linux/arm64'], ['linux/386']]);
    const plain = startRun([build('a')]);
    await plain.result;
    expect(plain.inputRequests[0]?.platform).toBe('linux/amd64');
  });

  test('a build argument that holds a secret is a warning with its name, once, and never with its value', async () => {
    const spec = {
      buildArgs: [
        'PLAIN=1',
        'URL=https://ann:hunter22@host/x',
        'TOKEN',
        'PLAIN',
        'ABSENT',
        'LAST=hunter22',
        'LAST=none',
        'http_proxy=http://hunter22@p',
      ],
      env: ['TOKEN=s3same=open', 'PLAIN=2'],
    };
    const rig = startRun([build('b', { retries: 1, retryDelayMs: 0, spec })], { secrets: ['hunter22', 's3same=open'] });
    rig.engine.scripts.build.set('b', { ok: false, message: 'no', canceled: false }, { ok: true, imageId: 'sha256:1' });
    expect((await rig.result).status).toBe('Succeeded');
    const notes = rig.events.filter((event) => event.type === 'note');
    expect(notes).toEqual([
      expect.objectContaining({ level: 'warning', step: 'b', message: expect.stringContaining('`--build-arg URL`') }),
      expect.objectContaining({ level: 'warning', step: 'b', message: expect.stringContaining('`--secret id=TOKEN`') }),
    ]);
    expect(JSON.stringify(notes)).not.toMatch(/hunter22|s3same/);
  });

  test('canceled while it reads its inputs: they are given back', async () => {
    let disposed = false;
    const prepared = Promise.withResolvers<void>();
    const base = createInputs([], {
      dispose: async () => {
        disposed = true;
      },
    });
    const inputs = { prepare: (request: BuildInputsRequest) => prepared.promise.then(() => base.prepare(request)) };
    const rig = startRun([build('b')], { deps: { inputs } });
    await rig.until({ type: 'step-started' });
    rig.cancel.abort();
    prepared.resolve();
    expect((await rig.result).status).toBe('Canceled');
    expect(disposed).toBe(true);
    expect(rig.engine.calls.filter((call) => call.startsWith('build'))).toEqual([]);
  });
});

describe('the dependency document', () => {
  test('has an entry per tag, with digests from the pushes', async () => {
    const rig = startRun([build('b', { spec: { tags: ['reg.io/app:1', 'reg.io/app:2'] } }), push('p', ['reg.io/app:1'], { needs: ['b'] })]);
    rig.engine.scripts.push.set('reg.io/app:1', { ok: true, digest: DIGEST });
    const { dependencies } = await rig.result;
    expect(dependencies).toEqual([
      {
        image: { registry: 'reg.io', repository: 'app', tag: '1', digest: DIGEST, reference: 'reg.io/app:1' },
        'runtime-dependency': {
          registry: 'registry.hub.docker.com',
          repository: 'library/node',
          tag: '22',
          digest: BASE.indexDigest,
          reference: 'node:22',
        },
        'buildtime-dependency': null,
        git: { 'git-head-revision': 'abc123' },
      },
      expect.objectContaining({ image: { registry: 'reg.io', repository: 'app', tag: '2', digest: '', reference: 'reg.io/app:2' } }),
    ]);
  });

  test('knows what the engine pushed by another way, and build-time images; without a tag the image is null', async () => {
    const buildtime = { ...BASE, reference: 'golang', role: 'buildtime', indexDigest: '' } as const;
    const inputs = createInputs([], { baseImages: [buildtime, BASE] });
    const rig = startRun([build('b', { spec: { tags: ['reg.io/app:1'] } }), build('untagged', { needs: ['b'] })], { deps: { inputs } });
    await rig.until({ type: 'image-built' });
    rig.engine.images.set('reg.io/app:1', {
      id: 'i',
      tags: [],
      repoDigests: ['other@sha256:1', `reg.io/app@${DIGEST}`],
      os: '',
      architecture: '',
    });
    const { dependencies } = await rig.result;
    expect(dependencies[0]?.image?.digest).toBe(DIGEST);
    expect(dependencies[0]?.['buildtime-dependency']).toEqual([
      { registry: 'registry.hub.docker.com', repository: 'library/golang', tag: 'latest', digest: '', reference: 'golang:latest' },
    ]);
    expect(dependencies[1]?.image).toBeNull();
  });

  test('a digest that cannot be looked up is a warning, not a failure', async () => {
    const rig = startRun([build('b', { spec: { tags: ['app:1'] } })]);
    Object.assign(rig.engine, { findImage: () => Promise.reject(new EngineError('engine-failed', 'gone')) });
    expect(await rig.result).toMatchObject({ status: 'Succeeded', dependencies: [{ image: { digest: '' } }] });
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'note', level: 'warning' }));
  });

  test('leaves out builds that failed', async () => {
    const rig = startRun([build('b', { spec: { tags: ['app:1'] } })]);
    rig.engine.scripts.build.set('b', { ok: false, message: 'no', canceled: false });
    expect((await rig.result).dependencies).toEqual([]);
  });
});
