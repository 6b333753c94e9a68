// A process of its own for the tests of faults: `node store-program.ts MODE PATH`. Prints JSON, one line an answer.
import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { EngineError } from '../../src/model/engine-error.ts';
import type { Store } from '../../src/model/ports/store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { newEvent } from '../contract/store-trigger-values.ts';
import { notes, outcome, runRequest, taskDefinition } from '../contract/store-values.ts';

const [mode = '', path = ''] = process.argv.slice(2);
const say = (value: unknown): number => writeSync(1, `${JSON.stringify(value)}\n`);
const codeOf = (error: unknown): string => (error instanceof EngineError ? error.code : String(error));

/** Tells each write after it was acknowledged, until it is killed. */
async function writeForEver(store: Store): Promise<never> {
  for (;;) {
    const { id } = await store.runs.create({ request: runRequest() });
    say({ id, events: 0 });
    await store.runs.claim(id, { agent: 'one', from: 0 });
    for (const seq of [1, 2, 3]) {
      await store.runs.append(id, 1, notes(id, seq, seq), { steps: [] });
      say({ id, events: seq });
    }
    await store.runs.finish(id, 1, outcome('Succeeded'));
    say({ id, events: 3, status: 'Succeeded' });
  }
}

/** What a daemon does with events: each is told again after a start, decided on, and settled. Tells each step, until it is killed or done. */
async function evaluate(store: Store, events: number): Promise<void> {
  const known = await store.tasks.get('app');
  const made = known === undefined ? await store.tasks.create(taskDefinition('app')) : undefined;
  const taskId = known?.id ?? (made?.ok === true ? made.value.id : '');
  for (let number = 0; number < events; number += 1) say(await store.events.record([newEvent(`push ${number}`)]));
  for (;;) {
    const pending = await store.events.pending(3);
    if (pending.length === 0) return;
    await store.events.begin(pending.map(({ id }) => id));
    await Promise.all(
      pending.map(async ({ id, dedupKey }) => {
        const fired = await store.runs.fire(
          { request: runRequest({ task: 'app' }) },
          { taskId, trigger: 'main', keys: [dedupKey], event: id },
        );
        say(fired);
        const run = fired?.created === true ? fired.run.id : (fired?.run ?? '');
        const then = [newEvent(`after ${dedupKey}`, { origin: 'run' })];
        const decisions = [{ task: 'app', outcome: 'run', code: 'fired', because: dedupKey, run }] as const;
        await store.events.settle([{ id, decisions, ...(dedupKey.startsWith('push') ? { then } : {}) }]);
        say(id);
      }),
    );
  }
}

/** Fills a small disk, frees some of it, and goes on. */
async function fillDisk(store: Store): Promise<void> {
  const large = runRequest({ env: [`LARGE=${'x'.repeat(30_000)}`] });
  const stored: string[] = [];
  const failures: string[] = [];
  while (failures.length === 0) {
    // Several at once share a transaction: it is stored whole or not at all.
    const told = await Promise.allSettled(Array.from({ length: 3 }, () => store.runs.create({ request: large })));
    for (const each of told) {
      if (each.status === 'fulfilled') stored.push(each.value.id);
      else failures.push(codeOf(each.reason));
    }
  }
  const whole = await Promise.all(stored.map(async (id) => (await store.runs.get(id))?.request.env[0]?.length));
  const listed = (await store.runs.list({ limit: 1000 })).map(({ id }) => id).reverse();
  rmSync(`${path}.filler`);
  const { id } = await store.runs.create({ request: large });
  await store.ping();
  say({ failures, stored, listed, whole: whole.every((length) => length === 30_006), next: id });
}

async function main(): Promise<void> {
  if (mode === 'open') {
    const answer = await openSqliteStore({ path }).then(
      () => 'opened',
      (error) => ({ code: codeOf(error), message: String(error.message) }),
    );
    say(answer);
    return;
  }
  if (mode === 'full') writeFileSync(`${path}.filler`, Buffer.alloc(400_000));
  const store = await openSqliteStore({ path });
  if (mode === 'loop') await writeForEver(store);
  if (mode === 'full') await fillDisk(store);
  if (mode === 'evaluate') await evaluate(store, 12);
  if (mode === 'count') {
    for (let index = 0; index < 200; index += 1) say({ number: (await store.runs.create({ request: runRequest() })).number });
  }
  await store.close();
}

await main();
