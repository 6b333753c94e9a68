import { setTimeout as pause } from 'node:timers/promises';
import type { LogLine } from '../../../src/api/run-log-schema.ts';
import type { TestDaemon } from '../../support/daemon.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault } from '../fault.ts';
import { endOf, startText } from '../workload.ts';

interface Shape {
  readonly runs: number;
  readonly steps: number;
  /** So many that every step runs when the daemon is killed. */
  readonly lines: number;
  readonly pauseSeconds: number;
}

const WHOLE: Shape = { runs: 10, steps: 10, lines: 70, pauseSeconds: 1 };
const BRIEF: Shape = { runs: 3, steps: 4, lines: 60, pauseSeconds: 0.2 };
/** The promise is 2 s and 5 s on a machine that does nothing else; the table shows what it was. */
const FIRST_LIMIT_MS = 10_000;
const ALL_LIMIT_MS = 20_000;

/** A hundred steps run when the daemon is killed: none is lost or run twice, no line is missing, and how soon all are followed again. */
export const manySteps: Fault = {
  name: 'kill -9, 100 steps',
  about: 'SIGKILL of the daemon while many steps run side by side',
  run: async ({ rounds, random, brief }) => {
    const shape = brief ? BRIEF : WHOLE;
    const env = { SLIPWAY_PARALLELISM: String(shape.steps) };
    await using daemon = await startChaosDaemon({ args: ['--max-runs', String(shape.runs)], env });
    const lost: string[] = [];
    const doubled: string[] = [];
    const [firsts, alls]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      const ids = await Promise.all(Array.from({ length: shape.runs }, () => startText(daemon, text(shape))));
      await waitFor(async () => ((await countRunning(daemon, ids)) === shape.runs * shape.steps ? true : undefined), 90_000);
      await pause(random.between(0, 1000));
      await daemon.kill();
      await pause(random.between(0, 1000));
      const restartedAt = Date.now();
      await daemon.start();
      for (const id of ids) if ((await endOf(daemon, id))?.status !== 'Succeeded') lost.push(`${id} did not succeed`);
      const lines = (await Promise.all(ids.map((id) => logLines(daemon, id)))).flat();
      const steps = Map.groupBy(lines, ({ run, step }) => `${run} ${step}`);
      if (steps.size !== shape.runs * shape.steps) lost.push(`${steps.size} steps have output`);
      const times = [...steps.values()].map((own) => firstAfter(own, restartedAt));
      for (const [step, own] of steps) judge(step, own.map(({ text: said = '' }) => said).join(''), shape.lines, { lost, doubled });
      firsts.push(Math.min(...times));
      alls.push(Math.max(...times));
    }
    const [first, all] = [Math.max(...firsts), Math.max(...alls)];
    if (!(first < FIRST_LIMIT_MS) || !(all < ALL_LIMIT_MS)) lost.push(`followed again after ${first} ms, all after ${all} ms`);
    const notes = `${shape.runs * shape.steps} steps; first followed again after ${first} ms, all after ${all} ms`;
    return { runs: rounds * shape.runs, lost, doubled, notes };
  },
};

function text({ steps, lines, pauseSeconds }: Shape): string {
  const script = `echo nonce $(cat /proc/sys/kernel/random/uuid); i=0; while [ $i -lt ${lines} ]; do echo $i; i=$((i+1)); sleep ${pauseSeconds}; done`;
  const step = (_: unknown, index: number): string => `  - id: s${index}\n    cmd: busybox:local sh -c '${script}'\n    when: ["-"]\n`;
  return `steps:\n${Array.from({ length: steps }, step).join('')}`;
}

/** By what they said: a container that is only made has nothing to follow. */
async function countRunning(daemon: TestDaemon, ids: readonly string[]): Promise<number> {
  const logs = await Promise.all(ids.map((id) => daemon.api<string>('GET', `/api/v1/runs/${id}/log`)));
  return logs.reduce((sum, { body }) => sum + body.split('nonce ').length - 1, 0);
}

async function logLines(daemon: TestDaemon, run: string): Promise<readonly (LogLine & { readonly run: string })[]> {
  const headers = { accept: 'application/x-ndjson', authorization: `Bearer ${daemon.token}` };
  const answer = await fetch(`${daemon.url}/api/v1/runs/${run}/log`, { headers });
  return (await answer.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ run, ...(JSON.parse(line) as LogLine) }));
}

function firstAfter(lines: readonly LogLine[], since: number): number {
  return Math.min(...lines.map(({ at }) => Date.parse(at) - since).filter((ms) => ms >= 0));
}

function judge(step: string, said: string, count: number, found: { readonly lost: string[]; readonly doubled: string[] }): void {
  const lines = said.split('\n').slice(0, -1);
  const nonces = new Set(lines.filter((line) => line.startsWith('nonce ')));
  const numbers = lines.filter((line) => !line.startsWith('nonce '));
  if (nonces.size > 1) found.doubled.push(`${step} ran ${nonces.size} times`);
  if (numbers.length > count) found.doubled.push(`${step}: ${numbers.length} lines instead of ${count}`);
  else if (numbers.length < count || numbers.some((line, index) => line !== String(index)))
    found.lost.push(`${step}: ${numbers.length} of ${count} lines`);
}
