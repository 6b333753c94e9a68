import { EngineError } from '../../model/engine-error.ts';
import type { NewTriggerEvent, TriggerEvent } from '../../model/trigger-event.ts';
import { shortDigest } from '../../util/short-digest.ts';
import { chainOf } from '../chain.ts';
import { skipped } from '../fired.ts';
import type { Evaluation } from '../parts.ts';
import { type Affected, type AffectedParts, affectedBy, type Change, type ImageChanged } from './affected.ts';
import type { DependencyGraph } from './dependency-graph.ts';
import { shortImage } from './image-tag.ts';
import { inParallel, Turns } from './in-parallel.ts';
import { LiveUpdates } from './live-updates.ts';
import { type PostParts, postUpdate } from './post-update.ts';
import { type RebuildParts, type Rebuilt, rebuild, waitReason } from './rebuild.ts';
import { holdWith } from './update-runs.ts';

export type ChangeEvent = Omit<TriggerEvent, 'happening'> & { readonly happening: ImageChanged };

export interface ChangeParts extends Omit<RebuildParts, 'store'>, AffectedParts {
  readonly store: AffectedParts['store'] & RebuildParts['store'];
  readonly posts: PostParts;
  readonly graph: () => Promise<DependencyGraph>;
}

type Decision = Evaluation['decisions'][number];

/** Runs made at once: a store takes them together. */
const RUNS_AT_ONCE = 32;
const POSTS_AT_ONCE = 8;
const POST_MS = 10_000;
/** An endpoint that does not answer is told of an update for so long. */
const LONGEST_TELLING_MS = 24 * 3_600_000;

/** Decides on changes of images, one at a time: what one made, the next can add to. */
export class ChangeEvaluator {
  readonly #parts: ChangeParts;
  readonly #turns = new Turns();

  constructor(parts: ChangeParts) {
    this.#parts = parts;
  }

  /** May be called again for an event: runs are made through firings. */
  async evaluate(event: ChangeEvent, signal: AbortSignal): Promise<Evaluation> {
    const { decisions, toTell } = await this.#turns.take(() => this.#decide(event, signal));
    // Endpoints may be slow, and nothing waits for them.
    const { decisions: told, then } = await this.#post(toTell, event, signal);
    const all = [...decisions, ...told];
    const nobody = skipped({}, 'no-trigger', `no task follows ${shortImage(event.happening.image)}`);
    return { decisions: all.length === 0 && then.length === 0 ? [nobody] : all, then };
  }

  /** When what was being decided on is decided (a run that was live when it began may be waited for by then), and nothing else is meanwhile. */
  between<Value>(work: () => Promise<Value>): Promise<Value> {
    return this.#turns.take(work);
  }

