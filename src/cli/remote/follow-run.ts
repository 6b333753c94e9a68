import type { RunResource } from '../../api/run-schema.ts';
import type { RunEvent, RunStatus } from '../../model/run-event.ts';
import { isTerminal } from '../../model/run-record.ts';
import { jitteredBackoffMs } from '../../util/backoff.ts';
import { systemClock } from '../../util/clock.ts';
import { type DaemonClient, mayPass } from './client.ts';
import { readEventStream } from './event-stream.ts';

/** A daemon that was away longer than this is not waited for; the run goes on without a reader. */
const LONGEST_LOSS_MS = 300_000;
const FIRST_LOOK_MS = 800;
const LONGEST_LOOK_MS = 5000;

export interface FollowOptions {
  readonly runId: string;
  /** Whether the output of steps is wanted. */
  readonly logs: boolean;
  readonly signal: AbortSignal;
  /** A returned promise holds the stream back. */
  onEvent(event: RunEvent): void | Promise<void>;
  /** Why the run has not started yet; called when that changes. */
  onWaiting(sentence: string): void;
  /** The connection was lost, or is back. */
  onConnection(sentence: string): void;
}

/** How a followed run ended; `told` when its last event said so. */
export interface FollowedEnd {
  readonly status: RunStatus;
  readonly told: boolean;
  readonly run: RunResource | undefined;
}

/**
 * Follows a run to its end, over lost connections and restarts of the daemon: the stream goes on where it broke off, so that each event is told once. Rejects with EngineError when the daemon
 * refuses or stays away, and with the signal's reason when it aborts.
 */
export async function followRun(client: DaemonClient, options: FollowOptions): Promise<FollowedEnd> {
  const { signal } = options;
  const state = { lastId: '', heard: false, lostAt: undefined as number | undefined, losses: 0 };
  const watching = new AbortController();
  const watch = watchQueue(client, options, AbortSignal.any([signal, watching.signal]));
  const takeEvent = async (event: RunEvent): Promise<RunStatus | undefined> => {
    if (!state.heard) watching.abort();
    state.heard = true;
    await options.onEvent(event);
    return event.type === 'run-finished' ? event.status : undefined;
  };
  try {
    while (true) {
      try {
        const ended = await readStream(client, options, state, takeEvent);
        if (ended !== undefined) return { status: ended, told: true, run: undefined };
        const run = await getRun(client, options.runId, signal);
        if (isTerminal(run)) return { status: run.status, told: false, run };
      } catch (error) {
        signal.throwIfAborted();
        if (!mayPass(error)) throw error;
        if (state.lostAt !== undefined && performance.now() - state.lostAt > LONGEST_LOSS_MS) throw error;
        if (state.lostAt === undefined) options.onConnection('the connection to the daemon is lost, trying again; the run goes on');
        state.lostAt ??= performance.now();
      }
      await systemClock.sleep(jitteredBackoffMs(state.losses, Math.random), signal);
      signal.throwIfAborted();
      state.losses += 1;
    }
  } finally {
    watching.abort();
    await watch;
  }
}

async function readStream(
  client: DaemonClient,
  { runId, logs, signal, onConnection }: FollowOptions,
  state: { lastId: string; lostAt: number | undefined; losses: number },
  takeEvent: (event: RunEvent) => Promise<RunStatus | undefined>,
): Promise<RunStatus | undefined> {
  const response = await client.open({
    method: 'GET',
    path: `/runs/${encodeURIComponent(runId)}/events`,
    query: { logs },
    headers: { accept: 'text/event-stream', ...(state.lastId === '' ? {} : { 'last-event-id': state.lastId }) },
    signal,
  });
  try {
    if (state.lostAt !== undefined) onConnection('connected again');
    state.lostAt = undefined;
    for await (const message of readEventStream(response.body)) {
      state.losses = 0;
      if (message.id !== '') state.lastId = message.id;
      const event = parseEvent(message.data);
      const ended = event === undefined ? undefined : await takeEvent(event);
      if (ended !== undefined) return ended;
    }
    return undefined;
  } finally {
    response.discard();
  }
}

/** Says why the run waits, until it has started or `signal` aborts. Never rejects: the stream tells what is wrong. */
async function watchQueue(client: DaemonClient, { runId, onWaiting }: FollowOptions, signal: AbortSignal): Promise<void> {
  let told = '';
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(LONGEST_LOOK_MS, wait * 2)) {
    await systemClock.sleep(wait, signal);
    if (signal.aborted) return;
    const run = await getRun(client, runId, signal).catch(() => undefined);
    if (signal.aborted || (run !== undefined && run.status !== 'Queued')) return;
    if (run?.waiting === undefined) continue;
    const { position, because } = run.waiting;
    const sentence = position === undefined ? because : `waiting, position ${position}: ${because}`;
    if (sentence !== told) onWaiting(sentence);
    told = sentence;
  }
}

export async function getRun(client: DaemonClient, id: string, signal?: AbortSignal): Promise<RunResource> {
  return (await client.call<RunResource>({ method: 'GET', path: `/runs/${encodeURIComponent(id)}`, signal })).value;
}

function parseEvent(data: string): RunEvent | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null && 'type' in value && 'run' in value ? (value as RunEvent) : undefined;
  } catch {
    return undefined;
  }
}
