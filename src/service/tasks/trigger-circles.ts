import type { Diagnostic } from '../../model/diagnostic.ts';
import type { TaskDefinition, TaskRecord } from '../../model/task-definition.ts';
import { triggersOf } from '../../model/trigger-definition.ts';

/** Tasks that are looked at: more than any chain of runs has. */
const MOST_TASKS = 200;

/** Warnings of `after` triggers by which a task comes to follow itself, one for each. What is disabled follows nothing. */
export async function circleWarnings(
  definition: TaskDefinition,
  taskOf: (name: string) => Promise<TaskRecord | undefined>,
): Promise<readonly Diagnostic[]> {
  const warnings: Diagnostic[] = [];
  const followed = new Set(followedBy(definition));
  for (const [index, { task }] of triggersOf(definition).afterTriggers.entries()) {
    const way = followed.has(task) ? await wayBack(task, definition.name, taskOf) : undefined;
    if (way === undefined) continue;
    warnings.push({
      code: 'trigger-circle',
      severity: 'warning',
      message: `the task would follow itself: ${[definition.name, ...way, definition.name].join(' → ')}`,
      field: `trigger.afterTriggers[${index}].task`,
      help: 'Each runs once, and the run that would close the circle is refused. Take one of these triggers away.',
    });
  }
  return warnings;
}

/** The shortest way by which `task` follows `end`, in the order in which they run, without `end`; undefined when there is none. */
async function wayBack(
  task: string,
  end: string,
  taskOf: (name: string) => Promise<TaskRecord | undefined>,
): Promise<readonly string[] | undefined> {
  const ways = new Map<string, readonly string[]>([[task, [task]]]);
  for (const [name, way] of ways) {
    const record = name === end ? undefined : await taskOf(name);
    for (const next of record === undefined ? [] : followedBy(record.definition)) {
      if (next === end) return way;
      if (!ways.has(next) && ways.size < MOST_TASKS) ways.set(next, [next, ...way]);
    }
  }
  return undefined;
}

function followedBy(definition: TaskDefinition): readonly string[] {
  if (definition.status === 'Disabled') return [];
  return triggersOf(definition).afterTriggers.flatMap(({ status, task }) => (status === 'Disabled' ? [] : [task]));
}
