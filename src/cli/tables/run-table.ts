import type { RunResource, RunSummaryResource } from '../../api/run-schema.ts';
import { platformText } from '../remote/platform.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import type { OutputStream, Paint } from '../terminal/paint.ts';
import { type Column, factLines, fitTable } from './fit-table.ts';
import { relativeText, timeText } from './time-text.ts';

type Styled = Parameters<Paint>[0];

const STATUS_STYLE: Readonly<Record<string, Styled>> = {
  Succeeded: 'green',
  Failed: 'red',
  Error: 'red',
  Timeout: 'red',
  Canceled: 'yellow',
  Running: 'cyan',
  Started: 'cyan',
  succeeded: 'green',
  failed: 'red',
  errored: 'red',
  canceled: 'yellow',
  running: 'cyan',
};

export interface TablePlace {
  readonly stream: OutputStream;
  readonly paint: Paint;
  readonly now: Date;
}

const SHORT_TRIGGERS: Readonly<Record<string, string>> = { 'Pull Request': 'PR', 'Image Update': 'Image' };

/** ACR's columns of `list-runs`, what the run was for, and what a queued one waits for. */
export function runTable(runs: readonly RunSummaryResource[], { stream, paint, now }: TablePlace): string {
  const columns: readonly Column<RunSummaryResource>[] = [
    { title: 'RUN ID', cell: (run) => run.runId },
    { title: 'TASK', cell: (run) => run.task ?? '', shrinks: true },
    { title: 'PLATFORM', cell: (run) => platformText(run.platform), short: (run) => platformText(run.platform).replace(/^linux\//, '') },
    { title: 'STATUS', cell: (run) => run.status, style: (run) => STATUS_STYLE[run.status] },
    { title: 'TRIGGER', cell: (run) => run.trigger, short: (run) => SHORT_TRIGGERS[run.trigger] ?? run.trigger },
    { title: 'CREATED', cell: (run) => relativeText(new Date(run.createTime), now) },
    { title: 'DURATION', cell: (run) => durationText(run, now) },
    { title: 'SOURCE', cell: sourceCell, short: (run) => refOf(run) ?? sourceCell(run), shrinks: true, optional: true },
    { title: 'WAITS FOR', cell: (run) => (run.waiting === undefined ? '' : waitText(run.waiting)), below: true, optional: true },
    { title: 'ERROR', cell: (run) => run.runErrorMessage ?? '', below: true, optional: true },
  ];
  return fitTable(columns, runs, stream, paint);
}

/** `main 937a038`, `v1.0 937a038`: the branch or, of a push of a tag, the tag; and the commit. */
function sourceCell(run: RunSummaryResource): string {
  return [refOf(run), run.commit?.slice(0, 7)].filter((part) => part !== undefined).join(' ');
}

function refOf({ gitTag, branch }: RunSummaryResource): string | undefined {
  return gitTag ?? branch;
}

export function waitText({ position, because }: { readonly position?: number; readonly because: string }): string {
  return position === undefined ? because : `position ${position}: ${because}`;
}

/** Everything about one run that people ask for; `--output json` has the rest. */
export function runText(run: RunResource, place: TablePlace): string {
  const { paint, now } = place;
  const facts = factLines(
    [
      ['Run', `${run.runId} (${run.runType})`],
      ['Task', run.task ?? undefined],
      ['Status', run.status],
      ['Error', run.error === undefined ? undefined : [run.error.step, run.error.message].filter((part) => part !== undefined).join(': ')],
      ['Waits for', run.waiting === undefined || run.hold !== undefined ? undefined : waitText(run.waiting)],
      ['Held', run.hold === undefined ? undefined : holdText(run.runId, run.hold, now)],
      ['Approved', run.approval === undefined ? undefined : approvalText(run.approval, now)],
      [
        'Cancelled',
        run.cancel === undefined ? undefined : `by ${run.cancel.by} ${timeText(run.cancel.at, now)} ${run.cancel.reason}`.trimEnd(),
      ],
      ['Created', timeText(run.createTime, now)],
      ['Started', timeText(run.startTime ?? undefined, now)],
      ['Finished', timeText(run.finishTime ?? undefined, now)],
      ['Duration', durationText(run, now)],
      ['Platform', platformText(run.platform)],
      ['Agent', run.agent === undefined ? run.agentPoolName : `${run.agent} (pool ${run.agentPoolName})`],
      ['Context', run.step.contextPath],
      ['Git tag', run.gitTag],
      ['Branch', run.branch ?? run.source?.branch],
      ['Commit', run.commit ?? run.source?.commit],
      ['Trust', run.trust === 'untrusted' ? 'untrusted: without secrets and logins' : undefined],
      ['Pushes', pushText(run)],
      ['Background', run.background ? 'yes: after everything that people and commits ask for' : undefined],
      ['Attempt', run.attempt > 1 ? String(run.attempt) : undefined],
      ['Archived', run.isArchiveEnabled ? 'yes: kept beyond the retention' : undefined],
      ['Because', run.causes.map(causeText).join(' ← ')],
    ],
    paint,
  );
  const images = run.outputImages.map((image) => [`${image.registry}/${image.repository}:${image.tag}@${image.digest}`]);
  return [facts, stepTable(run, place), imageTable('PUSHED', images, place), baseImageTable(run, place)]
    .filter((part) => part !== '')
    .join('\n');
}

export function approvalText({ by, at, commit }: NonNullable<RunResource['approval']>, now: Date): string {
  return `by ${by} ${timeText(at, now)} at head ${commit.slice(0, 12)}`;
}

function pushText({ noPush, trust }: RunResource): string | undefined {
  if (!noPush) return undefined;
  return trust === 'untrusted' ? 'left out, because the run is untrusted' : 'left out, as it was asked for';
}

/** Why it may not start yet, and until when. */
function holdText(id: string, { because, until, runs, approval }: NonNullable<RunResource['hold']>, now: Date): string {
  const parts = [
    because,
    ...(until === undefined ? [] : [`until ${timeText(until, now)}`]),
    ...(runs === undefined || runs.length === 0 ? [] : [`after ${runs.join(', ')}`]),
    ...(approval === undefined ? [] : [`\`task approve ${id}\` lets it run`]),
  ];
  return parts.join('; ');
}

function stepTable({ steps }: RunResource, { stream, paint }: TablePlace): string {
  if (steps.length === 0) return '';
  type Step = RunResource['steps'][number];
  const columns: readonly Column<Step>[] = [
    { title: 'STEP', cell: (step) => step.id, shrinks: true },
    { title: 'KIND', cell: (step) => step.kind },
    {
      title: 'STATUS',
      cell: (step) => (step.ignored === true ? `${step.status} (ignored)` : step.status),
      style: (step) => STATUS_STYLE[step.status],
    },
    { title: 'TIME', cell: (step) => (step.durationMs === undefined ? '' : formatDuration(step.durationMs)) },
    { title: 'EXIT', cell: (step) => String(step.exitCode ?? ''), optional: true },
    { title: 'ATTEMPTS', cell: (step) => (step.attempts > 1 ? String(step.attempts) : ''), optional: true },
    { title: 'REASON', cell: (step) => step.reason ?? '', shrinks: true, optional: true },
    { title: 'WHAT', cell: (step) => step.detail ?? '', shrinks: true, optional: true },
  ];
  return fitTable(columns, steps, stream, paint);
}

function imageTable(title: string, rows: readonly (readonly string[])[], { stream, paint }: TablePlace): string {
  return rows.length === 0 ? '' : fitTable([{ title, cell: (row: readonly string[]) => row[0] ?? '' }], rows, stream, paint);
}

function baseImageTable({ baseImages }: RunResource, { stream, paint }: TablePlace): string {
  if (baseImages.length === 0) return '';
  type Image = RunResource['baseImages'][number];
  const columns: readonly Column<Image>[] = [
    { title: 'BASE IMAGE', cell: ({ reference, used }) => (used === undefined ? reference : `${reference} (${used})`), shrinks: true },
    { title: 'ROLE', cell: (image) => image.role },
    { title: 'STEP', cell: (image) => image.step },
    { title: 'DIGEST', cell: (image) => image.indexDigest || (image.imageId ?? ''), shrinks: true },
  ];
  return fitTable(columns, baseImages, stream, paint);
}

/** Why a run is there, as one phrase. */
export function causeText(cause: RunResource['causes'][number]): string {
  switch (cause.kind) {
    case 'manual':
      return `${cause.principal} (${cause.from})`;
    case 'rerun':
      return `rerun of ${cause.run} by ${cause.principal}`;
    case 'source':
      return `${sourceText(cause)} of ${cause.repositoryUrl}`;
    case 'image-update': {
      const by = cause.run === undefined ? '' : ` by ${cause.run}${cause.task === undefined ? '' : ` of ${cause.task}`}`;
      return `update of ${cause.images.map(({ repository, tag }) => `${repository}:${tag}`).join(', ')}${by}`;
    }
    case 'timer':
      return `timer ${cause.trigger} at ${cause.occurrence}${cause.late === true ? ' (late)' : ''}`;
    case 'after':
      return `after ${cause.run} of ${cause.task}`;
  }
}

function sourceText({
  event,
  commit,
  branch,
  tag,
  pullRequest,
}: Extract<RunResource['causes'][number], { readonly kind: 'source' }>): string {
  const id = commit.slice(0, 7);
  if (event === 'tag') return `tag ${tag ?? ''} at ${id}`;
  if (event === 'pullrequest') return `pull request ${pullRequest ?? ''} at ${id}`;
  return branch === undefined ? `commit ${id}` : `commit ${id} on ${branch}`;
}

/** From the start to the end, or to now while it runs. */
export function durationText(run: { readonly startTime: string | null; readonly finishTime: string | null }, now: Date): string {
  if (run.startTime === null) return '';
  const end = run.finishTime === null ? now : new Date(run.finishTime);
  return formatDuration(Math.max(0, end.getTime() - new Date(run.startTime).getTime()));
}
