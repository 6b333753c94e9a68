import { request } from 'node:http';
import { expect, it } from 'vitest';
import { startHttpServer } from '../../support/http-server.ts';
import { startRegistry } from '../../support/registry-server.ts';
import { base, imagePusher, openRig } from './support.ts';

interface LateRegistry extends AsyncDisposable {
  readonly host: string;
  readonly push: ReturnType<typeof imagePusher>;
  /** What the next looks are answered with instead. */
  readonly instead: { readonly status: number; readonly digest?: string }[];
  /** Looks so far. */
  looks: number;
}

/** A real registry, which answers looks at tags late: with what was before, or an error. It does so by itself for a few milliseconds only. */
async function startLateRegistry(): Promise<LateRegistry> {
  const registry = await startRegistry();
  const [host = '', port = ''] = registry.host.split(':');
  const instead: LateRegistry['instead'] = [];
  const state = { looks: 0 };
  const server = await startHttpServer((incoming, outgoing) => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const other = method === 'HEAD' ? instead.shift() : undefined;
    if (method === 'HEAD') state.looks += 1;
    if (other !== undefined) {
      const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
      outgoing.writeHead(other.status, { ...type, ...(other.digest === undefined ? {} : { 'docker-content-digest': other.digest }) }).end();
      return;
    }
    incoming.pipe(
      request({ host, port, method, path, headers }, (answer) => answer.pipe(outgoing.writeHead(answer.statusCode ?? 502, answer.headers))),
    );
  });
  return {
    ...{ host: server.url.replace('http://', ''), push: imagePusher(registry.host), instead },
    get looks() {
      return state.looks;
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

type Answers = (first: string) => LateRegistry['instead'];
const answers: readonly (readonly [string, Answers])[] = [
  ['the old digest', (digest) => [{ status: 200, digest }]],
  ['an error', () => [{ status: 500 }]],
  ['no such tag, then the old digest', (digest) => [{ status: 404 }, { status: 200, digest }]],
];

it.each(answers)('a push that is told of before the registry has it rebuilds all the same: %s', async (_, late) => {
  await using registry = await startLateRegistry();
  await using rig = await openRig();
  const image = { registry: registry.host, repository: 'team/base', tag: '1' };
  const first = await registry.push.single('team/base', '1', 'one');
  const task = await rig.define('app');
  await rig.start();
  await rig.build(task, { bases: [base(`${registry.host}/team/base:1`, first)] });
  await rig.look(`${registry.host}/team/base:1`);
  const second = await registry.push.single('team/base', '1', 'two');
  registry.instead.push(...late(first.digest));
  const told = { kind: 'image', image, digest: second.digest } as const;
  await rig.store.events.record([{ dedupKey: 'told', origin: 'notification', happening: told }]);
  rig.service.notify();
  await rig.settle();
  expect(registry.instead).toEqual([]);
  expect((await rig.live()).map(({ request: { task: name } }) => name)).toEqual(['app']);
});

it('what is told of a digest that the tag does not get is looked at a few times', async () => {
  await using registry = await startLateRegistry();
  await using rig = await openRig();
  const image = { registry: registry.host, repository: 'team/base', tag: '1' };
  const first = await registry.push.single('team/base', '1', 'one');
  const task = await rig.define('app');
  await rig.start();
  await rig.build(task, { bases: [base(`${registry.host}/team/base:1`, first)] });
  await rig.look(`${registry.host}/team/base:1`);
  const before = registry.looks;
  const told = { kind: 'image', image, digest: `sha256:${'0'.repeat(64)}` } as const;
  const [event] = await rig.store.events.record([{ dedupKey: 'forged', origin: 'notification', happening: told }]);
  rig.service.notify();
  await rig.settle();
  expect(registry.looks - before).toBe(4);
  expect(await rig.live()).toEqual([]);
  expect(await rig.store.events.decisions({ event: event?.id ?? '', limit: 10 })).toMatchObject([{ code: 'same-digest' }]);
});
