import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../src/model/run-record.ts';
import { statusProblemOfRun, statusProblemOfTrigger } from '../../../src/trigger/status/status-problem.ts';
import { waitFor } from '../../support/wait-for.ts';
import { type OutboxRig, outboxRig } from './outbox-rig.ts';

const MINUTE_MS = 60_000;
const REFUSAL = { status: 403, body: { message: 'token has no scope' } };

function ofTrigger(rig: OutboxRig, changes: Parameters<OutboxRig['trigger']>[0] = {}): Promise<string | undefined> {
  return statusProblemOfTrigger(rig.store, { task: 'shop', trigger: rig.trigger(changes), now: rig.clock.now() });
}

function ofRun(rig: OutboxRig, run: RunRecord): Promise<string | undefined> {
  return statusProblemOfRun(rig.store, run.id, rig.clock.now());
}

describe('a commit status that the forge refuses', () => {
  it('is a problem of its run and its trigger until a later one is taken', async () => {
    await using rig = await outboxRig();
    const outbox = rig.open();
    rig.fake.failAll(REFUSAL);
    const run = await rig.run(1);
    expect(await ofTrigger(rig)).toBeUndefined();
    outbox.runChanged(run);
    const problem = await waitFor(() => ofTrigger(rig));
    expect(problem).toMatch(
      new RegExp(`^the commit status slipway/shop of run ${run.id} was not taken: .*token has no scope.*; tried again at \\d{4}-`),
    );
    expect(await ofRun(rig, run)).toBe(problem);
    expect(await ofTrigger(rig, { commitStatus: false })).toBeUndefined();
    expect(await ofTrigger(rig, { name: 'another' })).toBeUndefined();

    rig.fake.failAll(undefined);
    const next = await rig.run(2);
    expect(await ofTrigger(rig)).toBe(problem);
    outbox.runChanged(next);
    await waitFor(async () => ((await ofTrigger(rig)) === undefined ? true : undefined));
    expect(await ofRun(rig, next)).toBeUndefined();
    expect(await ofRun(rig, run)).toBe(problem);
    await rig.clock.advance(6 * MINUTE_MS);
    await waitFor(async () => ((await ofRun(rig, run)) === undefined ? true : undefined));
  });

  it('stays one when it was given up, over a restart', async () => {
    await using rig = await outboxRig();
    rig.fake.failAll({ status: 422, body: { message: 'No commit found' } });
    const outbox = rig.open();
    const run = await rig.run(1);
    outbox.runChanged(run);
    await waitFor(() => ofTrigger(rig));
    await outbox.close();
    await rig.clock.advance(MINUTE_MS);
    rig.open();
    expect(await ofTrigger(rig)).toMatch(/was not taken: .*No commit found.*$/);
    expect(await ofTrigger(rig)).not.toContain('tried again');
  });

  it('is not one that is only kept back', async () => {
    await using rig = await outboxRig();
    rig.fake.failAll('hang');
    const outbox = rig.open();
    const run = await rig.run(1);
    outbox.runChanged(run);
    await rig.fake.came(1);
    await outbox.close();
    expect((await rig.store.statuses.ofRun(run.id))[0]?.error).toBe('not sent: the daemon ended');
    expect([await ofTrigger(rig), await ofRun(rig, run)]).toEqual([undefined, undefined]);
  });

  it('stays one while the forge asks to be left alone', async () => {
    await using rig = await outboxRig();
    const outbox = rig.open();
    rig.fake.fail(REFUSAL);
    const refused = await rig.run(1);
    outbox.runChanged(refused);
    await waitFor(() => ofRun(rig, refused));
    rig.fake.fail({ status: 429, headers: { 'retry-after': '900' }, body: {} });
    const other = await rig.run(2);
    outbox.runChanged(other);
    await waitFor(() => ofRun(rig, other));
    await rig.clock.advance(6 * MINUTE_MS);
    await waitFor(async () => ((await rig.store.statuses.ofRun(refused.id))[0]?.attempts === 2 ? true : undefined));
    expect(await ofRun(rig, refused)).toContain('token has no scope');
  });
});
