import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lease } from '../../../src/model/ports/agent-channel.ts';
import { isTerminal } from '../../../src/model/run-record.ts';
import { createFakeClock, settled } from '../../fakes/fake-clock.ts';
import { waitFor } from '../../support/wait-for.ts';
import {
  AGENT,
  ASKER,
  eventsOf,
  makeFolder,
  NOW,
  openPlane,
  PLAN,
  type Plane,
  STARTED,
  SUCCEEDED,
  stepDone,
  stepStarted,
} from './control-plane.ts';

const AGENTS = ['agent1', 'agent2'];

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      conflict: fc.constantFrom(undefined, 'queue' as const, 'cancel-pending' as const, 'cancel-running' as const, 'skip' as const),
      queueTimeout: fc.constantFrom(undefined, 30, 600),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('claim' as const, 'claim' as const, 'restart-agent' as const), agent: fc.nat(1) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom('plan' as const, 'begin' as const, 'step' as const, 'finish' as const, 'release' as const, 'forget' as const),
      pick: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1000, 6000, 20_000, 400_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill-daemon' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

interface Held extends Lease {
  readonly agent: string;
  phase: 'claimed' | 'planned' | 'begun' | 'done';
  seq: number;
}

/** Agents that work, die, come back and forget, on a daemon that is killed and started again. */
class Simulation {
  readonly #folder: Awaited<ReturnType<typeof makeFolder>>;
  readonly #clock = createFakeClock();
  plane!: Plane;
  /** What each agent believes to hold, leases of dead ones included. */
  readonly #held: Held[] = [];
  readonly #made: string[] = [];
  /** How a run ended, when that was first seen. */
  readonly #ends = new Map<string, string>();

  constructor(folder: Awaited<ReturnType<typeof makeFolder>>) {
    this.#folder = folder;
  }

