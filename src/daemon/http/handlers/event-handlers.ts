import { setImmediate } from 'node:timers/promises';
import { runResourceOf } from '../../../api/run-resource.ts';
import { decisionOf, runExplanationOf, taskExplanationOf, triggerEventDetailOf, triggerEventOf } from '../../../api/trigger-resource.ts';
import { EngineError } from '../../../model/engine-error.ts';
import type { EventQuery } from '../../../model/ports/event-store.ts';
import type { Principal } from '../../../model/security.ts';
import type { TriggerDecision, TriggerEvent } from '../../../model/trigger-event.ts';
import { visibleTasks } from '../../../service/security/authorisation.ts';
import type { HttpServices } from '../services.ts';
import type { Handlers } from './call.ts';
import { numberAfter, pageOfItems } from './cursor.ts';

type EventRoute =
  | 'listTriggerEvents'
  | 'getTriggerEvent'
  | 'replayTriggerEvent'
  | 'explainRun'
  | 'explainTask'
  | 'approveRun'
  | 'checkTask'
  | 'getDeps';

export function eventHandlers(services: HttpServices): Handlers<EventRoute> {
  const { tasks, triggers, audit, queue, images } = services;
  return {
    listTriggerEvents: async ({ principal, query: { top, after, ...filter } }) => {
      const before = numberAfter(after);
      const found = await visibleEvents(services, principal, { ...filter, limit: top + 1, ...(before === undefined ? {} : { before }) });
      return { status: 200, body: pageOfItems(found, top, triggerEventOf, ({ number }) => number) };
    },
    getTriggerEvent: async ({ principal, params: { id } }) => {
      const { event, decisions } = await triggers.event(id);
      const seen = seenBy(principal, decisions);
      if (seen === undefined) throw new EngineError('not-found', `there is no event ${JSON.stringify(id)}`);
      return { status: 200, body: triggerEventDetailOf(event, seen) };
    },
    replayTriggerEvent: async ({ principal, params: { id } }) => {
      const { id: eventId } = await triggers.replay(id);
      await audit.record(principal, { action: 'event.replay', target: id, details: { event: eventId } });
      return { status: 202, body: { eventId, replayOf: id } };
    },
    explainRun: async ({ principal, run }) => {
      const explanation = await triggers.explainRun(run.id);
      const decisions = seenBy(principal, explanation.decisions) ?? [];
      const waiting = run.status === 'Queued' ? (await queue.waiting()).find((one) => one.run === run.id) : undefined;
      const shown = runExplanationOf(explanation, decisions.map(decisionOf));
      return { status: 200, body: waiting === undefined ? shown : { ...shown, waiting: waiting.because } };
    },
    explainTask: async ({ principal, params: { name }, query: { top } }) => {
      await tasks.get(principal, name);
      return { status: 200, body: taskExplanationOf(await triggers.explainTask(name, top)) };
    },
    approveRun: async ({ principal, run, body: { commit } }) => ({
      status: 200,
      body: runResourceOf(await triggers.approve(run.id, principal, commit)),
    }),
    checkTask: async ({ principal, params: { name } }) => {
      await tasks.get(principal, name);
      await triggers.check(name);
      return { status: 200, body: { task: name, checked: true } };
    },
    getDeps: async ({ principal, query }) => ({ status: 200, body: await images.dependencies(query, visibleTasks(principal)) }),
  };
}

/**
 * Who may not see all tasks sees the events that something was decided on for one of theirs: asked for task by task, so that a page costs no walk
 * through the events of all others.
 */
async function visibleEvents({ triggers, store }: HttpServices, principal: Principal, query: EventQuery): Promise<readonly TriggerEvent[]> {
  const visible = visibleTasks(principal);
  if (visible === undefined) return triggers.events(query);
  if (query.task !== undefined) return visible(query.task) ? triggers.events(query) : [];
  let found: readonly TriggerEvent[] = [];
  for (const task of (await store.events.decidedTasks()).filter(visible)) {
    const all = new Map([...found, ...(await triggers.events({ ...query, task }))].map((event) => [event.number, event]));
    found = [...all.values()].sort((one, other) => other.number - one.number).slice(0, query.limit);
    // Others are to be answered in between.
    await setImmediate();
  }
  return found;
}

/** Of decisions those of tasks that the asker may see; undefined when that is none, and there are others. */
function seenBy(principal: Principal, decisions: readonly TriggerDecision[]): readonly TriggerDecision[] | undefined {
  const visible = visibleTasks(principal);
  if (visible === undefined) return decisions;
  const seen = decisions.filter(({ task }) => task !== undefined && visible(task));
  return seen.length === 0 ? undefined : seen;
}
