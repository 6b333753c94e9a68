import type { TriggerDecisionResource, TriggerEventDetail, TriggerEventResource } from '../../api/event-schema.ts';
import { isZeroId } from '../../model/trigger-event.ts';
import { shortDigest } from '../../util/short-digest.ts';
import type { Paint } from '../terminal/paint.ts';
import { type Column, factLines, fitTable } from './fit-table.ts';
import type { TablePlace } from './run-table.ts';
import { timeText } from './time-text.ts';

type Happening = TriggerEventResource['happening'];
type Styled = Parameters<Paint>[0];

const STATUS_STYLE: Readonly<Record<TriggerEventResource['status'], Styled | undefined>> = {
  pending: 'cyan',
  settled: undefined,
  failed: 'red',
};
const OUTCOME_STYLE: Readonly<Record<TriggerDecisionResource['outcome'], Styled | undefined>> = {
  run: 'green',
  joined: 'green',
  posted: 'green',
  skipped: undefined,
};

export function eventTable(events: readonly TriggerEventResource[], { stream, paint, now }: TablePlace): string {
  const columns: readonly Column<TriggerEventResource>[] = [
    { title: 'EVENT', cell: (event) => event.eventId },
    { title: 'RECEIVED', cell: (event) => timeText(event.receivedAt, now) },
    { title: 'ORIGIN', cell: (event) => event.origin },
    { title: 'STATUS', cell: (event) => event.status, style: (event) => STATUS_STYLE[event.status] },
    { title: 'WHAT', cell: (event) => happeningText(event.happening), below: true },
    { title: 'ERROR', cell: (event) => event.error ?? '', below: true, optional: true },
  ];
  return fitTable(columns, events, stream, paint);
}

export function eventText(event: TriggerEventDetail, place: TablePlace): string {
  const { paint, now } = place;
  const facts = factLines(
    [
      ['Event', event.eventId],
      ['What', happeningText(event.happening)],
      ['Origin', event.replayOf === undefined ? event.origin : `${event.origin} of ${event.replayOf}`],
      ['By', 'actor' in event.happening ? event.happening.actor : undefined],
      ['Received', timeText(event.receivedAt, now)],
      ['Status', event.status],
      ['Decided', timeText(event.settledAt, now)],
      ['Attempts', event.attempts > 1 ? String(event.attempts) : undefined],
      ['Next attempt', timeText(event.retryAt, now)],
      ['Error', event.error],
      ['Key', event.dedupKey],
    ],
    paint,
  );
  if (event.decisions.length > 0) return `${facts}\n${decisionTable(event.decisions, place)}`;
  return event.status === 'settled' ? `${facts}\nIt concerned no task.\n` : facts;
}

/** What came of events, with the reasons; `without` leaves out what is the same in every row. */
export function decisionTable(
  decisions: readonly TriggerDecisionResource[],
  { stream, paint, now }: TablePlace,
  without: 'event' | 'task' = 'event',
): string {
  const columns: readonly Column<TriggerDecisionResource>[] = [
    { title: 'WHEN', cell: ({ at }) => timeText(at, now) },
    ...(without === 'event' ? [] : [{ title: 'EVENT', cell: ({ eventId }: TriggerDecisionResource) => eventId }]),
    ...(without === 'task'
      ? []
      : [{ title: 'TASK', cell: ({ task }: TriggerDecisionResource) => task ?? '', optional: true, shrinks: true }]),
    { title: 'TRIGGER', cell: ({ trigger }) => trigger ?? '', optional: true, shrinks: true },
    { title: 'OUTCOME', cell: ({ outcome }) => outcome, style: ({ outcome }) => OUTCOME_STYLE[outcome] },
    { title: 'RUN', cell: ({ runId }) => runId ?? '', optional: true },
    { title: 'CODE', cell: ({ code }) => code },
    { title: 'BECAUSE', cell: ({ because }) => because, below: true },
  ];
  return fitTable(columns, decisions, stream, paint);
}

/** What happened, as one phrase. */
export function happeningText(happening: Happening): string {
  switch (happening.kind) {
    case 'push':
    case 'tag':
      return `${refText(happening.ref)} of ${happening.repository.url}: ${changeText(happening)}`;
    case 'pull-request': {
      const { number, action, headBranch, baseBranch, headSha, fork, repository } = happening;
      return `pull request ${number} ${action === 'other' ? 'otherwise changed' : action}: ${headBranch} at ${headSha.slice(0, 7)} into ${baseBranch} of ${repository.url}${fork ? ' (fork)' : ''}`;
    }
    case 'repository':
      return `something in ${happening.repository.url}`;
    case 'image':
      return `${imageText(happening.image)} was pushed${happening.run === undefined ? '' : ` by ${happening.run}`}`;
    case 'image-changed': {
      const { image, indexDigest, previous, run } = happening;
      const by = run === undefined ? '' : `, pushed by ${run}`;
      return `${imageText(image)} is ${shortDigest(indexDigest)}${previous === '' ? '' : `, was ${shortDigest(previous)}`}${by}`;
    }
    case 'timer':
      return `timer ${happening.trigger} of ${happening.task} at ${happening.occurrence}${happening.late ? ' (late)' : ''}`;
    case 'run-ended':
      return `${happening.run}${happening.task === undefined ? '' : ` of ${happening.task}`} ended: ${happening.status}`;
    case 'manual':
      return `${happening.task} asked for by ${happening.by}`;
  }
}

/** `docker.io/library/node:20`; without a tag where each run makes its own. */
export function imageText({
  registry,
  repository,
  tag,
}: {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}): string {
  return `${registry}/${repository}${tag === '' ? '' : `:${tag}`}`;
}

function refText(ref: string): string {
  return ref.replace(/^refs\/heads\//, 'branch ').replace(/^refs\/tags\//, 'tag ');
}

function changeText({ before, after, forced }: { readonly before: string; readonly after: string; readonly forced?: boolean }): string {
  if (isZeroId(after)) return 'deleted';
  if (isZeroId(before)) return `new at ${after.slice(0, 7)}`;
  return `${before.slice(0, 7)} to ${after.slice(0, 7)}${forced === true ? ' (forced)' : ''}`;
}
