import type { RunExplanation, TaskExplanation } from '../../api/explain-schema.ts';
import type { TaskResource } from '../../api/task-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { RUN_ID, runNumberOf } from '../../model/run-id.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { runExplanationText, taskExplanationText } from '../tables/explain-text.ts';
import { type ListFormat, printValue } from '../tables/print-value.ts';
import type { DaemonClient } from './client.ts';
import type { ServerFlags } from './find-server.ts';
import { conflict } from './flag-error.ts';
import { taskPath } from './manage-tasks.ts';
import { listAll } from './pages.ts';
import { DaemonProblem } from './problem.ts';
import { tablePlace } from './table-place.ts';
import { withDaemon } from './with-daemon.ts';

/** The most that a daemon gives at once. */
const MOST_DECISIONS = 200;

export interface ExplainFlags extends ServerFlags {
  readonly run?: string;
  readonly task?: string;
  readonly top: number;
  readonly all: boolean;
  readonly output: ListFormat;
}

type Explanation = { readonly kind: 'run'; readonly value: RunExplanation } | { readonly kind: 'task'; readonly value: TaskExplanation };

export function explain(what: string | undefined, flags: ExplainFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { kind, value } = await explanationOf(client, what, flags);
    const place = tablePlace(io);
    await printValue(io, flags.output, value, () =>
      kind === 'run' ? runExplanationText(value, place) : taskExplanationText(flags.all ? value : folded(value, flags.top), place),
    );
    return EXIT.ok;
  });
}

async function explanationOf(client: DaemonClient, what: string | undefined, flags: ExplainFlags): Promise<Explanation> {
  const { run = what === 'last' ? 'last' : undefined, task, top } = flags;
  if (what !== undefined && what !== 'last' && (run !== undefined || task !== undefined))
    throw conflict('WHAT, `--run` and `--task` exclude each other', '`last` takes a `--task`');
  if (run !== undefined) return ofRun(client, run, task);
  // What is folded does not count: all are asked for, and as many as are wanted shown.
  const asked = flags.all || flags.output === 'json' || flags.output === 'yaml' ? top : MOST_DECISIONS;
  if (task !== undefined) return ofTask(client, task, asked);
  const name = what ?? '';
  // Ids of runs and names of tasks look alike: what an id of a daemon looks like is tried as a run first.
  const tries = [() => ofTask(client, name, asked), ...(RUN_ID.test(name) ? [() => ofRun(client, name, undefined)] : [])];
  for (const attempt of runNumberOf(name) === undefined ? tries : tries.toReversed()) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof DaemonProblem) || (error.code !== 'not-found' && error.code !== 'invalid-request')) throw error;
    }
  }
  const names = (await listAll<TaskResource>(client, '/tasks')).map((one) => one.name);
  const near = nearestName(name, names);
  throw new EngineError('not-found', `there is no run and no task ${JSON.stringify(name)}`, {
    help: near === undefined ? '`task list` and `task list-runs` show them' : `did you mean ${JSON.stringify(near)}?`,
  });
}

/** Without the decisions that say only that a trigger follows other events, of which each event of a repository makes one for each other trigger. */
function folded(value: TaskExplanation, top: number): TaskExplanation & { readonly passedOver: number } {
  const told = value.decisions.filter(({ code }) => code !== 'event-off').slice(0, top);
  return { ...value, decisions: told, passedOver: value.decisions.filter(({ code }) => code === 'event-off').length };
}

async function ofRun(client: DaemonClient, id: string, task: string | undefined): Promise<Explanation> {
  const path = `/runs/${encodeURIComponent(id)}/explain`;
  return { kind: 'run', value: (await client.call<RunExplanation>({ method: 'GET', path, query: { task } })).value };
}

async function ofTask(client: DaemonClient, name: string, top: number): Promise<Explanation> {
  const path = `${taskPath(name)}/explain`;
  return {
    kind: 'task',
    value: (await client.call<TaskExplanation>({ method: 'GET', path, query: { top: Math.min(top, MOST_DECISIONS) } })).value,
  };
}
