import { describe, expect, it } from 'vitest';
import type { AnalysedTask } from '../../../src/model/ports/task-analyser.ts';
import type { TaskRecord } from '../../../src/model/task-definition.ts';
import { type AnalysisParts, TaskAnalysis } from '../../../src/trigger/image/analysis.ts';
import { createFakeClock, settled } from '../../fakes/fake-clock.ts';
import { openRig } from './support.ts';

/** An analysis over a real store, whose answers the test gives. */
async function analysisOf(answer: (record: TaskRecord, signal: AbortSignal) => Promise<AnalysedTask>) {
  const rig = await openRig();
  const clock = createFakeClock();
  const read: string[] = [];
  const problems: unknown[] = [];
  const parts: AnalysisParts = {
    ...{ watch: rig.store.imageWatch, clock, analyse: answer },
    current: (name) => rig.store.tasks.get(name),
    onRead: async ({ definition }) => void read.push(definition.name),
    onProblem: (_what, error) => problems.push(error),
  };
  const analysis = new TaskAnalysis(parts);
  const close = async (): Promise<void> => {
    await analysis.close();
    await rig[Symbol.asyncDispose]();
  };
  return { rig, clock, read, problems, analysis, [Symbol.asyncDispose]: close };
}

const NOTHING: AnalysedTask = { dependencies: [], outputs: [] };

describe('reading tasks for their images', () => {
  it('reads each version once, two tasks at a time', async () => {
    let [running, most] = [0, 0];
    await using parts = await analysisOf(async () => {
      running += 1;
      most = Math.max(most, running);
      await settled();
      running -= 1;
      return NOTHING;
    });
    const { rig, analysis, read } = parts;
    const tasks = await Promise.all(Array.from({ length: 6 }, (_, number) => rig.define(`t${number}`)));
    for (const task of tasks) await analysis.look(task);
    await analysis.idle();
    expect(read).toHaveLength(6);
    expect(most).toBe(2);
    for (const task of tasks) await analysis.look(task);
    await analysis.idle();
    expect(read).toHaveLength(6);
    const [first] = tasks;
    if (first === undefined) throw new Error('no task');
    const changed = await rig.store.tasks.replace({ ...first.definition, priority: 1 }, {});
    if (!changed.ok) throw new Error(changed.because);
    await analysis.look(changed.value);
    await analysis.idle();
    expect(read).toHaveLength(7);
    expect(await rig.store.imageWatch.analysis(first.id)).toMatchObject({ version: 2 });
  });

  it('tries again once, however often a task is read in vain meanwhile', async () => {
    await using parts = await analysisOf(async () => ({ ...NOTHING, error: 'the server is away', transient: true }));
    const { rig, analysis, clock } = parts;
    await rig.define('app');
    for (let time = 0; time < 5; time += 1) {
      analysis.again('app');
      await analysis.idle();
    }
    await clock.sleeping();
    expect(clock.remaining()).toEqual([60_000]);
    await clock.advanceToNext();
    await analysis.idle();
    await clock.sleeping();
    expect(clock.remaining()).toEqual([120_000]);
  });

  it('says what it could not read, and tries again ever later when that may pass', async () => {
    let answer: () => Promise<AnalysedTask> = async () => ({ ...NOTHING, error: 'no such file' });
    await using parts = await analysisOf(() => answer());
    const { rig, analysis, clock, problems } = parts;
    const task = await rig.define('app');
    await analysis.look(task);
    await analysis.idle();
    expect(await rig.store.imageWatch.analysis(task.id)).toMatchObject({ error: 'no such file' });
    expect(clock.remaining()).toEqual([]);
    answer = async () => ({ ...NOTHING, error: 'the server is away', transient: true });
    analysis.again('app');
    for (const waitMs of [60_000, 120_000, 240_000]) {
      await clock.sleeping();
      expect(clock.remaining()).toEqual([waitMs]);
      await clock.advanceToNext();
      await analysis.idle();
    }
    expect(await rig.store.imageWatch.analysis(task.id)).toMatchObject({ error: 'the server is away' });
    answer = () => Promise.reject(new Error('out of order'));
    await clock.sleeping();
    await clock.advanceToNext();
    await analysis.idle();
    expect(await rig.store.imageWatch.analysis(task.id)).toMatchObject({ error: 'out of order' });
    answer = async () => NOTHING;
    await clock.sleeping();
    await clock.advanceToNext();
    await analysis.idle();
    expect((await rig.store.imageWatch.analysis(task.id))?.error).toBeUndefined();
    expect(clock.remaining()).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('ends with what it is doing', async () => {
    await using parts = await analysisOf(
      (_record, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    );
    const { rig, analysis, problems } = parts;
    const task = await rig.define('app');
    await analysis.look(task);
    await analysis.close();
    expect(await rig.store.imageWatch.analysis(task.id)).toBeUndefined();
    expect(problems).toEqual([]);
  });
});
