import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDockerEngine } from '../../src/container/docker-engine.ts';
import { OutputRecorder, runSpec, script } from '../contract/run-spec.ts';

test('fault 9: a `wait` of the engine that never answers holds no step for longer than ten seconds and some', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-deaf-'));
  const path = join(folder, 'engine.sock');
  const sockets = new Set<Socket>();
  let swallowed = 0;
  const server = createServer((client) => {
    const engine = connect('/var/run/docker.sock');
    for (const socket of [client, engine]) sockets.add(socket.on('error', () => undefined));
    client.on('data', (chunk) => {
      if (/^POST \S*\/wait\b/.test(chunk.toString('latin1'))) swallowed += 1;
      else engine.write(chunk);
    });
    engine.on('data', (chunk) => client.write(chunk));
    client.on('close', () => engine.destroy());
    engine.on('end', () => client.end());
  });
  server.listen(path);
  await once(server, 'listening');
  const engine = await createDockerEngine({ endpoint: `unix://${path}` });
  const space = await engine.openRun({ ...runSpec(), owner: 'test/deaf', durableLogs: true });
  const output = new OutputRecorder();
  const started = performance.now();
  expect(await space.runContainer(script('a', 'echo said; exit 9'), output.io)).toMatchObject({ exitCode: 9, canceled: false });
  expect(performance.now() - started).toBeLessThan(15_000);
  expect(swallowed).toBe(1);
  expect(output.text('stdout')).toBe('said\n');
  expect(await space.destroy({ signal: AbortSignal.timeout(30_000) })).toEqual([]);
  await engine.close();
  server.close();
  for (const socket of sockets) socket.destroy();
  await rm(folder, { recursive: true });
});
