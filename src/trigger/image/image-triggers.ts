import type { ImageTargetState } from '../../model/ports/image-watch-store.ts';
import type { Registry } from '../../model/ports/registry.ts';
import type { TaskAnalyser } from '../../model/ports/task-analyser.ts';
import { type ChosenBase, isTerminal, type RunRecord } from '../../model/run-record.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { ImageTag, NewTriggerEvent } from '../../model/trigger-event.ts';
import { shortDigest } from '../../util/short-digest.ts';
import { skipped } from '../fired.ts';
import type { Evaluation, Handlers, TriggerParts, TriggerSource } from '../parts.ts';
import { TaskAnalysis } from './analysis.ts';
import { ChangeEvaluator } from './change-evaluator.ts';
import { ImageCircles } from './image-circles.ts';
import { imageTagOf, shortImage, withTag } from './image-tag.ts';
import { inParallel } from './in-parallel.ts';
import { changeEvent, firstLookEvent } from './level-events.ts';
import { type Found, ImagePoller, type LookReason, type LookResult } from './poller.ts';
import type { PostJson } from './post-update.ts';
import { RegistryClients } from './registry-clients.ts';
import { type GateLimits, standardLimits } from './registry-gate.ts';
import { dropSpareUpdates, type SpareParts } from './spare-updates.ts';
import { WatchedTasks } from './watched-tasks.ts';

export interface ImageTriggerExtras {
  readonly analyse: TaskAnalyser;
  /** Posts to update trigger endpoints. */
  readonly post: PostJson;
  /** What a registry may be asked, by host; the standard ones unless given. */
  readonly limits?: (host: string) => GateLimits;
}

/** Rebuilds tasks when their base images change. */
export interface ImageTriggers extends TriggerSource {
  /**
   * Looks at what a run that ended pushed; resolves when the events that follow from it are recorded (they name the run), and all that will ever
   * wait for the run does. For the handler of `run-ended`; may be called again for the same run.
   */
  afterRun(run: RunRecord, signal: AbortSignal): Promise<Evaluation>;
  /** What builds of a task take in place of the base images that are written, whatever starts them: newest tags of the patterns it follows. */
  baseImagesOf(record: TaskRecord): Promise<readonly ChosenBase[]>;
  /** As `baseImagesOf`, after a look at registries of some seconds at most; of one that gave no answer with the reason. */
  freshBaseImagesOf(record: TaskRecord): Promise<readonly ChosenBase[]>;
  /** Resolves when every task that is to be read for its images was, but those that are tried again later. */
  analysed(): Promise<void>;
}

type Of<Kind extends keyof Handlers> = Parameters<NonNullable<Handlers[Kind]>>[0];

const LOOKS_AT_ONCE = 16;
/** Somebody who runs a task waits for it. */
const LONGEST_FRESH_MS = 5000;

export function createImageTriggers(parts: TriggerParts, extra: ImageTriggerExtras): ImageTriggers {
  return new Images(parts, extra);
}

class Images implements ImageTriggers {
  readonly handlers: Handlers;
  readonly #parts: TriggerParts;
  readonly #poller: ImagePoller;
  readonly #tasks: WatchedTasks;
  readonly #changes: ChangeEvaluator;
  readonly #analysis: TaskAnalysis;
  readonly #circles: ImageCircles;
  readonly #spare: SpareParts;
  /** Looks that runs wait for, by target. */
  readonly #brief = new Map<string, Promise<LookResult | undefined>>();

