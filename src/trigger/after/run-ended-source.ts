import { type RunRecord, type RunSummary, TERMINAL_STATUSES } from '../../model/run-record.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { Happening, NewTriggerEvent, TriggerEvent } from '../../model/trigger-event.ts';
import { allTasks } from '../all-tasks.ts';
import { skipped } from '../fired.ts';
import type { Evaluation, TriggerParts, TriggerSource } from '../parts.ts';
import { decideAfter } from './decide-after.ts';
import { Followers } from './followers.ts';

export interface RunEndedParts extends TriggerParts {
  /** Looks at what the run pushed. Resolves when the events that follow from it are recorded. */
  afterRun(run: RunRecord, signal: AbortSignal): Promise<Evaluation>;
}

/** What follows from the end of runs: tasks that run after others, and looks at what was pushed. */
export interface RunEndedSource extends TriggerSource {
  /** The run has ended: to be called when its end is stored. Never rejects. */
  runEnded(run: Pick<RunRecord, 'id' | 'status' | 'request'>): Promise<void>;
}

type RunEndedHappening = Extract<Happening, { readonly kind: 'run-ended' }>;
type RunEndedEvent = Omit<TriggerEvent, 'happening'> & { readonly happening: RunEndedHappening };

/** Ended runs that are looked through for some without an event. */
const MOST_RECONCILED = 5000;
const PAGE = 500;
/** Ends that the store could not take, kept in memory. */
const MOST_UNTOLD = 10_000;
/** Ends are stored by several at once, and told a little later. */
const SLACK_MS = 600_000;
/** Looked back, when no end was ever recorded. */
const FIRST_MS = 3_600_000;

export function createRunEndedSource(parts: RunEndedParts): RunEndedSource {
  const followers = new Followers();
  const untold: NewTriggerEvent[] = [];
  return {
    handlers: { 'run-ended': (event, signal) => decide(parts, followers, event, signal) },
    async start() {
      for await (const page of allTasks(parts.store.tasks)) for (const record of page) followers.set(record.definition.name, record);
      await reconcile(parts);
    },
    async runEnded({ id, status, request: { task } }) {
      const events = [...untold.splice(0), eventOf({ id, status, task })];
      try {
        await parts.store.events.record(events);
        parts.notify();
      } catch (error) {
        // Told with the next one, or found by the next start.
        if (untold.length < MOST_UNTOLD) untold.push(...events);
        parts.onProblem(`the end of run ${id} could not be recorded`, error);
      }
    },
    async taskChanged(name, record) {
      followers.set(name, record);
    },
    async check() {
      // Runs tell of their ends themselves.
    },
    async close() {
      // Nothing is under way between events.
    },
  };
}

async function decide(parts: RunEndedParts, followers: Followers, event: RunEndedEvent, signal: AbortSignal): Promise<Evaluation> {
  const { store } = parts;
  const run = await store.runs.get(event.happening.run);
  if (run === undefined) return { decisions: [skipped({}, 'no-trigger', `run ${event.happening.run} was deleted meanwhile`)] };
  const looked = await parts.afterRun(run, signal);
  const { task } = run.request;
  const following = task === undefined ? [] : await recordsOf(parts, followers.of(task));
  const decisions = [...looked.decisions];
  for (const follower of following) {
    if (task !== undefined) decisions.push(...(await decideAfter(parts, { run, task, event: event.id }, follower)));
  }
  return { ...looked, decisions: decisions.length > 0 ? decisions : [skipped({}, 'no-trigger', `no task follows run ${run.id}`)] };
}

async function recordsOf({ store }: RunEndedParts, names: readonly string[]): Promise<readonly TaskRecord[]> {
  const records = await Promise.all(names.map((name) => store.tasks.get(name)));
  return records.filter((record) => record !== undefined);
}

/** Records the ends that a daemon had no time for. What is recorded already is left out by its key. */
async function reconcile({ store, clock, notify }: RunEndedParts): Promise<void> {
  const [last] = await store.events.list({ kind: 'run-ended', limit: 1 });
  const sinceMs = last === undefined ? clock.now().getTime() - FIRST_MS : Date.parse(last.receivedAt) - SLACK_MS;
  let before: number | undefined;
  for (let seen = 0; seen < MOST_RECONCILED; ) {
    const page: readonly RunSummary[] = await store.runs.list({
      status: TERMINAL_STATUSES,
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    const ended = page.filter(({ finishTime, lastUpdatedTime }) => Date.parse(finishTime ?? lastUpdatedTime) >= sinceMs);
    if (ended.length > 0) await store.events.record(ended.map(({ id, status, task }) => eventOf({ id, status, task })).reverse());
    seen += page.length;
    before = page.at(-1)?.number;
    if (page.length < PAGE) break;
  }
  notify();
}

function eventOf({
  id,
  status,
  task,
}: {
  readonly id: string;
  readonly status: string;
  readonly task: string | undefined;
}): NewTriggerEvent {
  return {
    dedupKey: `run-ended:${id}`,
    origin: 'run',
    happening: { kind: 'run-ended', run: id, ...(task === undefined ? {} : { task }), status },
  };
}
