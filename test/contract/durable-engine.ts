import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContainerEngine, RunSpace, RunSpaceSpec } from '../../src/model/ports/container-engine.ts';
import type { EngineUnderTest } from './container-engine.ts';
import { OutputRecorder, run, runSpec } from './run-spec.ts';

/** What every ContainerEngine keeps of runs that survive the process that executes them. */
export function durableEngineContract(name: string, subject: EngineUnderTest): void {
  describe(`durable runs: ${name}`, () => {
    const owner = `test/${randomBytes(4).toString('hex')}`;
    let engine: ContainerEngine;
    beforeAll(async () => {
      engine = await subject.open();
    });
    afterAll(async () => {
      await engine.collectRuns({ owner, live: () => new Set() });
      await engine.close();
    });

    const durable = (): RunSpaceSpec => ({ ...runSpec(), owner, durableLogs: true });
    const adopt = (spec: RunSpaceSpec): Promise<RunSpace> => engine.openRun({ ...spec, adopt: true });
    const remove = (space: RunSpace): Promise<unknown> => space.destroy({ signal: AbortSignal.timeout(30_000) });

    it('lets go of a container that runs, and follows it again from any byte', async () => {
      const spec = durable();
      const space = await engine.openRun(spec);
      const first = new OutputRecorder();
      const running = space.runContainer(subject.request('a', { stdout: 'still up\n', forever: true }), first.io);
      await first.saw('still up\n');
      await space.detach();
      expect(await running).toMatchObject({ detached: true, canceled: false });
      expect(await remove(space)).toEqual([]);
      const again = await adopt(spec);
      const second = new OutputRecorder();
      const positions = { stdout: 6, stderr: 0 };
      const adopted = again.runContainer({ ...subject.request('a', {}), adopt: { positions } }, second.io);
      await second.saw('up\n');
      second.cancel();
      expect(await adopted).toMatchObject({ canceled: true, containerId: (await running).containerId });
      expect(second.all).toBe('up\n');
      await remove(again);
    });

    it('tells how a container ended that ended before, and what it had said', async () => {
      const spec = durable();
      const space = await engine.openRun(spec);
      await run(space, subject.request('a', { stdout: 'out', stderr: 'err', exitCode: 3 }));
      await space.detach();
      const again = await adopt(spec);
      const adopted = await run(again, { ...subject.request('a', {}), adopt: { positions: { stdout: 2, stderr: 3 } } });
      expect(adopted).toMatchObject({ stdout: 't', stderr: '', outcome: { exitCode: 3, canceled: false } });
      await remove(again);
    });

    it('keeps an ended container until its end is on record', async () => {
      const spec = durable();
      const space = await engine.openRun(spec);
      const { outcome } = await run(space, subject.request('a', {}));
      space.release(outcome.containerId);
      await space.detach();
      const again = await adopt(spec);
      const positions = { stdout: 0, stderr: 0 };
      expect((await run(again, { ...subject.request('a', {}), adopt: { positions } })).outcome.gone).toBe(true);
      expect((await run(again, { ...subject.request('never', {}), adopt: { positions } })).outcome.gone).toBe(true);
      expect((await run(again, subject.request('next', { stdout: 'x' }))).stdout).toBe('x');
      await remove(again);
    });

    it('starts nothing that was let go of before its container was on record', async () => {
      const spec = durable();
      const space = await engine.openRun(spec);
      const told = Promise.withResolvers<void>();
      const recorded = Promise.withResolvers<void>();
      const output = new OutputRecorder();
      const onStarted = (): Promise<void> => {
        told.resolve();
        return recorded.promise;
      };
      const running = space.runContainer(subject.request('a', { stdout: 'once' }), { ...output.io, onStarted });
      await told.promise;
      const detached = space.detach();
      recorded.resolve();
      await detached;
      expect(await running).toMatchObject({ detached: true });
      const again = await adopt(spec);
      const { outcome, stdout } = await run(again, {
        ...subject.request('a', { stdout: 'once' }),
        adopt: { positions: { stdout: 0, stderr: 0 } },
      });
      // A container that was made and never started is as good as none, and may be started.
      expect(outcome.gone === true ? 'once' : stdout).toBe('once');
      expect(output.all).toBe('');
      await remove(again);
    });

    it('collects what is not live of one owner, and only that', async () => {
      const [live, dead] = [durable(), durable()];
      const foreign = { ...durable(), owner: `${owner}x` };
      const spaces = await Promise.all([live, dead, foreign].map((spec) => engine.openRun(spec)));
      for (const space of spaces) await run(space, subject.request('a', { forever: true }, { detach: true }));
      expect((await engine.collect({ olderThanMs: 0, dryRun: true })).filter((thing) => thing.run === dead.runId)).toEqual([]);
      const collected = await engine.collectRuns({ owner, live: () => new Set([live.runId]) });
      expect(new Set(collected.map((thing) => thing.run))).toEqual(new Set([dead.runId]));
      for (const space of spaces) await remove(space);
    });

    it('collects nothing of a run that begins while it looks', async () => {
      const spec = durable();
      let begun: RunSpace | undefined;
      const collected = await engine.collectRuns({
        owner,
        live: async () => {
          begun = await engine.openRun(spec);
          await run(begun, subject.request('a', { forever: true }, { detach: true }));
          return new Set();
        },
      });
      expect(collected.filter((thing) => thing.run === spec.runId)).toEqual([]);
      expect((await engine.collectRuns({ owner, live: () => new Set() })).some((thing) => thing.run === spec.runId)).toBe(true);
      if (begun !== undefined) await remove(begun);
    });
  });
}
