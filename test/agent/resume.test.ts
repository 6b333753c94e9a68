import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Assignment } from '../../src/model/ports/agent-channel.ts';
import { makeTar } from '../archive/tar-maker.ts';
import { resumeOf } from '../run/resumable.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';
import { type AgentRig, createRig, NEVER } from './agent-rig.ts';
import { assignmentOf, runRequest } from './fake-channel.ts';

useOwnTmpdir();

const TASK = `version: v1.1.0
secrets:
  - id: key
    keyvault: secret://key
steps:
  - id: first
    cmd: busybox true
  - id: held
    cmd: busybox true
    when: [first]
    env: [FAKE_HOLD=1]
  - id: last
    cmd: busybox true
    when: [held]
`;

/** A run that was let go of while its second step runs, and the assignment by which the next process gets it back. */
async function suspended(): Promise<{
  readonly before: AgentRig;
  readonly held: Assignment;
  readonly container: Awaited<ReturnType<AgentRig['engine']['nextStart']>>;
}> {
  const before = createRig();
  const { agent, channel, engine } = before;
  channel.secretValues.named['key'] = 'canary-81b2';
  const tar = makeTar([{ name: 'acr-task.yaml', body: TASK }]);
  const sha256 = createHash('sha256').update(tar).digest('hex');
  channel.uploads.set(sha256, tar);
  await agent.start(NEVER);
  const step = { type: 'FileTask', contextPath: `upload:${sha256}`, taskFilePath: 'acr-task.yaml', values: [] } as const;
  const assignment = assignmentOf('ra001', runRequest(step));
  channel.submit(assignment);
  const container = await engine.nextStart('held');
  await container.write('stdout', 'before canary-');
  await agent.drain({ graceMs: 0 });
  const plan = channel.planned_.get('ra001')?.plan;
  if (plan === undefined) throw new Error('no plan was told');
  const held = { ...assignment, attempt: 2, resume: resumeOf(plan, channel.events, channel.chunks) };
  return { before, held, container };
}

describe('an agent that is stopped and started', () => {
  it('lets its run go on, takes it back, and loses and doubles no byte and no step', async () => {
    const { before, held, container } = await suspended();
    const { channel, engine, workDirectory } = before;
    expect(channel.finished.size).toBe(0);
    expect(channel.released).toEqual([]);
    expect(engine.destroyed).toBe(0);
    expect(existsSync(join(workDirectory, 'ra001', 'context', 'acr-task.yaml'))).toBe(true);
    await container.write('stdout', '81b2 between\n');
    // What it needs is there: nothing is fetched again.
    channel.uploads.clear();
    channel.held.push(held);
    const { agent } = createRig({ before });
    await agent.start(NEVER);
    await container.write('stdout', 'after\n');
    container.exit(0);
    expect(await channel.outcome('ra001')).toMatchObject({ status: 'Succeeded' });
    expect(channel.text('ra001', 'held')).toBe('before *** between\nafter\n');
    expect(engine.calls.filter((call) => call.startsWith('start '))).toEqual(['start first#1', 'start held#1', 'start last#1']);
    expect(channel.events.map(({ seq }) => seq)).toEqual(channel.events.map((_, index) => index + 1));
    await agent.drain({ graceMs: 1000 });
    expect(readdirSync(workDirectory)).toEqual([]);
  });

  it('fetches the context again when it is gone', async () => {
    const { before, held, container } = await suspended();
    rmSync(join(before.workDirectory, 'ra001'), { recursive: true });
    before.channel.held.push(held);
    const { agent } = createRig({ before });
    await agent.start(NEVER);
    container.exit(0);
    expect(await before.channel.outcome('ra001')).toMatchObject({ status: 'Succeeded' });
  });

  it('ends a run that was canceled meanwhile', async () => {
    const { before, held } = await suspended();
    before.channel.held.push({ ...held, cancel: { reason: 'no longer wanted' } });
    const { agent } = createRig({ before });
    await agent.start(NEVER);
    expect(await before.channel.outcome('ra001')).toMatchObject({ status: 'Canceled', error: { message: 'no longer wanted' } });
    expect(before.engine.destroyed).toBe(1);
  });

  it('removes the containers of a run that cannot be prepared again', async () => {
    const { before, held } = await suspended();
    delete before.channel.secretValues.named['key'];
    before.channel.held.push(held);
    const { agent, engine } = createRig({ before });
    await agent.start(NEVER);
    expect(await before.channel.outcome('ra001')).toMatchObject({ status: 'Error', error: { errorCode: 'secret-unavailable' } });
    await agent.drain({ graceMs: 1000 });
    const left = await engine.collectRuns({ owner: 'daemon/ab12cd', live: () => new Set() });
    expect(left).toEqual([]);
  });

  it('counts the time that has passed to the time of the run', async () => {
    const { before, held } = await suspended();
    const resume = held.resume === undefined ? {} : { resume: { ...held.resume, elapsedMs: 3_600_001 } };
    before.channel.held.push({ ...held, ...resume });
    const { agent } = createRig({ before });
    await agent.start(NEVER);
    expect(await before.channel.outcome('ra001')).toMatchObject({ status: 'Timeout' });
    expect(before.engine.destroyed).toBe(1);
  });

  it('counts it once', async () => {
    const { before, held, container } = await suspended();
    const resume = held.resume === undefined ? {} : { resume: { ...held.resume, elapsedMs: 3_500_000 } };
    before.channel.held.push({ ...held, ...resume });
    const { agent } = createRig({ before });
    await agent.start(NEVER);
    await container.write('stdout', '81b2 after\n');
    container.exit(0);
    expect(await before.channel.outcome('ra001')).toMatchObject({ status: 'Succeeded' });
  });
});
