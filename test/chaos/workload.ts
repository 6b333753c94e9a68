import type { Answer, TestDaemon } from '../support/daemon.ts';
import { waitFor } from '../support/wait-for.ts';

const TERMINAL = ['Succeeded', 'Failed', 'Canceled', 'Error', 'Timeout'];
const LINES = 40;
const STEPS = ['a', 'b', 'c'] as const;
const MOST_WAIT_MS = 120_000;

export interface RunShown {
  readonly runId: string;
  readonly status: string;
  readonly steps: readonly { readonly id: string; readonly status: string; readonly errorCode?: string; readonly container?: string }[];
  readonly runErrorMessage?: string;
}

/**
 * Two steps side by side and one after them. Each says a number that nobody else says, and then counts on both streams: a step that ran
 * twice shows two numbers, a lost or doubled byte breaks the count.
 */
function counting(pauseSeconds: string): string {
  const script = `echo nonce $(cat /proc/sys/kernel/random/uuid); i=0; while [ $i -lt ${LINES} ]; do echo out $i; echo err $i >&2; i=$((i+1)); sleep ${pauseSeconds}; done`;
  const step = (id: string, when: string): string => `  - id: ${id}\n    cmd: busybox:local sh -c '${script}'\n    when: [${when}]\n`;
  return `steps:\n${step('a', '"-"')}${step('b', '"-"')}${step('c', 'a, b')}`;
}

export async function startCounting(daemon: TestDaemon, pauseSeconds = '0.03'): Promise<string> {
  return startText(daemon, counting(pauseSeconds));
}

export async function startText(daemon: TestDaemon, text: string, key?: string): Promise<string> {
  const body = { type: 'EncodedTaskRunRequest', encodedTaskContent: Buffer.from(text).toString('base64') };
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  const answer = await daemon.api<RunShown>('POST', '/api/v1/runs', body, { headers });
  if (answer.status !== 201) throw new Error(`a run was refused: ${JSON.stringify(answer.body)}`);
  return answer.body.runId;
}

export async function showRun(daemon: TestDaemon, id: string): Promise<RunShown> {
  return (await daemon.api<RunShown>('GET', `/api/v1/runs/${id}`)).body;
}

/** The run at its end; also across restarts of the daemon. Undefined when it does not end. */
export async function endOf(daemon: TestDaemon, id: string): Promise<RunShown | undefined> {
  const ended = async (): Promise<RunShown | undefined> => {
    const run = await showRun(daemon, id).catch(() => undefined);
    return run !== undefined && TERMINAL.includes(run.status) ? run : undefined;
  };
  return waitFor(ended, MOST_WAIT_MS).catch(() => undefined);
}

export interface Verdict {
  /** What is not as it must be, one sentence each. */
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
}

/** Compares all that a counting run left with what it must be. */
export async function judgeCounting(daemon: TestDaemon, id: string): Promise<Verdict> {
  const run = await endOf(daemon, id);
  if (run === undefined) return { lost: [`${id} did not end`], doubled: [] };
  const lost: string[] = [];
  const doubled: string[] = [];
  if (run.status !== 'Succeeded') lost.push(`${id} ended as ${run.status}: ${run.runErrorMessage ?? ''}`);
  for (const step of STEPS) {
    const { body } = await daemon.api<string>('GET', `/api/v1/runs/${id}/log?step=${step}`);
    const lines = body.split('\n').slice(0, -1);
    const nonces = new Set(lines.filter((line) => line.startsWith('nonce ')));
    if (nonces.size > 1) doubled.push(`${id} ran ${step} ${nonces.size} times`);
    const problem = missing(lines);
    if (problem !== undefined) (problem.kind === 'lost' ? lost : doubled).push(`${id} ${step}: ${problem.what}`);
  }
  const ends = await countEnds(daemon, id);
  if (ends !== 1) (ends === 0 ? lost : doubled).push(`${id} has ${ends} ends`);
  return { lost, doubled };
}

function missing(lines: readonly string[]): { readonly kind: 'lost' | 'doubled'; readonly what: string } | undefined {
  for (const stream of ['out', 'err']) {
    const numbers = lines.filter((line) => line.startsWith(`${stream} `)).map((line) => Number(line.slice(4)));
    if (numbers.length > LINES) return { kind: 'doubled', what: `${numbers.length} lines on ${stream} instead of ${LINES}` };
    const wrong = numbers.findIndex((number, index) => number !== index);
    if (numbers.length < LINES || wrong >= 0) return { kind: 'lost', what: `${numbers.length} of ${LINES} lines on ${stream}` };
  }
  return lines.length === 2 * LINES + 1 ? undefined : { kind: 'lost', what: `${lines.length} lines instead of ${2 * LINES + 1}` };
}

interface EventPage {
  readonly items: readonly { readonly type: string }[];
  readonly next?: string;
}

/** Stored events that end the run. */
export async function countEnds(daemon: TestDaemon, id: string): Promise<number> {
  let ends = 0;
  let after: string | number = 0;
  for (;;) {
    const answer: Answer<EventPage> = await daemon.api<EventPage>('GET', `/api/v1/runs/${id}/events?after=${after}`);
    ends += answer.body.items.filter(({ type }) => type === 'run-finished').length;
    if (answer.body.next === undefined || answer.body.items.length === 0) return ends;
    after = answer.body.next;
  }
}
