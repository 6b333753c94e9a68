import { describe, expect, it } from 'vitest';
import type { Plan, PlanStep } from '../../src/model/plan.ts';
import { executeRun } from '../../src/run/execute-run.ts';
import type { RunOptions, RunResult } from '../../src/run/run-options.ts';
import { createMasker } from '../../src/util/masker.ts';
import { createFakeClock, type FakeClock } from '../fakes/fake-clock.ts';
import { createFakeEngine, type FakeEngine } from '../fakes/fake-engine.ts';
import { build, cmd, plan as planOf, push } from './plans.ts';
import { RunRecorder, resumeOf } from './resumable.ts';
import { createInputs, NO_REGISTRY, OPTIONS } from './rig.ts';

const SECRET = 'swordfish';

/** A run on an engine that outlives the processes that execute it. */
class Durable {
  readonly clock: FakeClock = createFakeClock();
  readonly engine: FakeEngine = createFakeEngine({ clock: this.clock });
  readonly record = new RunRecorder();
  readonly plan: Plan;
  readonly #options: Partial<RunOptions>;
  readonly #waiting = new Set<() => void>();

  constructor(steps: readonly PlanStep[], options: Partial<RunOptions> = {}) {
    this.plan = planOf(steps);
    this.#options = options;
  }

  /** Begins the run, or goes on with it from what is on record. */
  execute(options: Partial<RunOptions> = {}, engine = this.engine): Promise<RunResult> {
    const { events, chunks } = this.record;
    const resume = events.length === 0 ? {} : { resume: resumeOf(this.plan, events, chunks) };
    const deps = {
      engine,
      inputs: createInputs([]),
      registry: NO_REGISTRY,
      clock: this.clock,
      masker: createMasker([SECRET]),
      emit: (event: Parameters<RunRecorder['emit']>[0]) => {
        this.record.emit(event);
        for (const look of this.#waiting) look();
      },
      output: this.record.output,
    };
    const signal = new AbortController().signal;
    const all = { ...OPTIONS, durableLogs: true, owner: 'daemon/ab12cd', spaceId: 'run1xab12cd', ...this.#options, ...resume, ...options };
    return executeRun(this.plan, deps, { signal, ...all });
  }

  /** The first event, past or future, with these properties. */
  until(properties: Readonly<Record<string, unknown>>): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.record.events.some((event) =>
          Object.entries(properties).every(([key, value]) => (event as unknown as Record<string, unknown>)[key] === value),
        );
        if (found) resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** As kill -9 of the process that executes it: nothing more of it is recorded. */
  kill(): void {
    this.engine.kill('run1xab12cd');
  }

  types(): readonly string[] {
    return this.record.events.map((event) => ('step' in event && event.step !== undefined ? `${event.type} ${event.step}` : event.type));
  }
}

const hold = { env: ['FAKE_HOLD=1'] };

describe('a run that survives its process', () => {
  it('names everything after its space, with its owner, and lets nothing start before its container is on record', async () => {
    const run = new Durable([cmd('a')], { limits: { pids: 9 } });
    expect((await run.execute()).status).toBe('Succeeded');
    expect(run.engine.spaces[0]).toMatchObject({ runId: 'run1xab12cd', owner: 'daemon/ab12cd', init: true, limits: { pids: 9 } });
    expect(run.engine.spaces[0]?.adopt).toBeUndefined();
    expect(run.types()).toEqual(['run-started', 'step-started a', 'container-created a', 'step-finished a', 'run-finished']);
    expect(run.engine.calls).toEqual(['run a#1', 'start a#1', 'end a#1', 'release', 'destroy']);
  });

  it('goes on after a kill: output without a gap, the exit code of the container, one start, numbered on', async () => {
    const run = new Durable([cmd('a', hold), cmd('b', { needs: ['a'] })]);
    void run.execute();
    const first = await run.engine.nextStart('a');
    await first.write('stdout', `one ${SECRET} \xff sword`);
    run.kill();
    await first.write('stdout', 'fish two');
    const resumed = run.execute();
    const second = await run.engine.nextStart('a');
    await second.write('stderr', 'err');
    second.exit(0);
    const result = await resumed;
    expect(result).toMatchObject({ status: 'Succeeded', suspended: false });
    expect(run.record.text('a')).toBe(Buffer.from(`one *** \xff *** two`).toString('latin1'));
    expect(run.record.text('a', 'stderr')).toBe('err');
    expect(run.engine.calls.filter((call) => call.startsWith('start'))).toEqual(['start a#1', 'start b#1']);
    expect(run.record.events.map(({ seq }) => seq)).toEqual(run.record.events.map((_, index) => index + 1));
    expect(run.types()).toEqual([
      ...['run-started', 'step-started a', 'container-created a', 'note', 'step-finished a'],
      ...['step-started b', 'container-created b', 'step-finished b', 'run-finished'],
    ]);
    expect(run.record.events.at(-1)).toMatchObject({ type: 'run-finished', status: 'Succeeded' });
  });

  it('takes the exit code of what ended while nobody watched, and its last words', async () => {
    const run = new Durable([cmd('a', hold)]);
    void run.execute();
    const container = await run.engine.nextStart('a');
    await container.write('stdout', 'said ');
    run.kill();
    await container.write('stdout', 'unheard');
    container.exit(7);
    expect(await run.execute()).toMatchObject({ status: 'Failed', failure: { step: 'a', message: 'the command exited with code 7' } });
    expect(run.record.text('a')).toBe('said unheard');
  });

  it('says that a step is lost whose container is gone, and never runs it again', async () => {
    const run = new Durable([cmd('a', { ...hold, retries: 3 })]);
    void run.execute();
    await run.engine.nextStart('a');
    run.kill();
    run.engine.lose('run1xab12cd', 'a', 1);
    expect(await run.execute()).toMatchObject({ status: 'Error', failure: { step: 'a', errorCode: 'agent-lost' } });
    expect(run.engine.calls.filter((call) => call.startsWith('start'))).toEqual(['start a#1']);
  });

  it('starts a step that had been announced and had no container', async () => {
    const run = new Durable([cmd('a')]);
    void run.execute({ signal: AbortSignal.abort() });
    await run.until({ type: 'run-finished' });
    const events = [
      { type: 'run-started', task: 't', registry: '', engine: '', steps: [] },
      { type: 'step-started', step: 'a', attempt: 1, detail: '' },
    ] as const;
    run.record.events.splice(0);
    for (const [index, fact] of events.entries())
      run.record.emit({ version: 1, run: 'run1', seq: index + 1, at: run.clock.now().toISOString(), ...fact });
    expect((await run.execute()).status).toBe('Succeeded');
    expect(run.types().slice(2)).toEqual(['note', 'container-created a', 'step-finished a', 'run-finished']);
  });

  it('counts retries and the timeout on', async () => {
    const run = new Durable([cmd('a', { env: ['FAKE_HOLD=1'], retries: 1, retryDelayMs: 0, timeoutMs: 10_000 })]);
    void run.execute();
    (await run.engine.nextStart('a')).exit(1);
    await run.engine.nextStart('a');
    await run.clock.advance(6000);
    void run.record.emit({
      ...(run.record.events.at(-1) as (typeof run.record.events)[0]),
      seq: run.record.events.length + 1,
      at: run.clock.now().toISOString(),
      type: 'note',
      level: 'info',
      message: '',
    });
    run.kill();
    const resumed = run.execute();
    const container = await run.engine.nextStart('a');
    await run.clock.advance(3999);
    expect(container.request.attempt).toBe(2);
    await run.clock.advance(1);
    expect(await resumed).toMatchObject({ status: 'Failed', failure: { message: 'the command did not end within 10 s: timed out' } });
    expect((await resumed).steps.get('a')).toMatchObject({ attempts: 2, timedOut: true });
    expect(run.types().filter((type) => type === 'step-retrying a')).toHaveLength(1);
  });

  it('builds and pushes again, as another attempt, and tells all images at the end', async () => {
    const steps = [
      build('made', { spec: { tags: ['app:1'] } }),
      cmd('check', { needs: ['made'] }),
      push('out', ['app:1', 'app:2'], { needs: ['check'] }),
    ];
    const run = new Durable([...steps, build('other', { spec: { tags: ['other:1'] } })]);
    run.engine.scripts.build.set('other', 'hold', { ok: true, imageId: 'sha256:other' });
    run.engine.scripts.push.set('app:2', 'hold', { ok: true, digest: 'sha256:2' });
    void run.execute();
    await run.until({ type: 'image-pushed' });
    run.kill();
    const result = await run.execute();
    expect(result).toMatchObject({
      status: 'Succeeded',
      built: [{ step: 'made' }, { step: 'other' }],
      images: [{ reference: 'app:1' }, { reference: 'app:2' }],
      baseImages: [{ step: 'made' }, { step: 'other' }],
    });
    expect(run.engine.calls.filter((call) => call.startsWith('build') || call.startsWith('push'))).toEqual(
      expect.arrayContaining(['build made#1', 'build other#1', 'build other#2', 'push app:1', 'push app:2', 'push app:2']),
    );
    expect(run.engine.calls.filter((call) => call === 'push app:1')).toHaveLength(1);
  });

  it('ends as it would have when a step had failed and others were being stopped', async () => {
    const run = new Durable([
      cmd('bad', hold),
      cmd('slow', { env: ['FAKE_HOLD=1', 'FAKE_IGNORE_TERM=1'] }),
      cmd('after', { needs: ['slow'] }),
    ]);
    void run.execute();
    const [bad] = await Promise.all([run.engine.nextStart('bad'), run.engine.nextStart('slow')]);
    bad.exit(3);
    await run.until({ type: 'step-finished', step: 'after' });
    run.kill();
    const resumed = run.execute();
    await (await run.engine.nextStart('slow')).terminated;
    await run.clock.advanceToNext();
    const result = await resumed;
    expect(result).toMatchObject({ status: 'Failed', failure: { step: 'bad', message: 'the command exited with code 3' } });
    expect([...result.steps].map(([id, { status }]) => `${id} ${status}`)).toEqual(['bad failed', 'slow canceled', 'after skipped']);
  });

  it('only tidies up and tells the end when all steps had ended', async () => {
    const run = new Durable([
      cmd('a'),
      cmd('b', { needs: ['a'], env: ['FAKE_EXIT_CODE=2'], ignoreErrors: true }),
      cmd('c', { needs: ['b'] }),
    ]);
    await run.execute();
    expect(run.engine.spaces[0]?.lanes).toHaveLength(1);
    run.record.events.pop();
    expect(await run.execute()).toMatchObject({ status: 'Succeeded' });
    expect(run.engine.spaces[1]?.lanes).toEqual([]);
    expect(run.types().slice(-3)).toEqual(['step-finished c', 'note', 'run-finished']);
    expect(run.engine.calls.filter((call) => call.startsWith('start'))).toHaveLength(3);
  });

  it('ends as an error, without an end of the run by itself, when no engine comes back', async () => {
    const run = new Durable([cmd('a', hold), cmd('b', { needs: ['a'] })]);
    void run.execute();
    await run.engine.nextStart('a');
    run.kill();
    const { EngineError } = await import('../../src/model/engine-error.ts');
    const down = createFakeEngine({ clock: run.clock, failDescribe: new EngineError('engine-unreachable', 'down', { transient: true }) });
    const resumed = run.execute({}, down);
    for (let tries = 0; tries < 120; tries += 1) {
      await run.clock.sleeping();
      await run.clock.advance(500);
    }
    const result = await resumed;
    expect(result).toMatchObject({ status: 'Error', failure: { errorCode: 'engine-unreachable' } });
    expect([...result.steps].map(([id, { status }]) => `${id} ${status}`)).toEqual(['a errored', 'b skipped']);
  });

  it('stops what an earlier attempt started when it is canceled at once', async () => {
    const run = new Durable([cmd('a', hold), cmd('b', { needs: ['a'] })]);
    void run.execute();
    const container = await run.engine.nextStart('a');
    run.kill();
    const result = await run.execute({ signal: AbortSignal.abort() });
    await container.terminated;
    expect(result.status).toBe('Canceled');
    expect([...result.steps].map(([id, { status }]) => `${id} ${status}`)).toEqual(['a canceled', 'b skipped']);
    expect(run.engine.calls.slice(-2)).toEqual(['release', 'destroy']);
  });

  it('waits for the timeout of the run from its first start', async () => {
    const run = new Durable([cmd('a', hold)], { runTimeoutMs: 60_000 });
    void run.execute();
    await run.engine.nextStart('a');
    const resume = { ...resumeOf(run.plan, run.record.events, []), elapsedMs: 59_000 };
    run.kill();
    const resumed = run.execute({ resume });
    await run.engine.nextStart('a');
    await run.clock.advance(1000);
    expect((await resumed).status).toBe('Timeout');
  });
});

describe('a run that is suspended', () => {
  it('starts nothing more, stops nothing, and goes on where it was', async () => {
    const suspend = new AbortController();
    const run = new Durable([cmd('a', hold), cmd('b', { needs: ['a'] }), build('c')]);
    run.engine.scripts.build.set('c', 'hold', { ok: true, imageId: 'sha256:c' });
    const first = run.execute({ suspend: suspend.signal });
    const container = await run.engine.nextStart('a');
    await container.write('stdout', 'before sword');
    suspend.abort();
    expect((await first).suspended).toBe(true);
    expect(run.types()).not.toContain('run-finished');
    expect(run.types()).not.toContain('step-finished a');
    expect(run.record.text('a')).toBe('before ');
    expect(run.engine.destroyed).toBe(0);
    const resumed = run.execute();
    const again = await run.engine.nextStart('a');
    await again.write('stdout', ' and after');
    again.exit(0);
    expect((await resumed).status).toBe('Succeeded');
    expect(run.record.text('a')).toBe('before sword and after');
    expect(run.engine.calls.filter((call) => call.startsWith('start'))).toEqual(['start a#1', 'start b#1']);
  });
});

describe('an engine that takes a container along', () => {
  it('gives the step one more attempt only where that is wanted', async () => {
    const { EngineError } = await import('../../src/model/engine-error.ts');
    const lost = new EngineError('engine-failed', 'the engine went away', { transient: true });
    const outcomes = [];
    for (const retryOnEngineLoss of [false, true]) {
      const run = new Durable([cmd('a')], { retryOnEngineLoss });
      run.engine.scripts.run.set('a', lost, 'run');
      outcomes.push((await run.execute()).status);
    }
    expect(outcomes).toEqual(['Error', 'Succeeded']);
  });
});
