import type { DependencyGraph } from '../../api/dependency-schema.ts';
import { shortDigest } from '../../util/short-digest.ts';
import { imageText } from '../tables/event-text.ts';
import { type Column, fitTable } from '../tables/fit-table.ts';
import type { TablePlace } from '../tables/run-table.ts';
import { timeText } from '../tables/time-text.ts';

type Edge = DependencyGraph['dependencies'][number];
type Output = DependencyGraph['outputs'][number];
type Followed = DependencyGraph['followed'][number];
type Rebuild = NonNullable<DependencyGraph['whatIf']>['rebuilds'][number];

/** Which task builds on which image, what it used last, and when that was and is looked at; then what tasks push. With a question of its own only its answer. */
export function dependencyTable(graph: DependencyGraph, place: TablePlace): string {
  if (graph.whatIf !== undefined) return whatIfTable(graph.whatIf, place);
  const parts = [
    graph.dependencies.length === 0 ? '' : baseTable(graph, place),
    graph.outputs.length === 0 ? '' : outputTable(graph.outputs, place),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function baseTable({ dependencies, followed }: DependencyGraph, { stream, paint, now }: TablePlace): string {
  const lookOf = (edge: Edge): Followed | undefined => followed.find((look) => isOf(look, edge));
  const columns: readonly Column<Edge>[] = [
    { title: 'IMAGE', cell: ({ image }) => imageText(image), shrinks: true },
    { title: 'TASK', cell: ({ task }) => task },
    { title: 'STEP', cell: ({ step }) => step, shrinks: true, optional: true },
    { title: 'PLATFORM', cell: ({ platform }) => platform, optional: true },
    { title: 'ROLE', cell: ({ role }) => role },
    { title: 'USED', cell: usedText, below: true },
    {
      title: 'FOLLOWED',
      cell: (edge) => followedText(edge, lookOf(edge)),
      style: (edge) => (lookOf(edge)?.error === undefined ? undefined : 'red'),
    },
    { title: 'CHECKED', cell: (edge) => (edge.followed ? timeText(lookOf(edge)?.checkedAt, now) : ''), below: true, optional: true },
    { title: 'NEXT', cell: (edge) => (edge.followed ? timeText(lookOf(edge)?.nextCheck, now) : ''), below: true, optional: true },
    { title: 'PROBLEM', cell: (edge) => lookOf(edge)?.error ?? '', below: true, optional: true, style: () => 'red' },
  ];
  return fitTable(columns, dependencies, stream, paint);
}

/** A pattern is looked at without a tag: for all that are written. */
function isOf({ image, pattern }: Followed, edge: Edge): boolean {
  if (pattern !== (edge.pattern ?? '')) return false;
  return imageText({ ...image, tag: '' }) === imageText({ ...edge.image, tag: '' }) && (pattern !== '' || image.tag === edge.image.tag);
}

function usedText({ platformDigest, indexDigest, state, runId }: Edge): string {
  const digest = platformDigest === '' ? indexDigest : platformDigest;
  if (state === 'static' || digest === '') return 'not known yet';
  return `${shortDigest(digest)}${runId === undefined ? '' : ` in ${runId}`}${state === 'attempted' ? ' (failed)' : ''}`;
}

function followedText(edge: Edge, look: Followed | undefined): string {
  if (!edge.followed) return 'no';
  if (look === undefined) return 'yes';
  const pattern = look.pattern === '' ? '' : ` ${look.pattern}${look.newestTag === '' ? '' : `, now ${look.newestTag}`}`;
  return `${look.status === 'ok' ? 'yes' : look.status}${pattern}`;
}

function outputTable(outputs: readonly Output[], { stream, paint }: TablePlace): string {
  const columns: readonly Column<Output>[] = [
    { title: 'PUSHES', cell: ({ image }) => `${imageText(image)}${image.tag === '' ? ' (a tag for each run)' : ''}`, shrinks: true },
    { title: 'TASK', cell: ({ task }) => task },
    { title: 'LAST', cell: ({ state, runId }) => (state === 'static' ? 'not pushed yet' : (runId ?? 'pushed')) },
  ];
  return fitTable(columns, outputs, stream, paint);
}

function whatIfTable({ image, rebuilds }: NonNullable<DependencyGraph['whatIf']>, { stream, paint }: TablePlace): string {
  if (rebuilds.length === 0) return `No task would rebuild if ${image} had a new digest.\n`;
  const columns: readonly Column<Rebuild>[] = [
    {
      title: '#',
      cell: (rebuild) =>
        rebuild.refused === undefined ? String(rebuilds.filter((one) => one.refused === undefined).indexOf(rebuild) + 1) : '-',
    },
    { title: 'WOULD REBUILD', cell: ({ task }) => task },
    { title: 'AFTER', cell: ({ after }) => after.join(', '), optional: true },
    { title: 'BECAUSE', cell: ({ because }) => because, below: true },
    { title: 'NOT, BECAUSE', cell: ({ refused }) => refused ?? '', below: true, optional: true, style: () => 'yellow' },
  ];
  return fitTable(columns, rebuilds, stream, paint);
}
