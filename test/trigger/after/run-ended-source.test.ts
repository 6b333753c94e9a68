import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/model/engine-error.ts';
import type { AfterTrigger } from '../../../src/model/trigger-definition.ts';
import type { NewTriggerEvent } from '../../../src/model/trigger-event.ts';
import type { Evaluation } from '../../../src/trigger/parts.ts';
import { runRequest } from '../../contract/store-values.ts';
import { createFakeClock, type FakeClock } from '../../fakes/fake-clock.ts';
import { ASKER, type Folder, makeFolder } from '../../service/runs/control-plane.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openRig, type RigOptions, type TriggerRig } from '../trigger-rig.ts';

let folder: Folder;
let clock: FakeClock;
let rig: TriggerRig;
let looked: string[];
let look: (run: string) => Promise<void>;
beforeEach(async () => {
  folder = await makeFolder();
  clock = createFakeClock();
  looked = [];
  look = async () => undefined;
  rig = await openRig(folder, options());
});
afterEach(async () => {
  await rig.stop();
  await folder.remove();
});

function options(): RigOptions {
  const afterRun = async ({ id }: { readonly id: string }): Promise<Evaluation> => {
    await look(id);
    looked.push(id);
    return { decisions: [] };
  };
  return { clock, outside: () => ({ sources: [], headOf: async () => undefined, afterRun }) };
}

function afterOf(task: string, parts: Partial<AfterTrigger> = {}): AfterTrigger {
  return { name: `after-${task}`, status: 'Enabled', task, on: 'succeeded', ...parts };
}

async function start(task: string, parts: Parameters<typeof runRequest>[0] = {}): Promise<string> {
  return (await rig.plane.runs.create(runRequest({ task, ...parts }), ASKER)).id;
}

async function decisions(task: string): Promise<readonly string[]> {
  return (await rig.plane.store.events.decisions({ task, limit: 100 })).map(({ code, because }) => `${code}: ${because}`).reverse();
}

const IMAGE = { step: 'push', reference: 'registry.example/base:1', digest: `sha256:${'a'.repeat(64)}` };

