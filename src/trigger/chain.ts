import type { ImageWatchStore } from '../model/ports/image-watch-store.ts';
import type { Cause, RunRequest } from '../model/run-record.ts';

/** A run that others follow, by an image that it pushed or by its end, and all that led to it. */
export interface Chain {
  readonly run: string;
  readonly task: string;
  /** What a run that follows from it says besides its own cause. */
  readonly causes: readonly Cause[];
  /** Runs from the first of this daemon to this one. */
  readonly length: number;
  /** The way from an earlier run of a task back to it, by names; undefined when the task is not in the chain. */
  cycleOf(task: string): readonly string[] | undefined;
}

export interface ChainParts {
  readonly runs: { get(id: string): Promise<{ readonly id: string; readonly request: Pick<RunRequest, 'task' | 'causes'> } | undefined> };
  readonly watch: Pick<ImageWatchStore, 'pusherOf'>;
}

interface Link {
  readonly run: string;
  readonly task: string;
  /** The link that followed from it. */
  readonly after: Link | undefined;
  readonly length: number;
}

/** Runs that follow one another: one more is refused. */
export const LONGEST_CHAIN = 10;
/** Runs that are read of one chain. */
const MOST_LINKS = 100;

/**
 * Follows the causes of a run back, through every image that they name: a run that several images came together for keeps one of their
 * runs only by name. Undefined when the run is gone.
 */
export async function chainOf(end: { readonly run: string; readonly task: string }, parts: ChainParts): Promise<Chain | undefined> {
  const first = await parts.runs.get(end.run);
  if (first === undefined) return undefined;
  const { causes } = first.request;
  const links: Link[] = [{ run: first.id, task: first.request.task ?? end.task, after: undefined, length: 1 }];
  const seen = new Set([first.id]);
  for (let at = 0; at < links.length && links.length < MOST_LINKS; at += 1) {
    const link = links[at];
    if (link === undefined) break;
    const nearest = at === 0 ? causes[0] : (await parts.runs.get(link.run))?.request.causes[0];
    for (const before of await runsBefore(nearest, parts)) {
      if (seen.has(before.run)) continue;
      seen.add(before.run);
      links.push({ ...before, after: link, length: link.length + 1 });
    }
  }
  links.push(...linksOf(causes, links[0]).filter(({ run }) => !seen.has(run)));
  return {
    run: first.id,
    task: links[0]?.task ?? end.task,
    causes: causes.slice(0, LONGEST_CHAIN + 2),
    length: Math.max(...links.map(({ length }) => length)),
    cycleOf: (task) => wayTo(task, links),
  };
}

/** The runs that a run follows from directly: the one that its nearest cause names, and those that pushed its images. */
async function runsBefore(
  cause: Cause | undefined,
  { watch }: ChainParts,
): Promise<readonly { readonly run: string; readonly task: string }[]> {
  if (cause?.kind === 'after') return [{ run: cause.run, task: cause.task }];
  if (cause?.kind !== 'image-update') return [];
  const found = cause.run === undefined ? [] : [{ run: cause.run, task: cause.task ?? '' }];
  for (const { digest, ...image } of cause.images) {
    const pusher = await watch.pusherOf(image, digest);
    if (pusher !== undefined) found.push(pusher);
  }
  return found;
}

/** What the run itself keeps of its chain: runs that are gone are still named there. */
function linksOf(causes: readonly Cause[], first: Link | undefined): readonly Link[] {
  const links: Link[] = [];
  let after = first;
  for (const cause of causes) {
    if ((cause.kind !== 'image-update' && cause.kind !== 'after') || cause.run === undefined) continue;
    after = { run: cause.run, task: cause.task ?? '', after, length: (after?.length ?? 0) + 1 };
    links.push(after);
  }
  return links;
}

function wayTo(task: string, links: readonly Link[]): readonly string[] | undefined {
  const start = links.find((link) => link.task === task);
  if (start === undefined) return undefined;
  const way: string[] = [];
  for (let link: Link | undefined = start; link !== undefined; link = link.after) way.push(link.task);
  return [...way, task];
}
