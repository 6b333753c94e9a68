import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDockerEngine } from '../../src/container/docker-engine.ts';
import type { ContainerEngine } from '../../src/model/ports/container-engine.ts';
import { runImageName } from '../../src/model/run-image.ts';
import { IMAGE, OutputRecorder, run, runSpec, script } from '../contract/run-spec.ts';
import { engineHttp } from '../support/engine-http.ts';
import { leftovers } from '../support/leftovers.ts';
import { waitFor } from '../support/wait-for.ts';

const http = engineHttp('/var/run/docker.sock');
let engine: ContainerEngine;
beforeAll(async () => {
  engine = await createDockerEngine();
});
afterAll(async () => {
  await engine.close();
});

describe('leftovers', () => {
  it('of a killed process are collected, and nothing else is', async () => {
    const program = fileURLToPath(new URL('./fixtures/abandoned-run.ts', import.meta.url));
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const runId = line.toString().trim();
    const foreign = await http.json<{ Id: string }>('POST', '/containers/create', { Image: IMAGE, Labels: { 'dev.other.run': runId } });
    try {
      const ofRun = async (dryRun: boolean, olderThanMs = 0): Promise<string[]> =>
        (await engine.collect({ olderThanMs, dryRun })).filter(({ run: id }) => id === runId).map(({ kind }) => kind);
      expect(await ofRun(true)).toEqual([]);
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await ofRun(true, 3_600_000)).toEqual([]);
      const found = await ofRun(true);
      // web, later, the lane's holder and the holder of the secret; one network; workspace, home and secret.
      expect(found.sort()).toEqual(['container', 'container', 'container', 'container', 'network', 'volume', 'volume', 'volume']);
      expect((await leftovers(runId)).length).toBe(found.length);
      expect((await ofRun(false)).sort()).toEqual(found);
      expect(await leftovers(runId)).toEqual([]);
      expect(await ofRun(false)).toEqual([]);
      expect(await http.status('GET', `/containers/${foreign.Id}/json`)).toBe(200);
    } finally {
      child.kill('SIGKILL');
      await http.json('DELETE', `/containers/${foreign.Id}?force=true`);
    }
  });

  it('are none after a run that is destroyed in the middle of everything', async () => {
    const spec = runSpec({ lanes: [{ id: '0', network: 'acb_default_network', steps: ['a', 'b'], ports: [], expose: [] }] });
    const space = await engine.openRun(spec);
    const onTask = { network: { kind: 'task', name: 'acb_default_network' } } as const;
    for (const step of ['a', 'b', 'c']) space.prepare(script(step, 'true', onTask));
    const running = run(space, script('d', 'sleep 1000', onTask)).catch((error: unknown) => error);
    expect(await space.destroy({ signal: AbortSignal.timeout(30_000) })).toEqual([]);
    await running;
    expect(await leftovers(spec.runId)).toEqual([]);
  });

  it('are returned when the time for removing them is over', async () => {
    const spec = runSpec();
    const space = await engine.openRun(spec);
    await run(space, script('a', 'true', {}, { keep: true }));
    await expect(space.destroy({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'EngineError' });
    expect((await leftovers(spec.runId)).length).toBeGreaterThan(0);
    await removeByHand(spec.runId);
  });
});

describe('the things of a durable owner', () => {
  it('go side by side: a removal that hangs holds up no other run', async () => {
    const owner = `test/${randomBytes(4).toString('hex')}`;
    const specs = Array.from({ length: 4 }, () => ({ ...runSpec(), owner, durableLogs: true }));
    const ids = await Promise.all(
      specs.map(async (spec) => {
        const space = await engine.openRun(spec);
        const { outcome } = await run(space, script('a', 'true'));
        await space.detach();
        return outcome.containerId;
      }),
    );
    const hung = Promise.withResolvers<void>();
    const proxy = await holdBack(`DELETE /containers/${ids[0]}?`, () => hung.resolve());
    const behind = await createDockerEngine({ endpoint: `unix://${proxy.path}` });
    const over = new AbortController();
    const collecting = behind.collectRuns({ owner, live: () => new Set([specs[1]?.runId ?? '']), signal: over.signal });
    await hung.promise;
    const goneRuns = async (): Promise<true | undefined> => {
      const left = await Promise.all(specs.slice(2).map((spec) => leftovers(spec.runId)));
      return left.flat().length === 0 ? true : undefined;
    };
    await waitFor(goneRuns);
    over.abort();
    const collected = await collecting;
    expect(new Set(collected.map((thing) => thing.run))).toEqual(new Set([specs[2]?.runId, specs[3]?.runId]));
    expect((await leftovers(specs[1]?.runId)).length).toBeGreaterThan(0);
    await behind.close();
    await proxy.shut();
    await engine.collectRuns({ owner, live: () => new Set() });
    for (const spec of specs) expect(await leftovers(spec.runId)).toEqual([]);
  });
});

