import type { RouteEntry } from '../../api/route-entry.ts';
import { EngineError } from '../../model/engine-error.ts';
import type { RunRecord } from '../../model/run-record.ts';
import type { Principal } from '../../model/security.ts';
import { authorise, visibleTasks } from '../../service/security/authorisation.ts';
import type { HttpServices } from './services.ts';

interface Parameters {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** First half of the one decision: does the asker hold the route's verb at all. Before a byte of the body is read. */
export function authoriseRoute(route: RouteEntry, principal: Principal): void {
  if (route.scope !== 'none' && route.scope !== 'any') authorise(principal, route.scope);
}

/**
 * Second half: does the asker hold it for what the request names. What the asker may not see is answered as what is not there. Returns the
 * run that the path names.
 */
export async function authoriseTarget(
  route: RouteEntry,
  principal: Principal,
  { params, query, body }: Parameters,
  runs: HttpServices['store']['runs'],
): Promise<RunRecord | undefined> {
  const { scope, target } = route;
  if (scope === 'none' || scope === 'any') return undefined;
  switch (target.kind) {
    case 'none':
    case 'list':
      return undefined;
    case 'task': {
      const task = String(params[target.param]);
      if (visibleTasks(principal)?.(task) === false) throw new EngineError('not-found', `there is no task ${JSON.stringify(task)}`);
      authorise(principal, scope, { task });
      return undefined;
    }
    case 'run': {
      const run = await findRun(String(params[target.param]), query['task'], principal, runs);
      authorise(principal, scope, { task: run.request.task });
      return run;
    }
    case 'body-task':
      authorise(principal, scope, { task: textOf(body, 'task') ?? textOf(body, 'name') });
      return undefined;
    case 'body-tasks':
      for (const entry of listOf(body, 'tasks')) authorise(principal, scope, { task: textOf(entry, 'name') });
      return undefined;
  }
}

async function findRun(id: string, task: unknown, principal: Principal, runs: HttpServices['store']['runs']): Promise<RunRecord> {
  const visible = visibleTasks(principal);
  const run = id === 'last' ? await lastRun(task, visible, runs) : await runs.get(id);
  if (run === undefined || visible?.(run.request.task ?? '') === false) {
    const what =
      id === 'last' ? `run${typeof task === 'string' ? ` of the task ${JSON.stringify(task)}` : ''} yet` : `run ${JSON.stringify(id)}`;
    throw new EngineError('not-found', `there is no ${what}`);
  }
  return run;
}

async function lastRun(
  task: unknown,
  visible: ((task: string) => boolean) | undefined,
  runs: HttpServices['store']['runs'],
): Promise<RunRecord | undefined> {
  if (typeof task === 'string') return runs.last(task);
  if (visible === undefined) return runs.last();
  const [newest] = await runs.list({ limit: 1, visibleTasks: visible });
  return newest === undefined ? undefined : runs.get(newest.id);
}

function textOf(value: unknown, field: string): string | undefined {
  const found = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  return typeof found === 'string' ? found : undefined;
}

function listOf(value: unknown, field: string): readonly unknown[] {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  return Array.isArray(found) ? found : [];
}
