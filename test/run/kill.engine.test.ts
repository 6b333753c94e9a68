import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDockerEngine } from '../../src/container/docker-engine.ts';
import type { RunEvent } from '../../src/model/run-event.ts';
import { createMasker } from '../../src/util/masker.ts';
import { IMAGE } from '../contract/run-spec.ts';
import { leftovers } from '../support/leftovers.ts';
import { type CmdOptions, cmd, plan } from './plans.ts';

const SECRET = 'sword-fish-22';
const SEED = Number(process.env['SLIPWAY_TEST_SEED'] ?? 20_260);
const KILLS = 15;
const LINES = 250;

let folder: string;
const spaceId = `kill${randomBytes(4).toString('hex')}`;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-kill-'));
  mkdirSync(join(folder, 'effects'));
});
afterAll(async () => {
  const engine = await createDockerEngine();
  await engine.collectRuns({ owner: 'test/kill9', live: () => new Set() });
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Numbers in [0, 1) from a seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A step whose every execution leaves a line in a file of this machine. */
function counted(id: string, script: string, options: CmdOptions = {}) {
  const args = ['sh', '-c', `echo x >> /effects/${id}\n${script}`];
  return cmd(id, { ...options, container: { image: IMAGE, args }, extra: { volumes: [`${join(folder, 'effects')}:/effects`] } });
}

/** Executes or resumes the run; kills it, or makes it let go, after a while. Resolves whether the run has ended. */
async function execute(endAfterMs: number, endBy: 'SIGKILL' | 'SIGTERM'): Promise<boolean> {
  const program = fileURLToPath(new URL('./fixtures/durable-run.ts', import.meta.url));
  const child = spawn(process.execPath, [program, folder], { stdio: 'inherit' });
  const timer = setTimeout(() => child.kill(endBy), endAfterMs);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  expect(code ?? signal).toBe(code === null ? endBy : 0);
  return existsSync(join(folder, 'result'));
}

function recorded<T>(name: string): readonly T[] {
  const lines = readFileSync(join(folder, name), 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as T);
}

function output(step: string, stream: string): string {
  const chunks = recorded<{ step: string; stream: string; text: string }>('output');
  const own = chunks.filter((chunk) => chunk.step === step && chunk.stream === stream);
  return Buffer.concat(own.map(({ text }) => Buffer.from(text, 'base64'))).toString('latin1');
}

test('a run that is killed or suspended again and again loses nothing and does nothing twice', async () => {
  const write = `i=0; while [ $i -lt ${LINES} ]; do
    printf "out $i \\377\\303 ${SECRET}${SECRET} sword-"; echo "err $i ${SECRET}" >&2; sleep 0.02; printf "fish\\n"; i=$((i+1)); done
    head -c 40000 /dev/zero | tr "\\000" "\\303"; echo; printf "end sword-"; exit 0`;
  const steps = [
    counted('write', write),
    counted('fails', 'sleep 1; echo failing; exit 7', { ignoreErrors: true }),
    counted('again', 'sleep 0.5; echo attempt; [ $(wc -l < /effects/again) = 2 ]', { needs: ['fails'], retries: 2, retryDelayMs: 100 }),
    ...['one', 'two', 'three'].map((id, index, all) => counted(id, 'sleep 0.3; echo done', { needs: [all[index - 1] ?? 'again'] })),
    counted('last', 'echo all', { needs: ['write', 'three'] }),
  ];
  writeFileSync(join(folder, 'plan.json'), JSON.stringify({ plan: plan(steps), spaceId, secret: SECRET }));
  const random = seeded(SEED);
  let ended = false;
  let kills = 0;
  while (!ended) {
    ended = await execute(kills < KILLS ? 150 + random() * 900 : 120_000, random() < 0.7 ? 'SIGKILL' : 'SIGTERM');
    if (!ended) kills += 1;
  }

  const events = recorded<RunEvent>('events');
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  const ends = events.flatMap((event) => (event.type === 'step-finished' ? [`${event.step} ${event.status} ${event.exitCode}`] : []));
  expect(events.filter((event) => event.type === 'step-finished' && event.errorCode !== undefined)).toEqual([]);
  expect(ends.toSorted()).toEqual([
    ...['again succeeded 0', 'fails succeeded 7', 'last succeeded 0', 'one succeeded 0', 'three succeeded 0', 'two succeeded 0'],
    'write succeeded 0',
  ]);
  expect(events.filter(({ type }) => type === 'run-finished')).toMatchObject([{ status: 'Succeeded' }]);
  expect(recorded('result')).toEqual([{ status: 'Succeeded' }]);
  expect(kills).toBeGreaterThan(8);

  const executions = (step: string): number => readFileSync(join(folder, 'effects', step), 'utf8').length / 2;
  expect(steps.map(({ id }) => `${id} ${executions(id)}`)).toEqual([
    ...['write 1', 'fails 1', 'again 2', 'one 1', 'two 1', 'three 1', 'last 1'],
  ]);

  const masker = createMasker([SECRET]);
  const masked = (text: string): string => {
    const stream = masker.stream();
    return Buffer.concat([stream.push(Buffer.from(text, 'latin1')), stream.flush()]).toString('latin1');
  };
  const numbers = Array.from({ length: LINES }, (_, index) => index);
  const stdout = `${numbers.map((i) => `out ${i} \xff\xc3 ${SECRET}${SECRET} sword-fish\n`).join('')}${'\xc3'.repeat(40_000)}\nend sword-`;
  expect(output('write', 'stdout') === masked(stdout), 'standard output is exact').toBe(true);
  expect(output('write', 'stderr')).toBe(masked(numbers.map((i) => `err ${i} ${SECRET}\n`).join('')));
  expect(output('again', 'stdout')).toBe('attempt\nattempt\n');
  expect(await leftovers(spaceId)).toEqual([]);
});
