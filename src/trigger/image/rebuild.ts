import { EngineError } from '../../model/engine-error.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { FireOrder, RunStarter } from '../../model/ports/run-starter.ts';
import type { Firing, Store } from '../../model/ports/store.ts';
import type { RunHold } from '../../model/run-hold.ts';
import type { Cause, ChosenBase, RunRecord } from '../../model/run-record.ts';
import type { TriggerEvent } from '../../model/trigger-event.ts';
import { shortDigest } from '../../util/short-digest.ts';
import { skipped } from '../fired.ts';
import type { Evaluation } from '../parts.ts';
import type { Affected, Change } from './affected.ts';
import { imageTagOf, imageText, shortImage } from './image-tag.ts';
import type { LiveUpdates } from './live-updates.ts';
import { isOfContext } from './spare-updates.ts';
import { digestsInUse, holdWith, type ImageCause, imageCauseOf, joinCauses, WINDOW_REASON } from './update-runs.ts';

type Decision = Evaluation['decisions'][number];

export interface RebuildParts {
  readonly store: Pick<Store, 'runs'>;
  readonly runs: RunStarter;
  readonly clock: Clock;
  /** Seconds, for triggers that do not say. */
  readonly windowSeconds: number;
  readonly baseImagesOf: (record: Affected['record']) => Promise<readonly ChosenBase[]>;
}

/** What became of one task; `run` is there when a run of it is going to rebuild it now. */
export interface Rebuilt {
  readonly decision: Decision;
  readonly run?: RunRecord;
}

/** One event, as far as runs made for it say it. */
interface Update {
  readonly event: TriggerEvent;
  readonly change: Change;
  readonly live: LiveUpdates;
}

/** Sees to it that one task is rebuilt: by a run that waits and takes the update in, by one that is building with it already, or by a new one. */
export async function rebuild(affected: Affected, update: Update, parts: RebuildParts): Promise<Rebuilt> {
  const { record, trigger, stale } = affected;
  const of = { task: record.definition.name, trigger: trigger.name };
  const { live, event } = update;
  const because = reason(affected, update.change);
  const building = await inUse(affected, live, parts);
  if (building !== undefined) {
    return { decision: skipped(of, 'same-digest', `run ${building}, which has not ended, builds with it already`, building) };
  }
  const ordered = orderedWith(affected, update);
  if (ordered !== undefined) return { decision: skipped(of, 'same-digest', `run ${ordered}, which waits, is to build with it`, ordered) };
  const firing: Firing = { taskId: record.id, trigger: trigger.name, keys: keysOf(affected, update.change), event: event.id };
  const joined = await join(affected, { update, firing, parts });
  if (joined?.own === true) return { decision: made(of, joined.run, because), run: joined.run };
  if (joined !== undefined) return { decision: { ...of, outcome: 'joined', code: 'joined', because, run: joined.run.id }, run: joined.run };
  const order = orderOf(affected, { update, firing, parts });
  try {
    const fired = await parts.runs.fire(order);
    if (fired === undefined) return { decision: skipped(of, 'task-gone', `task ${of.task} was deleted meanwhile`) };
    if (fired.created) return { decision: made(of, fired.run, because), run: fired.run };
    return await firedBefore(fired.run, { order, stale, of, because, update, parts });
  } catch (error) {
    if (!(error instanceof EngineError) || error.transient) throw error;
    return { decision: skipped(of, 'not-in-scope', `the task makes no run: ${error.message}`) };
  }
}

function made(of: { readonly task: string; readonly trigger: string }, run: RunRecord, because: string): Decision {
  const waits = run.hold?.runs ?? [];
  if (waits.length === 0) return { ...of, outcome: 'run', code: 'fired', because, run: run.id };
  const other = `it waits for ${waits.join(', ')}, which ${waits.length === 1 ? 'makes' : 'make'} images that it builds on`;
  return { ...of, outcome: 'run', code: 'waits-for-base', because: `${because}; ${other}`, run: run.id };
}

/** A run that began after the update was there uses it. */
async function inUse({ record, stale }: Affected, live: LiveUpdates, { store }: RebuildParts): Promise<string | undefined> {
  for (const run of live.active(record.definition.name)) {
    const digests = await digestsInUse(run, store.runs);
    if (stale.every(({ digest }) => digests.has(digest))) return run.id;
  }
  return undefined;
}

/**
 * A run that waits and was ordered with the tag that is news: what looks for newer tags when somebody runs the task finds them for all. Should it
 * end without having built with it, the next comparison with the last build finds out; before the first there is none to compare with.
 */
function orderedWith({ record, stale }: Affected, { change, live }: Update): string | undefined {
  if (stale.some(({ used }) => used === '')) return undefined;
  const wanted = imageText(change.happening.image);
  const ordered = live.queuedOtherwise(record.definition.name).find(({ request }) => {
    const takesIt = (request.baseImages ?? []).some(({ use }) => {
      const image = imageTagOf(use);
      return image !== undefined && imageText(image) === wanted;
    });
    return takesIt && request.trust === 'trusted' && isOfContext({ request }, record.definition);
  });
  return ordered?.id;
}

interface Making {
  readonly update: Update;
  readonly firing: Firing;
  readonly parts: RebuildParts;
}

interface Joined {
  readonly run: RunRecord;
  /** It was made by this very event, in a process that ended. */
  readonly own: boolean;
}

