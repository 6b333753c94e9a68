import type { Cause } from '../../model/run-record.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { type TimerTrigger, triggersOf } from '../../model/trigger-definition.ts';
import type { Happening, TriggerEvent } from '../../model/trigger-event.ts';
import { firedDecision, skipped } from '../fired.ts';
import type { Evaluation, TriggerParts } from '../parts.ts';
import { chooseOverlap, liveRunsOf } from './overlap.ts';

type TimerHappening = Extract<Happening, { readonly kind: 'timer' }>;
type TimerEvent = Omit<TriggerEvent, 'happening'> & { readonly happening: TimerHappening };
type DecidingParts = Pick<TriggerParts, 'store' | 'runs'>;

/** Decides on one occurrence of a timer. It may have been decided on before by a process that ended. */
export async function decideTimer(parts: DecidingParts, event: TimerEvent): Promise<Evaluation> {
  const { happening } = event;
  const of = { task: happening.task, trigger: happening.trigger };
  const task = await parts.store.tasks.get(happening.task);
  if (task === undefined || task.id !== happening.taskId) {
    await parts.store.timers.sync({ id: happening.taskId, name: happening.task }, []);
    return only(skipped(of, 'task-gone', `task ${happening.task} was deleted`));
  }
  const trigger = triggersOf(task.definition).timerTriggers.find(({ name }) => name === happening.trigger);
  if (trigger === undefined) return only(skipped(of, 'no-trigger', `task ${of.task} has no timer ${of.trigger} any more`));
  if (task.definition.status === 'Disabled') return only(skipped(of, 'task-disabled', `task ${of.task} is disabled`));
  if (trigger.status === 'Disabled') return only(skipped(of, 'trigger-disabled', `timer ${of.trigger} is disabled`));
  if (happening.late && trigger.onMissed === 'skip') {
    return only(skipped(of, 'missed', `the occurrence of ${happening.occurrence} was missed (onMissed: skip)`));
  }
  return only(await fire(parts, event, task, trigger));
}

async function fire(parts: DecidingParts, event: TimerEvent, task: TaskRecord, trigger: TimerTrigger) {
  const { store, runs } = parts;
  const { occurrence, late } = event.happening;
  const of = { task: task.definition.name, trigger: trigger.name };
  const because = `timer ${trigger.name} (${trigger.schedule}) was due at ${occurrence}${late ? ', which was missed' : ''}`;
  const alone = trigger.overlap === 'allow';
  const made = alone ? undefined : (await store.runs.fired(task.id, trigger.name, [occurrence])).get(occurrence);
  const live = alone ? [] : await liveRunsOf(store.runs, of.task, trigger.name);
  const older = made === undefined ? live : live.filter(({ id, number }) => id !== made && number < numberOf(live, made));
  const choice = chooseOverlap(trigger.overlap, older);
  if (made === undefined && choice.kind === 'skip') return skipped(of, 'overlap', choice.because, choice.run);
  const cause: Cause = { kind: 'timer', trigger: trigger.name, occurrence, ...(late ? { late } : {}), eventId: event.id };
  const result = await runs.fire({
    task,
    firing: { taskId: task.id, trigger: trigger.name, keys: [occurrence], event: event.id },
    causes: [cause],
    trust: 'trusted',
    ...(choice.kind === 'run' && choice.hold !== undefined ? { hold: choice.hold } : {}),
  });
  const by = result === undefined ? undefined : result.created ? result.run.id : result.run;
  for (const run of choice.kind === 'run' && by !== undefined ? choice.cancel : []) {
    await runs.cancel(run, `timer ${trigger.name} has started run ${by} in its place (overlap: cancelPrevious)`);
  }
  return firedDecision(store.runs, of, event.id, result, because);
}

/** Of a run that has ended: none of the live ones is older in a way that matters. */
function numberOf(live: readonly { readonly id: string; readonly number: number }[], run: string): number {
  return live.find(({ id }) => id === run)?.number ?? 0;
}

function only(decision: Evaluation['decisions'][number]): Evaluation {
  return { decisions: [decision] };
}
