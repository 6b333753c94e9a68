import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/model/run-event.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { leftovers } from '../support/leftovers.ts';
import { startLocalRegistry } from '../support/local-registry.ts';
import { startOwnEngine } from '../support/own-engine.ts';
import { runTask, startTask } from '../support/task-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-faults-'));
const registry = await startLocalRegistry();
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await registry.stop();
});

function taskFile(name: string, steps: string): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, `version: v1.0.0\nsteps:\n${steps}`);
  return file;
}

const sleeper = '  - id: sleeper\n    cmd: busybox:local sh -c "echo up; sleep 3000"\n  - id: after\n    cmd: busybox:local true\n';
const isUp = (event: RunEvent): boolean => event.type === 'step-output' && event.text.includes('up');
const statusOf = (events: readonly RunEvent[], step: string): string | undefined =>
  events.flatMap((event) => (event.type === 'step-finished' && event.step === step ? [event.status] : []))[0];

describe('signals', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`${signal} cancels the run, cleans up and exits 130`, async () => {
      const program = startTask(['run', '/dev/null', '-f', taskFile(`cancel-${signal}`, sleeper)]);
      await program.waitForEvent(isUp);
      program.child.kill(signal);
      const result = await program.finished;
      expect(result.exitCode, result.stderr).toBe(130);
      expect(statusOf(result.events, 'sleeper')).toBe('canceled');
      expect(statusOf(result.events, 'after')).toBe('skipped');
      expect(await leftovers(result.events[0]?.run)).toEqual([]);
    });
  }

  it('a second SIGINT leaves at once, still removing what is labelled', async () => {
    const stubborn = taskFile(
      'stubborn',
      `  - id: sleeper\n    cmd: busybox:local sh -c "trap '' TERM; echo up; while true; do sleep 1; done"\n`,
    );
    const program = startTask(['run', '/dev/null', '-f', stubborn]);
    await program.waitForEvent(isUp);
    program.child.kill('SIGINT');
    // The first one must have been heard: two signals that wait together are one.
    await new Promise((resolve) => program.child.stderr.once('data', resolve));
    program.child.kill('SIGINT');
    const result = await program.finished;
    expect(result.exitCode, result.stderr).toBe(130);
    expect(await leftovers(result.events[0]?.run)).toEqual([]);
  });
});

describe('after kill -9', () => {
  it('the next run collects what was left, and touches nothing else', async () => {
    const docker = new Docker();
    const foreign = await docker.createContainer({ Image: 'busybox:local', Cmd: ['sleep', '3000'], Labels: { 'dev.slipway': 'not-ours' } });
    cleanups.push(() => foreign.remove({ force: true }));
    await foreign.start();
    const killed = startTask(['run', '/dev/null', '-f', taskFile('killed', sleeper)]);
    await killed.waitForEvent(isUp);
    killed.child.kill('SIGKILL');
    const { events } = await killed.finished;
    const run = events[0]?.run;
    expect(await leftovers(run)).not.toEqual([]);

    const next = await runTask(['run', '/dev/null', '-f', taskFile('next', '  - cmd: busybox:local true\n')]);
    expect(next.exitCode, next.stderr).toBe(0);
    expect(await leftovers(run)).toEqual([]);
    expect((await foreign.inspect()).State.Running).toBe(true);
  });

  it('task doctor --fix collects it too', async () => {
    const killed = startTask(['run', '/dev/null', '-f', taskFile('killed-2', sleeper)]);
    await killed.waitForEvent(isUp);
    killed.child.kill('SIGKILL');
    const { events } = await killed.finished;
    await runTask(['doctor', '--fix', '--registry', registry.host]);
    expect(await leftovers(events[0]?.run)).toEqual([]);
  });
});

