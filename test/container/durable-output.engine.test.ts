import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDockerEngine } from '../../src/container/docker-engine.ts';
import { IMAGE, OutputRecorder, run, runSpec, script } from '../contract/run-spec.ts';
import { type OwnEngine, startOwnEngine } from '../support/own-engine.ts';

const owner = `test/${randomBytes(4).toString('hex')}`;
const durable = () => ({ ...runSpec(), owner, durableLogs: true });

describe('a connection to the engine that breaks in the middle of a durable step', () => {
  it('costs no byte, doubles none, and the exit code is the container’s', async () => {
    const door = await openDoor('/var/run/docker.sock');
    const engine = await createDockerEngine({ endpoint: `unix://${door.path}` });
    const space = await engine.openRun(durable());
    const output = new OutputRecorder();
    const lines = 'i=0; while [ $i -lt 60 ]; do printf "line $i"; sleep 0.02; echo; echo "err $i" >&2; i=$((i+1)); done; exit 9';
    const running = space.runContainer(script('a', lines), output.io);
    for (const seen of ['line 10', 'line 25', 'line 45']) {
      await output.saw(seen);
      door.cut();
    }
    expect(await running).toMatchObject({ exitCode: 9, canceled: false });
    const numbers = Array.from({ length: 60 }, (_, index) => index);
    expect(output.text('stdout')).toBe(numbers.map((i) => `line ${i}\n`).join(''));
    expect(output.text('stderr')).toBe(numbers.map((i) => `err ${i}\n`).join(''));
    expect(await space.destroy({ signal: AbortSignal.timeout(30_000) })).toEqual([]);
    await engine.close();
    await door.shut();
  });
});

describe('an engine that is killed and started again under a durable step', () => {
  let own: OwnEngine;
  beforeAll(async () => {
    own = await startOwnEngine([IMAGE], '10.213.77.1/24');
  });
  afterAll(async () => {
    await own.stop();
  });

  it('takes the container along: an error of the engine that may pass, not an exit code of the step', async () => {
    const engine = await createDockerEngine({ endpoint: own.endpoint });
    const space = await engine.openRun(durable());
    const output = new OutputRecorder();
    const none = { network: { kind: 'mode', mode: 'none' } } as const;
    expect((await run(space, script('before', 'exit 4', none))).outcome.exitCode).toBe(4);
    const running = space.runContainer(script('a', 'echo up; sleep 1000', none), output.io);
    const failed = expect(running).rejects.toMatchObject({ code: 'engine-failed', transient: true });
    await output.saw('up');
    await own.kill();
    await own.start();
    await failed;
    expect(output.all).toBe('up\n');
    expect((await run(space, script('a', 'echo again', none, { attempt: 2 }))).stdout).toBe('again\n');
    expect(await space.destroy({ signal: AbortSignal.timeout(30_000) })).toEqual([]);
    await engine.close();
  });

  it('is found out when nobody watched, and what ended by itself keeps its exit code', async () => {
    const engine = await createDockerEngine({ endpoint: own.endpoint });
    const spec = durable();
    const space = await engine.openRun(spec);
    const output = new OutputRecorder();
    const none = { network: { kind: 'mode', mode: 'none' } } as const;
    await run(space, script('ended', 'exit 4', none));
    const running = space.runContainer(script('a', 'echo up; sleep 1000', none), output.io);
    await output.saw('up');
    await space.detach();
    await running;
    await own.kill();
    await own.start();
    const again = await engine.openRun({ ...spec, adopt: true });
    const adopt = { positions: { stdout: 0, stderr: 0 } };
    expect((await run(again, { ...script('ended', '', none), adopt })).outcome.exitCode).toBe(4);
    await expect(run(again, { ...script('a', '', none), adopt })).rejects.toMatchObject({ code: 'engine-failed', transient: true });
    expect(await again.destroy({ signal: AbortSignal.timeout(30_000) })).toEqual([]);
    await engine.close();
  });
});

/** A socket in front of the engine's whose connections can be cut; new ones are let in. */
async function openDoor(target: string): Promise<{ readonly path: string; cut(): void; shut(): Promise<void> }> {
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
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const shut = async (): Promise<void> => {
    server.close();
    cut();
    await rm(folder, { recursive: true });
  };
  return { path, cut, shut };
}
