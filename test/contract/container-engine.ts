import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerEngine, ContainerRequest } from '../../src/model/ports/container-engine.ts';
import { OutputRecorder, run, withRun } from './run-spec.ts';

/** What a container of the suite does; each engine under test has its own way to make one do it. */
export interface Behaviour {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Lives until it is told to stop. */
  readonly forever?: boolean;
  readonly ignoresTerm?: boolean;
  readonly noSuchCommand?: boolean;
}

export interface EngineUnderTest {
  open(): Promise<ContainerEngine>;
  request(step: string, behaviour: Behaviour, overrides?: Partial<Pick<ContainerRequest, 'attempt' | 'detach' | 'keep'>>): ContainerRequest;
}

/** What every ContainerEngine keeps, the fake of the tests included (model/ports/container-engine.ts in words). */
export function containerEngineContract(name: string, subject: EngineUnderTest): void {
  describe(`container engine contract: ${name}`, () => {
    let engine: ContainerEngine;
    beforeAll(async () => {
      engine = await subject.open();
    });
    afterAll(async () => {
      await engine.close();
    });

    it('says who it is, the same each time', async () => {
      const description = await engine.describe();
      expect(description.version).not.toBe('');
      expect(description.cpus).toBeGreaterThan(0);
      expect(await engine.describe()).toEqual(description);
    });

    it('delivers both streams before the outcome and takes the exit code from the container', async () => {
      await withRun(engine, {}, async (space) => {
        const { outcome, stdout, stderr } = await run(space, subject.request('a', { stdout: 'out', stderr: 'err', exitCode: 3 }));
        expect({ stdout, stderr }).toEqual({ stdout: 'out', stderr: 'err' });
        expect(outcome).toMatchObject({ exitCode: 3, canceled: false, outOfMemory: false });
        expect(outcome.containerId).not.toBe('');
      });
    });

    it('tells the container id before the first output', async () => {
      await withRun(engine, {}, async (space) => {
        const seen: string[] = [];
        const outcome = await space.runContainer(subject.request('a', { stdout: 'x' }), {
          signal: new AbortController().signal,
          graceMs: 1000,
          onStarted: (id) => void seen.push(id),
          onOutput: () => void seen.push('output'),
        });
        expect(seen).toEqual([outcome.containerId, 'output']);
      });
    });

    it('takes what cannot be started as an outcome in the words of the engine', async () => {
      await withRun(engine, {}, async (space) => {
        const { outcome } = await run(space, subject.request('a', { noSuchCommand: true }));
        expect(outcome.exitCode).toBe(127);
        expect(outcome.startFailure).toMatch(/\S/);
      });
    });

    it('ends a container on cancel and says so', async () => {
      await withRun(engine, {}, async (space) => {
        const output = new OutputRecorder();
        const running = space.runContainer(subject.request('a', { stdout: 'up', forever: true }), output.io);
        await output.saw('up');
        output.cancel();
        expect((await running).canceled).toBe(true);
      });
    });

    it('kills after the grace what ignores the signal', async () => {
      await withRun(engine, {}, async (space) => {
        const output = new OutputRecorder();
        const running = space.runContainer(subject.request('a', { stdout: 'up', forever: true, ignoresTerm: true }), output.withGrace(500));
        await output.saw('up');
        const before = performance.now();
        output.cancel();
        const outcome = await running;
        expect(outcome).toMatchObject({ canceled: true, exitCode: 137 });
        expect(performance.now() - before).toBeGreaterThanOrEqual(490);
      });
    });

    it('starts nothing when it is cancelled already', async () => {
      await withRun(engine, {}, async (space) => {
        const output = new OutputRecorder();
        output.cancel();
        const outcome = await space.runContainer(subject.request('a', { stdout: 'never' }), output.io);
        expect(outcome.canceled).toBe(true);
        expect(output.all).toBe('');
      });
    });

    it('returns from a detached container when it has started', async () => {
      await withRun(engine, {}, async (space) => {
        const { outcome } = await run(space, subject.request('a', { forever: true }, { detach: true }));
        expect(outcome).toMatchObject({ exitCode: 0, canceled: false });
      });
    });

    it('runs a container that was prepared, and attempts one after another', async () => {
      await withRun(engine, {}, async (space) => {
        const first = subject.request('a', { stdout: 'one', exitCode: 1 });
        space.prepare(first);
        expect((await run(space, first)).stdout).toBe('one');
        const second = subject.request('a', { stdout: 'two' }, { attempt: 2 });
        expect(await run(space, second)).toMatchObject({ stdout: 'two', outcome: { exitCode: 0 } });
      });
    });

    it('runs steps side by side', async () => {
      await withRun(engine, {}, async (space) => {
        const outputs = [new OutputRecorder(), new OutputRecorder()];
        const running = outputs.map((output, index) =>
          space.runContainer(subject.request(`s${index}`, { stdout: 'up', forever: true }), output.withGrace(1)),
        );
        await Promise.all(outputs.map((output) => output.saw('up')));
        for (const output of outputs) output.cancel();
        expect((await Promise.all(running)).map(({ canceled }) => canceled)).toEqual([true, true]);
      });
    });

    it('destroys once, running containers included, and leaves nothing', async () => {
      await withRun(engine, {}, async (space) => {
        await run(space, subject.request('kept', {}, { keep: true }));
        await run(space, subject.request('detached', { forever: true }, { detach: true }));
        const options = { signal: AbortSignal.timeout(30_000) };
        const first = space.destroy(options);
        expect(space.destroy(options)).toBe(first);
        expect(await first).toEqual([]);
      });
    });

    it('collects nothing of a run whose process lives', async () => {
      await withRun(engine, {}, async (space, { runId }) => {
        await run(space, subject.request('detached', { forever: true }, { detach: true }));
        const collected = await engine.collect({ olderThanMs: 0, dryRun: true });
        expect(collected.filter((thing) => thing.run === runId)).toEqual([]);
      });
    });

    it('neither finds nor removes an image that is not there', async () => {
      expect(await engine.findImage('slipway.invalid/no/such:image')).toBeUndefined();
      expect(await engine.removeImage('slipway.invalid/no/such:image')).toBe('missing');
    });
  });
}
