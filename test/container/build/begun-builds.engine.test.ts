import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createImageBuilder } from '../../../src/container/build/build-image.ts';
import type { EngineTransport } from '../../../src/container/engine-api.ts';
import type { BuildSpec } from '../../../src/model/plan.ts';
import type { BuildProgress } from '../../../src/model/ports/container-engine.ts';
import { BASE, describeDocker, docker, MemoryWorkspace, makeDirectory, makeSpec, removeImage, runInImage } from './build-harness.ts';

const TAG = 'slipway-test/begun:1';
let directory: ReturnType<typeof makeDirectory>;

beforeAll(() => {
  directory = makeDirectory({ content: `content ${randomUUID()}\n`, left: 'out\n', Dockerfile: 'FROM scratch\n' });
});
afterAll(async () => {
  directory.remove();
  await removeImage(TAG);
});

/** A builder of the real engine whose requests are noted, each with whether its connection has ended. */
async function createRig() {
  const sent: string[] = [];
  const ends: Promise<unknown>[] = [];
  const transport: EngineTransport = {
    modem: {
      dial: (options, callback) => {
        const [path = ''] = String('path' in options ? options.path : '').split('?');
        sent.push(path);
        docker.modem.dial(options as Parameters<typeof docker.modem.dial>[0], (error, data) => {
          if (path === '/session' && data !== null) ends.push(once(data as NodeJS.EventEmitter, 'close'));
          callback(error, data);
        });
      },
    },
  };
  return { sent, ends, builder: createImageBuilder(transport, await describeDocker()) };
}

const opened = () => ({ context: { kind: 'directory', path: directory.path } as const, dockerfileName: 'Dockerfile', ignore: ['left'] });

async function buildOn(
  { builder }: Awaited<ReturnType<typeof createRig>>,
  wanted: { readonly spec: BuildSpec; readonly text: string; readonly ignore?: readonly string[]; readonly signal?: AbortSignal },
) {
  const progress: BuildProgress[] = [];
  const { context, dockerfileName, ignore } = opened();
  const outcome = await builder.build(
    {
      step: 'image',
      attempt: 1,
      spec: wanted.spec,
      secrets: new Map(),
      inputs: {
        ...{ context, ignore: wanted.ignore ?? ignore, baseImages: [], gitHead: '', dispose: async () => undefined },
        dockerfile: { name: dockerfileName, text: wanted.text },
      },
    },
    { signal: wanted.signal ?? new AbortController().signal, onOutput: () => undefined, onProgress: (entry) => void progress.push(entry) },
    new MemoryWorkspace().context(),
  );
  return { outcome, progress };
}

const never = new AbortController().signal;
const plain = () => makeSpec({ tags: [TAG] });
const text = () => `FROM ${BASE}\nCOPY . /all\nLABEL unique=${randomUUID()}\n`;

it('a begun build is taken over, with the Dockerfile that comes later', async () => {
  const rig = await createRig();
  const spec = plain();
  rig.builder.begin({ step: 'image', spec, opened: opened() }, new MemoryWorkspace().context(), never);
  const { outcome, progress } = await buildOn(rig, { spec, text: text() });
  expect(outcome).toMatchObject({ ok: true });
  expect(rig.sent).toEqual(['/session', '/build']);
  expect(progress.some(({ name }) => name.includes('COPY . /all'))).toBe(true);
  expect((await runInImage(TAG, ['ls', '/all'])).trim().split('\n')).toEqual(['Dockerfile', 'content']);
  await Promise.all(rig.ends);
});

it('a build for anything else than what was begun is a build of its own, and so is the next attempt', async () => {
  const rig = await createRig();
  const spec = plain();
  rig.builder.begin({ step: 'image', spec, opened: opened() }, new MemoryWorkspace().context(), never);
  expect((await buildOn(rig, { spec, text: text(), ignore: [] })).outcome).toMatchObject({ ok: true });
  expect([...rig.sent].sort()).toEqual(['/build', '/build', '/session', '/session']);
  expect((await runInImage(TAG, ['ls', '/all'])).trim().split('\n')).toEqual(['Dockerfile', 'content', 'left']);
  expect((await buildOn(rig, { spec, text: text() })).outcome).toMatchObject({ ok: true });
  expect(rig.sent.length).toBe(6);
  await Promise.all(rig.ends);
});

it('what is begun and not asked for is dropped, at once or later', async () => {
  const rig = await createRig();
  const early = new AbortController();
  rig.builder.begin({ step: 'image', spec: plain(), opened: opened() }, new MemoryWorkspace().context(), early.signal);
  early.abort();
  const late = new AbortController();
  rig.builder.begin({ step: 'image', spec: plain(), opened: opened() }, new MemoryWorkspace().context(), late.signal);
  // A build of its own takes longer than the engine needs to begin the other.
  expect((await buildOn(rig, { spec: plain(), text: text() })).outcome).toMatchObject({ ok: true });
  late.abort();
  expect(rig.ends.length).toBe(3);
  await Promise.all(rig.ends);
});

it('a build that is cancelled after it was taken over ends', async () => {
  const rig = await createRig();
  const spec = plain();
  const cancel = new AbortController();
  rig.builder.begin({ step: 'image', spec, opened: opened() }, new MemoryWorkspace().context(), never);
  const building = buildOn(rig, { spec, text: `FROM ${BASE}\nRUN sleep 100 # ${randomUUID()}\n`, signal: cancel.signal });
  setTimeout(() => cancel.abort(), 500);
  expect((await building).outcome).toMatchObject({ ok: false, canceled: true });
  await Promise.all(rig.ends);
});

it('a Dockerfile that is wrong fails a begun build as it fails any other', async () => {
  const rig = await createRig();
  const spec = plain();
  rig.builder.begin({ step: 'image', spec, opened: opened() }, new MemoryWorkspace().context(), never);
  const begun = await buildOn(rig, { spec, text: 'FROM\n' });
  const alone = await buildOn(rig, { spec, text: 'FROM\n' });
  expect(begun.outcome).toMatchObject({ ok: false, canceled: false });
  expect(begun.outcome).toEqual(alone.outcome);
});

it('builds with secrets, keys or files as output are not begun ahead, nor what this engine refuses', async () => {
  const rig = await createRig();
  const specs: readonly Partial<BuildSpec>[] = [
    { secrets: ['id=a'] },
    { ssh: ['default'] },
    { outputs: ['out'] },
    { squash: true },
    { cacheTo: ['type=gha'] },
  ];
  for (const spec of specs) {
    rig.builder.begin({ step: randomUUID(), spec: makeSpec(spec), opened: opened() }, new MemoryWorkspace().context(), never);
  }
  expect(rig.sent).toEqual([]);
});