it('images of a run that was kept apart go with it, also when nobody is left to remove them', async () => {
  const owner = `test/${randomBytes(4).toString('hex')}`;
  const specs = [runSpec(), runSpec(), runSpec()].map((spec) => ({ ...spec, owner, isolation: { cacheNamespace: 'test' } }));
  const names = specs.map((spec) => runImageName(spec, '127.0.0.1:5000/team/tool:1'));
  const isThere = async (): Promise<boolean[]> => Promise.all(names.map(async (name) => (await engine.findImage(name)) !== undefined));
  const spaces = await Promise.all(specs.map((spec) => engine.openRun(spec)));
  for (const name of names) {
    const [repo = '', tag = ''] = name.split(/:(?=[^:]*$)/);
    await http.json('POST', `/images/${IMAGE}/tag?repo=${encodeURIComponent(repo)}&tag=${tag}`);
  }
  expect(await isThere()).toEqual([true, true, true]);
  expect(
    await spaces[0]?.push({ reference: names[0] ?? '' }, { signal: new AbortController().signal, onTransfer: () => undefined }),
  ).toMatchObject({
    ...{ ok: false, permanent: true },
  });
  expect(await spaces[0]?.destroy({ signal: AbortSignal.timeout(10_000) })).toEqual([]);
  expect(await isThere()).toEqual([false, true, true]);
  await Promise.all(spaces.map((space) => space.detach()));
  const collected = await engine.collectRuns({ owner, live: () => new Set([specs[1]?.runId ?? '']) });
  expect(collected).toEqual([{ kind: 'image', id: names[2], name: names[2], run: specs[2]?.runId }]);
  expect(await isThere()).toEqual([false, true, false]);
  await engine.collectRuns({ owner, live: () => new Set() });
  expect(await isThere()).toEqual([false, false, false]);
  expect(await engine.findImage(IMAGE)).toBeDefined();
});

describe('an engine that goes away under a step', () => {
  it('is an error of the engine, not an exit code of the step', async () => {
    const door = await openDoor('/var/run/docker.sock');
    const unlucky = await createDockerEngine({ endpoint: `unix://${door.path}` });
    const spec = runSpec();
    const space = await unlucky.openRun(spec);
    const output = new OutputRecorder();
    const running = space.runContainer(script('a', 'echo up; sleep 1000'), output.io);
    const failed = expect(running).rejects.toMatchObject({
      code: 'engine-failed',
      transient: true,
      message: expect.stringContaining('went away while step "a" ran'),
    });
    await output.saw('up');
    await door.shut();
    await failed;
    await expect(space.destroy({ signal: AbortSignal.timeout(10_000) })).rejects.toMatchObject({ code: 'engine-unreachable' });
    await unlucky.close();
    await removeByHand(spec.runId);
  });
});

/** A socket in front of the engine's that can be shut in the middle, as a dying engine shuts its own. */
async function openDoor(target: string): Promise<{ readonly path: string; shut(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-door-'));
  const path = join(folder, 'engine.sock');
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    near.pipe(far).pipe(near);
  });
  server.listen(path);
  await once(server, 'listening');
  const shut = async (): Promise<void> => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await rm(folder, { recursive: true });
  };
  return { path, shut };
}

/** A socket in front of the engine's that never passes on requests that begin so. */
async function holdBack(beginning: string, onHeld: () => void): Promise<{ readonly path: string; shut(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-hold-'));
  const path = join(folder, 'engine.sock');
  const server = createHttpServer((call, answer) => {
    if (`${call.method} ${call.url}`.startsWith(beginning)) {
      onHeld();
      return;
    }
    const onward = request({ socketPath: '/var/run/docker.sock', method: call.method, path: call.url, headers: call.headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    call.pipe(onward);
  });
  server.listen(path);
  await once(server, 'listening');
  const shut = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  };
  return { path, shut };
}

async function removeByHand(runId: string): Promise<void> {
  for (const thing of await leftovers(runId)) {
    const [kind, name] = thing.split(' ');
    await http.json('DELETE', `/${kind}s/${name?.replace(/^\//, '')}?force=true`);
  }
}