describe('tasks that run after others', () => {
  it('run when one succeeded, with the chain of its causes; not when it failed', async () => {
    await rig.define('build');
    await rig.define('test', { afterTriggers: [afterOf('build')] });
    await rig.triggers.start();
    const first = await start('build');
    await rig.end(first, 'Failed');
    const second = await start('build');
    await rig.end(second);
    await rig.triggers.idle();
    const [run, ...others] = await rig.runsOf('test');
    expect(others).toEqual([]);
    expect(run?.request.causes).toEqual([
      { kind: 'after', task: 'build', run: second, eventId: expect.stringMatching(/^e\d+$/) },
      { kind: 'manual', principal: 'token ci', from: '192.0.2.1' },
    ]);
    expect(await decisions('test')).toEqual([
      `status-not-followed: run ${first} of task build ended as Failed`,
      `fired: run ${second} of task build succeeded`,
    ]);
    expect(looked).toEqual([first, second]);
    const explained = await rig.triggers.explainRun(run?.id ?? '');
    expect(explained).toMatchObject({ task: 'test', trigger: 'After', status: 'Queued' });
    expect(explained.chain.map(({ summary }) => summary)).toEqual([`run ${second} of task build succeeded`, 'token ci asked for it']);
    expect(explained.decisions.map(({ code }) => code)).toEqual(['fired']);
  });

  it('on: pushed asks for an image; disabled ones and runs of forks start nothing', async () => {
    await rig.define('build');
    await rig.define('scan', { afterTriggers: [afterOf('build', { on: 'pushed' })] });
    await rig.define('off', { afterTriggers: [afterOf('build', { status: 'Disabled' })] });
    await rig.define('idle', { afterTriggers: [afterOf('build')] }, { status: 'Disabled' });
    await rig.triggers.start();
    await rig.end(await start('build'));
    await rig.end(await start('build'), 'Succeeded', { images: [IMAGE] });
    await rig.end(await start('build', { trust: 'untrusted' }), 'Succeeded', { images: [IMAGE] });
    await rig.triggers.idle();
    expect((await decisions('scan')).map((text) => text.split(':')[0])).toEqual(['status-not-followed', 'fired', 'fork-ignored']);
    expect((await decisions('off')).map((text) => text.split(':')[0])).toEqual([
      'trigger-disabled',
      'trigger-disabled',
      'trigger-disabled',
    ]);
    expect((await decisions('idle')).map((text) => text.split(':')[0])).toEqual(['task-disabled', 'task-disabled', 'task-disabled']);
  });

  it('a circle is refused with its way, and so is a chain that is too long', async () => {
    await rig.define('a', { afterTriggers: [afterOf('c')] });
    await rig.define('b', { afterTriggers: [afterOf('a')] });
    await rig.define('c', { afterTriggers: [afterOf('b')] });
    for (let link = 1; link <= 12; link += 1) await rig.define(`link${link}`, { afterTriggers: [afterOf(`link${link - 1}`)] });
    await rig.triggers.start();
    await rig.end(await start('a'));
    for (const task of ['b', 'c']) await rig.end((await rig.runs(task, 1))[0]?.id ?? '');
    await rig.triggers.idle();
    expect((await rig.runsOf('a')).length).toBe(1);
    expect(await decisions('a')).toEqual(['fired: token ci asked for it', 'already-in-chain: it would follow itself: a → b → c → a']);
    let last = await start('link0');
    let ended = 0;
    for (;;) {
      await rig.end(last);
      await rig.triggers.idle();
      ended += 1;
      const [next] = await rig.runsOf(`link${ended}`);
      if (next === undefined) break;
      last = next.id;
    }
    expect(ended).toBe(10);
    expect(await decisions('link10')).toEqual([
      expect.stringMatching(/^chain-too-long: run ra\w+ of task link9 is number 10 of a chain of runs/),
    ]);
  });

  it('a circle over images that came together in one run is refused too', async () => {
    await rig.define('base', { afterTriggers: [afterOf('app')] });
    await rig.define('other');
    await rig.define('app');
    await rig.triggers.start();
    const digest = `sha256:${'a'.repeat(64)}`;
    const push = async (task: string): Promise<string> => {
      const run = await start(task);
      await rig.end(run, 'Succeeded', { images: [{ step: 'push', reference: `registry.example/${task}:1`, digest }] });
      return run;
    };
    await push('base');
    const other = await push('other');
    const images = ['base', 'other'].map((repository) => ({ registry: 'registry.example', repository, tag: '1', digest }));
    // Only the run of the image that came last is named.
    const cause = { kind: 'image-update', trigger: 'base', images, run: other, task: 'other' } as const;
    const app = await rig.plane.runs.create(runRequest({ task: 'app', causes: [cause] }), ASKER);
    await rig.end(app.id);
    await rig.triggers.idle();
    expect((await decisions('base')).at(-1)).toBe('already-in-chain: it would follow itself: base → app → base');
  });

  it('an end that the daemon had no time to tell of is found at the next start, once', async () => {
    await rig.define('build');
    await rig.define('test', { afterTriggers: [afterOf('build')] });
    await rig.triggers.start();
    await rig.end(await start('build'));
    await rig.triggers.idle();
    const untold = await start('build');
    await clock.advance(1000);
    await rig.plane.store.runs.finish(untold, undefined, {
      status: 'Succeeded',
      steps: [],
      images: [],
      built: [],
      baseImages: [],
      dependencies: [],
    });
    for (let process = 1; process <= 3; process += 1) {
      await rig.stop();
      rig = await openRig(folder, options());
      await rig.triggers.start();
      await rig.triggers.idle();
    }
    expect((await rig.runsOf('test')).length).toBe(2);
    expect((await decisions('test')).length).toBe(2);
  });
});