describe('side by side', () => {
  it('runs of the same file do not touch each other', async () => {
    const file = taskFile(
      'side',
      [
        '  - id: own\n    cmd: busybox:local sh -c "mkdir www; echo $MARK > www/index.html"\n    env: ["MARK={{.Values.mark}}"]\n',
        '  - id: web\n    cmd: busybox:local httpd -f -p 80 -h /workspace/www\n    detach: true\n',
        '  - id: visit\n    cmd: busybox:local wget -q -O - http://web/\n    retries: 10\n    retryDelay: 1\n',
      ].join(''),
    );
    const marks = ['one', 'two', 'three', 'four'];
    const results = await Promise.all(marks.map((mark) => runTask(['run', '/dev/null', '-f', file, '--set', `mark=${mark}`])));
    for (const [index, result] of results.entries()) {
      expect(result.exitCode, result.stderr).toBe(0);
      const seen = result.events.flatMap((event) => (event.type === 'step-output' && event.stream === 'stdout' ? [event.text] : []));
      expect(seen).toEqual([marks[index]]);
    }
  });
});

describe('a registry with faults', () => {
  const push = (host: string): string =>
    `  - build: -t ${host}/faults/image:1 -f - .\n  - id: push\n    push: ["${host}/faults/image:1"]\n`;
  const withDockerfile = (): string => {
    const context = mkdtempSync(join(folder, 'context-'));
    writeFileSync(join(context, 'Dockerfile'), `FROM busybox:local\nRUN echo ${Math.random()} > /unique\n`);
    return context;
  };
  const isManifest = (call: { readonly method?: string | undefined; readonly url?: string | undefined }): boolean =>
    call.method === 'PUT' && (call.url ?? '').includes('/manifests/');

  it('a push is tried again after 503, with the digest read back', async () => {
    let left = 2;
    const proxy = await startFaultProxy(registry.host, (call) => (isManifest(call) && left-- > 0 ? { status: 503 } : undefined));
    cleanups.push(() => proxy.stop());
    const result = await runTask(['run', withDockerfile(), '-f', taskFile('push-503', push(proxy.host).replace('-f - .', '.'))]);
    expect(result.exitCode, result.stdout).toBe(0);
    expect(proxy.faults).toHaveLength(2);
    expect(result.events.filter((event) => event.type === 'step-retrying')).toHaveLength(2);
    expect(result.events.find((event) => event.type === 'image-pushed')).toMatchObject({ digest: expect.stringMatching(/^sha256:/) });
  });

  it('a push that the registry forbids is not tried again', async () => {
    const proxy = await startFaultProxy(registry.host, (call) =>
      isManifest(call) ? { status: 403, body: '{"errors":[{"code":"DENIED","message":"no writing here"}]}' } : undefined,
    );
    cleanups.push(() => proxy.stop());
    const result = await runTask(['run', withDockerfile(), '-f', taskFile('push-403', push(proxy.host).replace('-f - .', '.'))]);
    expect(result.exitCode).not.toBe(0);
    expect(proxy.faults).toHaveLength(1);
    expect(result.events.filter((event) => event.type === 'step-retrying')).toHaveLength(0);
    expect(statusOf(result.events, 'push')).toMatch(/failed|errored/);
  });
});

describe('an engine that dies in the middle of a step', () => {
  it("is the engine's error, not the step's failure, and what it left is collected later", async () => {
    const engine = await startOwnEngine(['busybox:local']);
    cleanups.push(() => engine.stop());
    const env = { DOCKER_HOST: engine.endpoint };
    const file = taskFile('engine-dies', sleeper.replace('    cmd: busybox:local sh', '    network: none\n    cmd: busybox:local sh'));
    const program = startTask(['run', '/dev/null', '-f', file], { env });
    await program.waitForEvent(isUp);
    await engine.kill();
    const result = await program.finished;
    expect(result.exitCode, result.stderr).toBe(3);
    expect(statusOf(result.events, 'sleeper')).toBe('errored');
    expect(result.events.at(-1)).toMatchObject({ type: 'run-finished', status: 'Error' });

    await engine.start();
    const alone = taskFile('engine-back', '  - cmd: busybox:local true\n    network: none\n');
    expect((await runTask(['run', '/dev/null', '-f', alone], { env })).exitCode).toBe(0);
    expect(await leftovers(undefined, engine.docker)).toEqual([]);
  });
});