  constructor(parts: TriggerParts, extra: ImageTriggerExtras) {
    const { store, clock, settings, secrets, runs } = parts;
    this.#parts = parts;
    const targets = {
      poll: settings.imagePollSeconds,
      credentialOf: (record: TaskRecord, host: string): string => secrets.registryCredential(record, host),
    };
    const clients = new RegistryClients((credential, host): Promise<Registry> => secrets.registry(credential, host), clock);
    this.#poller = new ImagePoller({
      ...{ watch: store.imageWatch, clock, limits: extra.limits ?? standardLimits },
      registry: (credential, host) => clients.get(credential, host),
      eventsOf: (target, look, run) => this.#eventsOf(target, look, run),
      notify: () => parts.notify(),
      onProblem: (what, error) => parts.onProblem(what, error),
    });
    this.#tasks = new WatchedTasks({
      ...{ store, clock, targets },
      onChanged: (gone) => {
        this.#poller.forget(gone);
        this.#poller.wake();
      },
    });
    this.#changes = new ChangeEvaluator({
      ...{ store, runs, clock, targets, windowSeconds: settings.imageWindowSeconds },
      posts: { settings: store.settings, runs: store.runs, secrets, post: extra.post },
      graph: () => this.#tasks.graph(),
      baseImagesOf: (record) => this.baseImagesOf(record),
    });
    this.#analysis = new TaskAnalysis({
      ...{ watch: store.imageWatch, clock, analyse: extra.analyse },
      current: (name) => store.tasks.get(name),
      onRead: async (record) => {
        await this.#refresh(record);
        await this.#circles.changed(record.definition.name, { isRead: true });
      },
      onProblem: (what, error) => parts.onProblem(what, error),
    });
    this.#spare = { store, runs, clock, targets };
    this.#circles = new ImageCircles({
      watch: store.imageWatch,
      basesOf: (taskId) => this.#tasks.basesOf(taskId),
      idOf: (name) => this.#tasks.idOf(name),
      readAgain: (name) => this.#analysis.again(name),
    });
    this.handlers = {
      image: (event) => this.#told(event),
      'image-changed': (event, signal) => this.#changes.evaluate(event, signal),
    };
  }

  async start(): Promise<void> {
    const stale = await this.#tasks.start((record) => this.#analysis.look(record));
    await this.#record(stale);
    for (const [first] of (await this.#tasks.graph()).cycles()) if (first !== undefined) await this.#circles.changed(first);
    this.#poller.start();
  }

  async taskChanged(name: string, record: TaskRecord | undefined): Promise<void> {
    try {
      if (record === undefined) await this.#tasks.forget(name);
      else {
        await this.#refresh(record);
        await this.#analysis.look(record);
      }
      await this.#circles.changed(name);
    } catch (error) {
      this.#parts.onProblem(`what task ${name} builds on could not be brought up to date`, error);
    }
  }

  async check(record: TaskRecord): Promise<void> {
    await this.#lookAt(this.#tasks.keysOf(record.id));
  }

  async afterRun(run: RunRecord, signal: AbortSignal): Promise<Evaluation> {
    const record = run.request.task === undefined ? undefined : await this.#parts.store.tasks.get(run.request.task);
    const stale = record === undefined ? [] : await this.#tasks.refresh(record);
    if (run.images.length > 0) this.#tasks.outputsChanged();
    if (run.images.length > 0 && record !== undefined) await this.#circles.changed(record.definition.name);
    for (const image of pushedTags(run)) {
      signal.throwIfAborted();
      await this.#lookAt(
        (await this.#tasks.targetsOfTag(image)).map(({ key }) => key),
        { run: run.id },
      );
    }
    const decisions = await this.#changes.between(async () => (record === undefined ? [] : dropSpareUpdates(run, record, this.#spare)));
    if (record !== undefined && isTerminal(run) && run.status !== 'Succeeded') await this.#readAgain(record);
    const then = stale;
    return { decisions, then };
  }

  async baseImagesOf(record: TaskRecord): Promise<readonly ChosenBase[]> {
    return this.#chosen(record, new Map());
  }

  async freshBaseImagesOf(record: TaskRecord): Promise<readonly ChosenBase[]> {
    const problems = new Map<string, string>();
    await inParallel(this.#tasks.patternKeysOf(record), LOOKS_AT_ONCE, async (key) => {
      const problem = await this.#lookBriefly(key);
      if (problem !== undefined) problems.set(key, problem);
    });
    return this.#chosen(record, problems);
  }

  /** `problems`: by target, why it could not be looked at. */
  async #chosen(record: TaskRecord, problems: ReadonlyMap<string, string>): Promise<readonly ChosenBase[]> {
    const chosen = new Map<string, ChosenBase>();
    for (const { row, key, tag } of await this.#tasks.newestTags(record)) {
      const use = tag === '' ? row.written : withTag(row.written, tag);
      const unchecked = problems.get(key);
      if (use === undefined || (unchecked === undefined && (tag === '' || imageTagOf(row.written)?.tag === tag))) continue;
      chosen.set(row.written, { reference: row.written, use, ...(unchecked === undefined ? {} : { unchecked }) });
    }
    return [...chosen.values()];
  }

  /** Why it was in vain; what takes longer goes on by itself. One look serves all who ask while it goes on. */
  async #lookBriefly(key: string): Promise<string | undefined> {
    const known = this.#brief.get(key);
    const look = known ?? this.#poller.lookNow(key, { beforeRun: true }).finally(() => this.#brief.delete(key));
    if (known === undefined) this.#brief.set(key, look);
    const ended = new AbortController();
    const late = this.#parts.clock.sleep(LONGEST_FRESH_MS, ended.signal).then(() => 'late' as const);
    try {
      const result = await Promise.race([look, late]);
      if (result === 'late') return `no answer within ${LONGEST_FRESH_MS / 1000} s`;
      return result === undefined || result.kind === 'found' ? undefined : result.because;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      ended.abort();
    }
  }

  analysed(): Promise<void> {
    return this.#analysis.idle();
  }

  async close(): Promise<void> {
    await Promise.all([this.#poller.close(), this.#analysis.close()]);
  }

  /** Somebody says that a tag was pushed. Whatever else they say, what counts is what the registry has. */
  async #told({ happening: { image, digest, run }, receivedAt }: Of<'image'>): Promise<Evaluation> {
    const targets = await this.#tasks.targetsOfTag(image);
    if (targets.length === 0) return { decisions: [skipped({}, 'no-trigger', `no task follows ${shortImage(image)}`)] };
    const keys = targets.map(({ key }) => key);
    const results = await this.#lookAt(keys, { run, told: { digest, receivedAt } });
    return { decisions: results.map((result) => saidOf(result, image)) };
  }

  async #lookAt(keys: readonly string[], why: LookReason = {}): Promise<readonly LookResult[]> {
    const results = await inParallel(keys, LOOKS_AT_ONCE, (key) => this.#poller.lookNow(key, why));
    return results.filter((result) => result !== undefined);
  }

  async #eventsOf(target: ImageTargetState, look: Found, run: string | undefined): Promise<readonly NewTriggerEvent[]> {
    if (target.indexDigest !== '' && target.indexDigest !== look.indexDigest) {
      const image = look.newestTag === '' ? target.image : { ...target.image, tag: look.newestTag };
      const pusher = run ?? (await this.#parts.store.imageWatch.pusherOf(image, look.indexDigest))?.run;
      return [changeEvent(target, look, pusher)];
    }
    const complete = Object.keys(look.digests).every((platform) => target.digests[platform] !== undefined);
    if (target.indexDigest !== '' && complete) return [];
    const { registry, repository, tag } = target.image;
    const image = target.pattern === '' ? { registry, repository, tag } : { registry, repository };
    const first = firstLookEvent(target, look, await this.#parts.store.imageWatch.dependencies({ image }), run);
    return first === undefined ? [] : [first];
  }

  async #refresh(record: TaskRecord): Promise<void> {
    await this.#record(await this.#tasks.refresh(record));
  }

  async #record(events: readonly NewTriggerEvent[]): Promise<void> {
    if (events.length === 0) return;
    const recorded = await this.#parts.store.events.record(events);
    if (recorded.some(({ fresh }) => fresh)) this.#parts.notify();
  }

  /** A task whose first builds fail is known by its files alone, and they may be other ones by now. */
  async #readAgain(record: TaskRecord): Promise<void> {
    const rows = await this.#parts.store.imageWatch.dependencies({ taskId: record.id });
    if (!rows.some(({ state }) => state === 'built')) this.#analysis.again(record.definition.name);
  }
}

/** Each tag once. */
function pushedTags({ images }: Pick<RunRecord, 'images'>): readonly ImageTag[] {
  const tags = new Map<string, ImageTag>();
  for (const { reference } of images) {
    const image = imageTagOf(reference);
    if (image !== undefined) tags.set(shortImage(image), image);
  }
  return [...tags.values()];
}

function saidOf(result: LookResult, image: ImageTag): Evaluation['decisions'][number] {
  if (result.kind !== 'found') return skipped({}, 'unreachable', `${shortImage(image)} was looked at: ${result.because}`);
  const { target, look, events } = result;
  if (events.length > 0) return skipped({}, 'looked', `${shortImage(image)} is now ${shortDigest(look.indexDigest)}: ${events.join(', ')}`);
  if (target.indexDigest === '')
    return skipped({}, 'first-sight', `the first look at ${shortImage(image)} found ${shortDigest(look.indexDigest)}`);
  return skipped({}, 'same-digest', `${shortImage(image)} is ${shortDigest(look.indexDigest)}, as before`);
}
