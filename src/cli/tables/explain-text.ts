import type { RunExplanation, TaskExplanation } from '../../api/explain-schema.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { decisionTable } from './event-text.ts';
import { type Column, factLines, fitTable } from './fit-table.ts';
import { approvalText, type TablePlace } from './run-table.ts';
import { timeText } from './time-text.ts';

type Explained = TaskExplanation['triggers'][number];

/** Why a run is there: the chain of its causes, each a step further in. */
export function runExplanationText(run: RunExplanation, place: TablePlace): string {
  const { paint, now } = place;
  const facts = factLines(
    [
      ['Run', run.runId],
      ['Task', run.task ?? undefined],
      ['Status', run.status],
      ['Trigger', run.trigger],
      ['Created', timeText(run.createTime, now)],
      ['Held', run.held],
      ['Problem', run.problem],
      ['Approved', run.approval === undefined ? undefined : approvalText(run.approval, now)],
      ['Waits for', run.held === undefined ? run.waiting : undefined],
    ],
    paint,
  );
  const chain = run.chain.map((link, depth) => {
    const beside = [link.trigger === undefined ? '' : `trigger ${link.trigger}`, link.eventId ?? '', timeText(link.at, now)].filter(
      (part) => part !== '',
    );
    return `${'  '.repeat(depth)}${depth === 0 ? '' : '↳ '}${printable(link.summary)}${beside.length === 0 ? '' : paint('dim', ` (${printable(beside.join(', '))})`)}\n`;
  });
  const because = chain.length === 0 ? '' : `${paint('bold', 'Because')}\n${chain.join('')}`;
  return [facts, because, run.decisions.length === 0 ? '' : decisionTable(run.decisions, place, 'task')]
    .filter((part) => part !== '')
    .join('\n');
}

/** What starts a task, and why it ran or did not run lately. `passedOver`: decisions that are not among those shown. */
export function taskExplanationText(task: TaskExplanation & { readonly passedOver?: number }, place: TablePlace): string {
  const { paint } = place;
  const { passedOver = 0 } = task;
  const facts = factLines(
    [
      ['Task', task.task],
      ['Status', task.status === 'Disabled' ? 'Disabled: nothing but a person starts it' : task.status],
    ],
    paint,
  );
  const parts = [
    facts,
    task.triggers.length === 0 ? 'Nothing starts it by itself.\n' : explainedTable(task.triggers, place),
    task.undecided.length === 0 ? '' : undecidedTable(task.undecided, place),
    task.decisions.length > 0
      ? decisionTable(task.decisions, place, 'task')
      : passedOver === 0
        ? 'Nothing was decided on for it yet.\n'
        : '',
    passedOver === 0 ? '' : paint('dim', `${passedOver} more: a trigger follows other events (event-off); --all shows them\n`),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** How each trigger of a task stands. */
export function explainedTable(triggers: readonly Explained[], { stream, paint, now }: TablePlace): string {
  const columns: readonly Column<Explained>[] = [
    { title: 'TRIGGER', cell: ({ name }) => name },
    { title: 'KIND', cell: ({ kind }) => kind },
    { title: 'STATUS', cell: ({ status }) => status, style: ({ status }) => (status === 'Enabled' ? 'green' : 'yellow') },
    { title: 'FOLLOWS', cell: ({ follows }) => follows, below: true },
    { title: 'CHECKED', cell: ({ checkedAt }) => timeText(checkedAt, now), below: true, optional: true },
    { title: 'NEXT', cell: ({ next }) => timeText(next, now), below: true, optional: true },
    { title: 'LAST', cell: ({ last }) => (last === undefined ? '' : `${last.outcome}: ${last.because}`), below: true, optional: true },
    { title: 'PROBLEM', cell: ({ problem }) => problem ?? '', below: true, optional: true, style: () => 'red' },
  ];
  return fitTable(columns, triggers, stream, paint);
}

function undecidedTable(events: TaskExplanation['undecided'], { stream, paint, now }: TablePlace): string {
  const columns: readonly Column<TaskExplanation['undecided'][number]>[] = [
    { title: 'UNDECIDED', cell: ({ eventId }) => eventId },
    { title: 'WHAT', cell: ({ kind }) => kind },
    { title: 'RECEIVED', cell: ({ at }) => timeText(at, now) },
    { title: 'STATUS', cell: ({ status }) => status, style: ({ status }) => (status === 'failed' ? 'red' : 'cyan') },
    { title: 'NEXT ATTEMPT', cell: ({ retryAt }) => timeText(retryAt, now), optional: true },
    { title: 'ERROR', cell: ({ error }) => error ?? '', below: true, optional: true },
  ];
  return fitTable(columns, events, stream, paint);
}