describe('runs that wait for others', () => {
  async function fireHeld(
    hold: { readonly runs?: readonly string[]; readonly until?: string; readonly approval?: { readonly commit: string } },
    key: string,
  ) {
    const task = (await rig.plane.store.tasks.get('app')) ?? (await rig.define('app'));
    const fired = await rig.parts.runs.fire({
      ...{ task, causes: [{ kind: 'timer', trigger: 't', occurrence: key }], trust: 'trusted' },
      firing: { taskId: task.id, trigger: 't', keys: [key], event: 'e1' },
      hold: { because: 'a test', ...hold },
    });
    if (fired?.created !== true) throw new Error('no run');
    return fired.run.id;
  }
  const holdOf = async (run: string) => (await rig.plane.get(run)).hold;
  const released = (run: string) => waitFor(async () => ((await holdOf(run)) === undefined ? true : undefined));

  it('go on only when all have ended and what they pushed has been looked at and decided on', async () => {
    await rig.triggers.start();
    const [one, other] = [await start('build'), await start('build')];
    const held = await fireHeld({ runs: [one, other] }, '1');
    let seen: (() => void) | undefined;
    look = () =>
      new Promise((resolve) => {
        seen = resolve;
      });
    await rig.end(one);
    const letGo = await waitFor(async () => seen);
    expect(await holdOf(held)).toMatchObject({ runs: [one, other] });
    look = async () => undefined;
    letGo();
    await waitFor(async () => ((await holdOf(held))?.runs?.length === 1 ? true : undefined));
    expect(await holdOf(held)).toMatchObject({ runs: [other] });
    await rig.end(other, 'Failed');
    await released(held);
  });

  it('wait for the image change that the run brought', async () => {
    await rig.stop();
    let decide = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (decide = resolve));
    rig = await openRig(folder, {
      clock,
      outside: () => ({
        headOf: async () => undefined,
        sources: [
          {
            handlers: {
              'image-changed': async () => {
                await waiting;
                return { decisions: [] };
              },
            },
            ...{
              start: async () => undefined,
              taskChanged: async () => undefined,
              check: async () => undefined,
              close: async () => undefined,
            },
          },
        ],
        afterRun: async ({ id }) => {
          const image = { registry: 'registry.example', repository: 'base', tag: '1' };
          const happening = {
            kind: 'image-changed' as const,
            image,
            indexDigest: 'sha256:b',
            platforms: {},
            previous: 'sha256:a',
            run: id,
          };
          const then: NewTriggerEvent[] = [{ dedupKey: `image ${id}`, origin: 'run', happening }];
          return { decisions: [], then };
        },
      }),
    });
    await rig.triggers.start();
    const run = await start('build');
    const held = await fireHeld({ runs: [run] }, '1');
    await rig.end(run);
    const [event] = await waitFor(async () => {
      const ended = await rig.triggers.events({ kind: 'run-ended', status: 'settled', limit: 1 });
      return ended.length > 0 ? ended : undefined;
    });
    expect(event).toMatchObject({ happening: { run } });
    expect(await holdOf(held)).toMatchObject({ runs: [run] });
    decide();
    await released(held);
  });

  it('that were let down by a daemon that ended go on after the next start', async () => {
    await rig.triggers.start();
    const run = await start('build');
    const held = await fireHeld({ runs: [run] }, '1');
    const gone = await fireHeld({ runs: ['ra999'] }, '2');
    await rig.stop();
    rig = await openRig(folder, options());
    await rig.plane.store.runs.finish(run, undefined, {
      status: 'Succeeded',
      steps: [],
      images: [],
      built: [],
      baseImages: [],
      dependencies: [],
    });
    await rig.triggers.start();
    await rig.triggers.idle();
    await clock.advance(60_000);
    await Promise.all([released(held), released(gone)]);
  });

  it('for a time go on when it is over, also after a restart; approvals stay', async () => {
    await rig.triggers.start();
    const until = new Date(clock.now().getTime() + 45_000).toISOString();
    const soon = await fireHeld({ until: new Date(clock.now().getTime() + 20_000).toISOString() }, '1');
    const later = await fireHeld({ until }, '2');
    const both = await fireHeld({ until, approval: { commit: 'c'.repeat(40) } }, '3');
    await clock.advance(19_999);
    expect(await holdOf(soon)).toBeDefined();
    await clock.advance(1);
    await released(soon);
    expect(await holdOf(later)).toBeDefined();
    await rig.stop();
    rig = await openRig(folder, options());
    await rig.triggers.start();
    await clock.advance(25_000);
    await released(later);
    await waitFor(async () => ((await holdOf(both))?.until === undefined ? true : undefined));
    expect(await holdOf(both)).toEqual({ because: 'a test', approval: { commit: 'c'.repeat(40) } });
    await clock.advance(3_600_000);
    expect(await holdOf(both)).toBeDefined();
  });

  it('whose time is put off wait on', async () => {
    await rig.triggers.start();
    const at = (seconds: number): string => new Date(Date.UTC(2030, 0, 2, 3, 4, 5 + seconds)).toISOString();
    const run = await fireHeld({ until: at(20) }, '1');
    const task = (await rig.plane.store.tasks.get('app')) ?? (await rig.define('app'));
    await rig.parts.runs.join(run, {
      cause: { kind: 'timer', trigger: 't', occurrence: '1, 2' },
      firing: { taskId: task.id, trigger: 't', keys: ['2'], event: 'e1' },
      hold: { because: 'a test', until: at(40) },
    });
    await clock.advance(30_000);
    expect(await holdOf(run)).toMatchObject({ until: at(40) });
    await clock.advance(10_000);
    await released(run);
  });

  it('when looking fails for a while, wait until it does not', async () => {
    await rig.triggers.start();
    const run = await start('build');
    const held = await fireHeld({ runs: [run] }, '1');
    look = () => Promise.reject(new EngineError('registry-unreachable', 'no answer', { transient: true }));
    await rig.end(run);
    await rig.triggers.idle();
    await clock.advance(500);
    expect(await holdOf(held)).toBeDefined();
    look = async () => undefined;
    await clock.advance(31_000);
    await released(held);
  });
});