  async #decide(
    event: ChangeEvent,
    signal: AbortSignal,
  ): Promise<{ readonly decisions: readonly Decision[]; readonly toTell: readonly Affected[] }> {
    const change = await this.#changeOf(event.happening);
    if ('code' in change) return { decisions: [change], toTell: [] };
    const { affected, decisions } = await affectedBy(change, this.#parts);
    signal.throwIfAborted();
    const rebuilt = affected.filter((one) => !posts(one));
    const made = await this.#rebuildAll(rebuilt, event, change, signal);
    return { decisions: [...made, ...decisions], toTell: affected.filter(posts) };
  }

  /** The change with what is known now: an image that has moved on since is decided on by the event of that. */
  async #changeOf(happening: ImageChanged): Promise<Change | Decision> {
    const { imageWatch, runs } = this.#parts.store;
    const { image, indexDigest, target: key } = happening;
    const [target] = key === undefined ? [] : await imageWatch.targets({ key });
    if (key !== undefined && target === undefined) return skipped({}, 'no-trigger', `no task follows ${shortImage(image)} any more`);
    if (target !== undefined && target.indexDigest !== '' && target.indexDigest !== indexDigest) {
      return skipped(
        {},
        'superseded',
        `${shortImage(image)} has moved on from ${shortDigest(indexDigest)} to ${shortDigest(target.indexDigest)} since`,
      );
    }
    const pusher = await imageWatch.pusherOf(image, indexDigest);
    const chain = pusher === undefined ? undefined : await chainOf(pusher, { runs, watch: imageWatch });
    return { happening, target, chain };
  }

  /** In the order of building: who builds on what another pushes, waits for its run. */
  async #rebuildAll(affected: readonly Affected[], event: ChangeEvent, change: Change, signal: AbortSignal): Promise<readonly Decision[]> {
    if (affected.length === 0) return [];
    const { store } = this.#parts;
    const graph = await this.#parts.graph();
    const live = new LiveUpdates(await store.runs.live(), graph);
    const decisions: Decision[] = [];
    for (const wave of wavesOf(affected, graph)) {
      const done = await inParallel(wave, RUNS_AT_ONCE, async (one) => {
        signal.throwIfAborted();
        return { id: one.record.id, ...(await rebuild(one, { event, change, live }, this.#parts)) };
      });
      for (const { run } of done) if (run !== undefined) live.add(run);
      for (const one of done) decisions.push(await this.#followed(one, live));
    }
    return decisions;
  }

  /** What waits already and builds on the output of a run that is new, waits for it too. */
  async #followed({ id, run, decision }: Rebuilt & { readonly id: string }, live: LiveUpdates): Promise<Decision> {
    if (run === undefined || decision.outcome !== 'run') return decision;
    for (const waiting of live.waitingFor(id)) {
      const hold = holdWith(waiting.hold, [run.id], waitReason([...(waiting.hold?.runs ?? []), run.id]));
      if (hold !== undefined && (await this.#parts.runs.hold(waiting.id, hold)) === 'done') live.add({ ...waiting, hold });
    }
    return decision;
  }

  /** An endpoint that does not answer gets an event of its own: it is tried again, and the others are done with. */
  async #post(
    affected: readonly Affected[],
    event: ChangeEvent,
    signal: AbortSignal,
  ): Promise<{ readonly decisions: readonly Decision[]; readonly then: readonly NewTriggerEvent[] }> {
    const { image, indexDigest } = event.happening;
    const images = [{ ...image, digest: indexDigest }];
    const isOld = this.#parts.clock.now().getTime() - Date.parse(event.receivedAt) > LONGEST_TELLING_MS;
    const then: NewTriggerEvent[] = [];
    const told = await inParallel(affected, POSTS_AT_ONCE, async (one): Promise<Decision | undefined> => {
      const { name } = one.record.definition;
      const of = { task: name, trigger: one.trigger.name };
      try {
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(POST_MS)]);
        const fresh = await postUpdate(one, { event, images, signal: deadline }, this.#parts.posts);
        if (!fresh) return skipped(of, 'already-fired', 'its endpoint was told of this digest before, or is gone');
        return {
          ...of,
          outcome: 'posted',
          code: 'posted',
          because: `${shortImage(image)} is now ${shortDigest(indexDigest)}; its endpoint was told`,
        };
      } catch (error) {
        signal.throwIfAborted();
        const why = error instanceof Error ? error.message : String(error);
        if (isOld) return skipped(of, 'unreachable', `its endpoint was not told, and is not tried any more: ${why}`);
        if (event.happening.task !== undefined)
          throw new EngineError('forge-failed', `the endpoint of ${name} was not told: ${why}`, { transient: true });
        then.push({
          dedupKey: `${event.dedupKey}:post:${one.record.id}`,
          origin: event.origin,
          happening: { ...event.happening, task: name },
        });
        return undefined;
      }
    });
    return { decisions: told.filter((one) => one !== undefined), then };
  }
}

function posts({ trigger }: Affected): boolean {
  return trigger.updateTriggerEndpoint !== undefined;
}

/** Groups of tasks that need not wait for one another, each after those that it has to wait for. */
function wavesOf(affected: readonly Affected[], graph: DependencyGraph): readonly (readonly Affected[])[] {
  const byId = new Map(affected.map((one) => [one.record.id, one]));
  const waveOf = new Map<string, number>();
  const waves: Affected[][] = [];
  for (const id of graph.inOrder([...byId.keys()])) {
    let wave = 0;
    for (const other of graph.upstream(id)) {
      const before = waveOf.get(other);
      if (before !== undefined && graph.isAfter(id, other)) wave = Math.max(wave, before + 1);
    }
    waveOf.set(id, wave);
    const one = byId.get(id);
    if (one === undefined) continue;
    const group = waves[wave] ?? [];
    group.push(one);
    waves[wave] = group;
  }
  return waves;
}