async function join({ record, trigger, stale }: Affected, { update, firing, parts }: Making): Promise<Joined | undefined> {
  const { live } = update;
  const run = live.queued(record.definition.name, trigger.name);
  const known = run === undefined ? undefined : imageCauseOf(run);
  if (run === undefined || known === undefined) return undefined;
  const own = known.eventId === update.event.id && known.images.length === 1;
  const cause = joinCauses(known, causeOf({ trigger, stale }, update));
  const waits = live.producersOf(record.id).filter((other) => other !== run.id);
  const hold = holdWith(run.hold, waits, waitReason(waits)) ?? run.hold;
  // What tracks chose when the run was made may not be the newest any more.
  const baseImages = await parts.baseImagesOf(record);
  const chosen = baseImages.length === 0 ? {} : { baseImages };
  const done = await parts.runs.join(run.id, { cause, firing, ...chosen, ...(hold === undefined ? {} : { hold }) });
  if (done === 'stale') return undefined;
  const causes = [cause, ...run.request.causes.slice(1)];
  return { run: { ...run, request: { ...run.request, ...chosen, causes }, ...(hold === undefined ? {} : { hold }) }, own };
}

function orderOf({ record, trigger, stale }: Affected, { update, firing, parts }: Making): FireOrder {
  const hold = holdFor(trigger.window ?? parts.windowSeconds, update.live.producersOf(record.id), parts.clock.now());
  return {
    task: record,
    firing,
    causes: [causeOf({ trigger, stale }, update), ...(update.change.chain?.causes ?? [])],
    trust: 'trusted',
    background: true,
    ...(hold === undefined ? {} : { hold }),
  };
}

function holdFor(windowSeconds: number, runs: readonly string[], now: Date): RunHold | undefined {
  if (windowSeconds <= 0 && runs.length === 0) return undefined;
  return {
    because: runs.length === 0 ? WINDOW_REASON : waitReason(runs),
    ...(windowSeconds <= 0 ? {} : { until: new Date(now.getTime() + windowSeconds * 1000).toISOString() }),
    ...(runs.length === 0 ? {} : { runs }),
  };
}

export function waitReason(runs: readonly string[]): string {
  return `waits for ${runs.join(', ')} to make the images that it builds on`;
}

function causeOf({ trigger, stale }: Pick<Affected, 'trigger' | 'stale'>, { event, change }: Update): ImageCause {
  const { image, indexDigest } = change.happening;
  const before = stale[0]?.used === '' ? '' : (stale[0]?.dependency.indexDigest ?? '');
  const { chain } = change;
  return {
    kind: 'image-update',
    trigger: trigger.name,
    images: [{ ...image, digest: indexDigest, ...(before === '' ? {} : { before }) }],
    eventId: event.id,
    ...(chain === undefined ? {} : { run: chain.run }),
    ...(chain === undefined || chain.task === '' ? {} : { task: chain.task }),
  };
}

function keysOf({ stale }: Affected, { happening }: Change): readonly string[] {
  return [...new Set(stale.map(({ digest }) => `${imageText(happening.image)} ${digest}`))];
}

/** One sentence of what changed for the task. */
function reason({ stale }: Affected, { happening }: Change): string {
  const [first] = stale;
  const platform = first === undefined || first.dependency.platform === '' ? '' : ` for ${first.dependency.platform}`;
  const missed = first?.missedBy === undefined ? '' : `; run ${first.missedBy} failed, as it was not there`;
  const since = first?.used ? `; the last successful build used ${shortDigest(first.used)}` : '; the task was never built';
  const newest = happening.previousTag === undefined ? '' : ` (${happening.previousTag} before)`;
  return `${shortImage(happening.image)}${newest} is now ${shortDigest(first?.digest ?? happening.indexDigest)}${platform}${since}${missed}`;
}

interface Repeated {
  readonly order: FireOrder;
  readonly stale: Affected['stale'];
  readonly of: { readonly task: string; readonly trigger: string };
  readonly because: string;
  readonly update: Update;
  readonly parts: RebuildParts;
}

/**
 * The keys were used before: by this very event, in a process that ended; or for the same digest. The latter is enough, also when that run
 * failed. Only an image that came back to what it was, after builds with something else in between, is news again.
 */
async function firedBefore(id: string, repeated: Repeated): Promise<Rebuilt> {
  const { order, of, because, update, parts } = repeated;
  const run = await parts.store.runs.get(id);
  if (run?.request.causes.some((cause: Cause) => cause.kind === 'image-update' && cause.eventId === update.event.id) === true) {
    return { decision: made(of, run, because), run };
  }
  const back = cameBack(run, repeated);
  if (back !== undefined) {
    const keys = order.firing.keys.map((key) => `${key} after ${back}`);
    const again = await parts.runs.fire({ ...order, firing: { ...order.firing, keys } });
    if (again?.created === true) return { decision: made(of, again.run, `${because}, as it was before`), run: again.run };
  }
  return { decision: skipped(of, 'already-fired', `run ${id} was started for this digest before`, id) };
}

/** The build in between; undefined when there was none. A run that did not get the digest that it was started for would be started for ever. */
function cameBack(run: RunRecord | undefined, { stale }: Repeated): string | undefined {
  const between = stale[0]?.dependency.run;
  if (between === undefined || between === run?.id) return undefined;
  if (run === undefined) return between;
  const had = stale.every(({ digest }) => run.baseImages.some((image) => image.platformDigest === digest || image.indexDigest === digest));
  return run.status === 'Succeeded' && had ? between : undefined;
}