  async open(): Promise<void> {
    this.plane = await openPlane(this.#folder, { clock: this.#clock, maxRunning: 4 });
    for (const id of AGENTS) await this.register(id);
  }

  async register(id: string): Promise<void> {
    const { held } = await this.plane.gateway.register({ ...AGENT, id, bootId: String(this.#clock.monotonicMs()), slots: 3 });
    for (const { run, attempt, resume } of held) {
      const ended = Object.values(resume?.states ?? {});
      const phase = ended.length === 0 ? 'planned' : ended.every(({ status }) => status !== 'running') ? 'done' : 'begun';
      this.#held.push({ run, attempt, agent: id, phase, seq: resume?.lastEvent ?? 0 });
    }
  }

  async act(step: Action): Promise<void> {
    const { runs, gateway } = this.plane;
    if (step.kind === 'create') {
      const { conflict, queueTimeout } = step;
      const made = await this.plane.create({
        ...(conflict === undefined ? {} : { concurrency: { group: 'g', limit: 1, onConflict: conflict } }),
        ...(queueTimeout === undefined ? {} : { queueTimeout }),
      });
      this.#made.push(made.id);
    } else if (step.kind === 'claim') {
      const agent = AGENTS[step.agent] ?? '';
      const taken = await gateway.claim(agent, NOW);
      if (taken !== undefined) this.#held.push({ run: taken.run, attempt: taken.attempt, agent, phase: 'claimed', seq: 0 });
    } else if (step.kind === 'restart-agent') await this.register(AGENTS[step.agent] ?? '');
    else if (step.kind === 'cancel') {
      const id = this.#made[step.pick % Math.max(1, this.#made.length)];
      if (id !== undefined) await runs.cancel(id, ASKER);
    } else if (step.kind === 'wait') {
      await this.#clock.advance(step.ms);
      for (let turn = 0; turn < 20; turn += 1) await settled();
    } else if (step.kind === 'kill-daemon') {
      await this.plane.stop();
      await this.open();
    } else if ('pick' in step && this.#held.length > 0) await this.work(step.kind, step.pick % this.#held.length);
    await this.check();
  }

  async work(kind: 'plan' | 'begin' | 'step' | 'finish' | 'release' | 'forget', index: number): Promise<void> {
    const held = this.#held[index] as Held;
    const { gateway } = this.plane;
    const before = await this.plane.get(held.run);
    const current = before.attempt === held.attempt && !isTerminal(before) && before.status !== 'Queued';
    try {
      if (kind === 'plan' && held.phase === 'claimed') {
        await gateway.planned(held, { plan: PLAN, source: {} });
        held.phase = 'planned';
      } else if (kind === 'begin' && held.phase === 'planned') {
        await gateway.report(held, eventsOf(held.run, held.seq + 1, [STARTED, stepStarted('one')]));
        held.seq += 2;
        held.phase = 'begun';
      } else if (kind === 'step' && held.phase === 'begun') {
        await gateway.report(held, eventsOf(held.run, held.seq + 1, [stepDone('one')]));
        held.seq += 1;
        held.phase = 'done';
      } else if (kind === 'finish') await this.#leave(index, () => gateway.finish(held, SUCCEEDED));
      else if (kind === 'release' && held.phase === 'claimed') await this.#leave(index, () => gateway.release(held));
      else if (kind === 'forget') this.#held.splice(index, 1);
      else return;
      if (kind !== 'forget')
        expect(current, `${kind} by attempt ${held.attempt} of ${held.run} was taken: ${JSON.stringify(before)}`).toBe(true);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'stale-attempt') throw error;
      expect(current).toBe(false);
      if (this.#held[index] === held) this.#held.splice(index, 1);
    }
  }

  async #leave(index: number, write: () => Promise<void>): Promise<void> {
    this.#held.splice(index, 1);
    await write();
  }

  async check(): Promise<void> {
    const records = await Promise.all(this.#made.map((id) => this.plane.get(id)));
    for (const record of records) {
      const end = this.#ends.get(record.id);
      const now = `${record.status} ${record.finishTime}`;
      if (end !== undefined) expect(now).toBe(end);
      if (isTerminal(record)) this.#ends.set(record.id, now);
      if (isTerminal(record)) expect(record.steps.every(({ status }) => status !== 'running' && status !== 'pending')).toBe(true);
    }
    const active = records.filter(({ status }) => status === 'Started' || status === 'Running');
    expect(active.length).toBeLessThanOrEqual(4);
    expect(active.filter(({ request }) => request.concurrency !== undefined).length).toBeLessThanOrEqual(1);
    await this.#queueAgrees();
    expect(this.plane.problems).toEqual([]);
  }

  /** The queue's picture is the store's, as soon as ends that are under way have been told. */
  async #queueAgrees(): Promise<void> {
    await waitFor(async () => {
      const { Queued, Started, Running } = await this.plane.store.runs.counts();
      const { queued, running } = await this.plane.queue.state();
      return queued === Queued && running === Started + Running ? true : undefined;
    });
  }

  /** Everybody works from now on: every run comes to an end. */
  async drain(): Promise<void> {
    for (let round = 0; round < 40; round += 1) {
      for (const agent of [0, 1]) await this.act({ kind: 'restart-agent', agent });
      for (let turn = 0; turn < 6; turn += 1) for (const agent of [0, 1]) await this.act({ kind: 'claim', agent });
      while (this.#held.length > 0) await this.work('finish', 0);
      await this.check();
      if (this.#ends.size === this.#made.length) return;
    }
    expect.fail(`${this.#made.length - this.#ends.size} runs have not ended`);
  }
}

test('whatever agents and the daemon go through: one end a run, no write of an old attempt, no limit passed, nothing forgotten', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
      const folder = await makeFolder();
      const simulation = new Simulation(folder);
      try {
        await simulation.open();
        for (const step of actions) await simulation.act(step);
        await simulation.drain();
      } finally {
        await simulation.plane.stop();
        await folder.remove();
      }
    }),
    { numRuns: 40 },
  );
});
