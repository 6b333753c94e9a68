import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAgent } from '../../src/agent/agent.ts';
import type { Agent } from '../../src/agent/agent-options.ts';
import { createContextFetcher } from '../../src/archive/context-fetcher.ts';
import { createGitSource } from '../../src/git/git-source.ts';
import type { RunRecord } from '../../src/model/run-record.ts';
import { systemClock } from '../../src/util/clock.ts';
import { readLog } from '../contract/log-store.ts';
import { createFakeEngine, type FakeEngine } from '../fakes/fake-engine.ts';
import { createInputs, NO_REGISTRY } from '../run/rig.ts';
import { AGENT, ASKER, type Folder, makeFolder, openPlane, type Plane } from '../service/runs/control-plane.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';
import { waitFor } from '../support/wait-for.ts';
import { NEVER } from './agent-rig.ts';
import { encodedTask, runRequest } from './fake-channel.ts';

useOwnTmpdir();
let folder: Folder;
let plane: Plane;
let agent: Agent;
let engine: FakeEngine;
let workDirectory: string;

function newAgent(): Agent {
  const addresses = { allowPrivate: true, allowLoopback: true };
  return createAgent({
    ...{ channel: plane.gateway, engine, clock: systemClock, workDirectory, addresses, insecureRegistries: [], describe: AGENT },
    git: createGitSource({ addresses }),
    contexts: createContextFetcher({ addresses }),
    makeRunParts: () => ({
      credentials: { forHost: async () => undefined, explicitHosts: () => [] },
      registry: NO_REGISTRY,
      inputs: createInputs([]),
      unpackArtifact: async () => undefined,
    }),
    log: () => undefined,
  });
}

beforeEach(async () => {
  folder = await makeFolder();
  plane = await openPlane(folder);
  engine = createFakeEngine();
  workDirectory = mkdtempSync(join(tmpdir(), 'work-'));
  agent = newAgent();
  await agent.start(NEVER);
});
afterEach(async () => {
  await agent.stop();
  await plane.stop();
  await folder.remove();
});

const HELD = 'version: v1.1.0\nsteps:\n  - id: held\n    cmd: busybox true\n    env: [FAKE_HOLD=1]\n';

async function submit(text: string): Promise<string> {
  return (await plane.runs.create(runRequest(encodedTask(text)), ASKER)).id;
}

/** The run as stored once it has ended. */
function ended(id: string): Promise<RunRecord> {
  return waitFor(async () => {
    const record = await plane.get(id);
    return record.finishTime === undefined ? undefined : record;
  }, 20_000);
}

describe('agent with the real daemon side', () => {
  it('runs what was asked for: status, steps, events and log are on record', async () => {
    const id = await submit(
      'version: v1.1.0\nsteps:\n  - id: a\n    cmd: busybox true\n    env: ["FAKE_OUTPUT=hello"]\n  - id: b\n    cmd: busybox false\n    when: [a]\n    env: [FAKE_EXIT_CODE=3]\n',
    );
    const record = await ended(id);
    expect(record).toMatchObject({
      status: 'Failed',
      attempt: 1,
      steps: [
        { id: 'a', status: 'succeeded', attempts: 1, exitCode: 0 },
        { id: 'b', status: 'failed', exitCode: 3 },
      ],
      error: { step: 'b' },
    });
    expect((await readLog(plane.logs, id)).text).toBe('hello');
    const events = await plane.store.runs.events(id, { after: 0, limit: 1000 });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: 'run-finished', status: 'Failed' });
    expect(plane.problems).toEqual([]);
  });

  it('shows the errors of a task file in the log', async () => {
    const id = await submit('version: v1.1.0\nsteps:\n  - cmd: busybox\n    when: [nobody]\n');
    expect(await ended(id)).toMatchObject({ status: 'Failed', error: { errorCode: 'bad-task' } });
    await waitFor(async () => (await plane.logs.stat(id))?.sealed === true || undefined);
    const { chunks } = await readLog(plane.logs, id);
    expect(chunks[0]).toMatchObject({ step: 'slipway', stream: 'stderr' });
    expect(plane.problems).toEqual([]);
  });

  it('cancels at once', async () => {
    const id = await submit(HELD);
    const container = await engine.nextStart('held');
    await plane.runs.cancel(id, ASKER, 'not needed');
    await container.terminated;
    expect(await ended(id)).toMatchObject({ status: 'Canceled' });
  });

  it('goes on after a restart of the whole process, with no byte lost or doubled', async () => {
    const id = await submit(HELD);
    const container = await engine.nextStart('held');
    await container.write('stdout', 'before\n');
    await agent.drain({ graceMs: 0 });
    await plane.stop();
    await container.write('stdout', 'between\n');
    plane = await openPlane(folder);
    agent = newAgent();
    await agent.start(NEVER);
    await container.write('stdout', 'after\n');
    container.exit(0);
    expect(await ended(id)).toMatchObject({
      status: 'Succeeded',
      attempt: 2,
      crashes: 0,
      steps: [{ id: 'held', status: 'succeeded', attempts: 1 }],
    });
    expect((await readLog(plane.logs, id)).text).toBe('before\nbetween\nafter\n');
    expect(plane.problems).toEqual([]);
  });

  it('carries out hundreds of runs, each to its one end', async () => {
    const ids = await Promise.all(Array.from({ length: 300 }, () => submit('version: v1.1.0\nsteps:\n  - cmd: busybox true\n')));
    await waitFor(async () => (await plane.store.runs.counts()).Succeeded === 300 || undefined, 20_000);
    const records = await Promise.all(ids.map(ended));
    expect(new Set(records.map(({ status }) => status))).toEqual(new Set(['Succeeded']));
    expect(engine.destroyed).toBe(300);
    expect(plane.problems).toEqual([]);
  });
});
