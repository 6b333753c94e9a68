import type { CollectedThing, ContainerEngine } from '../model/ports/container-engine.ts';
import { ownerImagePrefix, type RunImages } from '../model/run-image.ts';
import { type EngineApi, toEngineError } from './engine-api.ts';
import { removeContainer, removeNetwork, removeTag, removeVolume } from './engine-containers.ts';
import { LABEL_OWNER, LABEL_RUN } from './naming.ts';
import { isOwnerGone } from './owner.ts';

/** A thing in the engine that carries a run's labels. */
interface LabelledThing extends CollectedThing {
  readonly owner: string;
  readonly createdMs: number;
}

type Labels = Readonly<Record<string, string>> | null;

/** Everything that carries the label of runs, or of one run. */
async function listLabelled(api: EngineApi, run: string | undefined, signal?: AbortSignal): Promise<readonly LabelledThing[]> {
  const filters = JSON.stringify({ label: [run === undefined ? LABEL_RUN : `${LABEL_RUN}=${run}`] });
  const get = <T>(path: string, query: Readonly<Record<string, string | boolean>>): Promise<T> =>
    api.json<T>({ method: 'GET', path, query, ...(signal === undefined ? {} : { signal }) });
  const [containers, networks, volumes] = await Promise.all([
    get<readonly { Id: string; Names?: readonly string[]; Labels: Labels; Created: number }[]>('/containers/json', { all: true, filters }),
    get<readonly { Id: string; Name: string; Labels: Labels; Created: string }[]>('/networks', { filters }),
    get<{ Volumes: readonly { Name: string; Labels: Labels; CreatedAt?: string }[] | null }>('/volumes', { filters }),
  ]);
  return [
    ...containers.map((item) =>
      labelled('container', item.Id, (item.Names?.[0] ?? item.Id).replace(/^\//, ''), item.Labels, item.Created * 1000),
    ),
    ...networks.map((item) => labelled('network', item.Id, item.Name, item.Labels, Date.parse(item.Created))),
    ...(volumes.Volumes ?? []).map((item) => labelled('volume', item.Name, item.Name, item.Labels, Date.parse(item.CreatedAt ?? ''))),
  ].filter((thing) => thing.run !== '');
}

function labelled(kind: CollectedThing['kind'], id: string, name: string, labels: Labels, createdMs: number): LabelledThing {
  return { kind, id, name, run: labels?.[LABEL_RUN] ?? '', owner: labels?.[LABEL_OWNER] ?? '', createdMs };
}

/** The ids of the containers of one run, running or not. */
export async function listRunContainers(api: EngineApi, run: string, signal: AbortSignal): Promise<readonly string[]> {
  const query = { all: true, filters: JSON.stringify({ label: [`${LABEL_RUN}=${run}`] }) };
  const containers = await api.json<readonly { Id: string }[]>({ method: 'GET', path: '/containers/json', query, signal });
  return containers.map(({ Id }) => Id);
}

/** Removes everything of one run and returns what could not be removed. */
export async function removeRun(api: EngineApi, run: string, signal: AbortSignal): Promise<readonly CollectedThing[]> {
  return await removeThings(api, await listLabelled(api, run, signal), signal);
}

/** Images of an owner's runs that are kept apart: known by their names, because labels of images are the author's. */
async function listRunImages(
  api: EngineApi,
  owner: string | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly LabelledThing[]> {
  const prefix = ownerImagePrefix(owner);
  const images = await api.json<readonly { RepoTags?: readonly string[] | null; Created: number }[]>({
    method: 'GET',
    path: '/images/json',
    ...(signal === undefined ? {} : { signal }),
  });
  return images.flatMap(({ RepoTags, Created }) =>
    (RepoTags ?? [])
      .filter((name) => name.startsWith(prefix))
      .map((name) => {
        const run = name.slice(prefix.length).split('/')[0] ?? '';
        return { kind: 'image' as const, id: name, name, run, owner: owner ?? '', createdMs: Created * 1000 };
      }),
  );
}

/** Removes the images of a run that is kept apart, and returns what could not be removed. */
export async function removeRunImages(
  api: EngineApi,
  { owner, runId }: RunImages,
  signal: AbortSignal,
): Promise<readonly CollectedThing[]> {
  const images = await listRunImages(api, owner, signal);
  return await removeThings(
    api,
    images.filter(({ run }) => run === runId),
    signal,
  );
}

/** Removes what runs of processes that are surely gone left behind; returns what was (or with `dryRun` would be) removed. */
export async function collectLeftovers(
  api: EngineApi,
  options: { readonly olderThanMs: number; readonly dryRun: boolean; readonly signal?: AbortSignal },
  nowMs: number,
): Promise<readonly CollectedThing[]> {
  const things = await listLabelled(api, undefined, options.signal).catch((error: unknown) => {
    throw toEngineError(error, 'Looking for leftovers');
  });
  // An age that the engine does not tell (NaN) protects nothing: the owner is gone.
  const leftovers = things.filter(({ owner, createdMs }) => isOwnerGone(owner) && !(nowMs - createdMs < options.olderThanMs));
  if (options.dryRun) return leftovers.map(toCollected);
  const remaining = await removeThings(api, leftovers, options.signal ?? new AbortController().signal);
  const failed = new Set(remaining.map(({ kind, id }) => `${kind} ${id}`));
  return leftovers.filter(({ kind, id }) => !failed.has(`${kind} ${id}`)).map(toCollected);
}

const RUNS_AT_ONCE = 16;
/** A removal that has not answered by then is left to the next collection. */
const REMOVAL_LIMIT_MS = 20_000;

/**
 * Removes what a durable owner's runs left behind whose space is not live. Each removal has a limit of its own, so that one that hangs
 * holds up nothing. Returns what was removed.
 */
export async function collectOwned(
  api: EngineApi,
  options: Parameters<ContainerEngine['collectRuns']>[0],
): Promise<readonly CollectedThing[]> {
  const [labelled, images] = await Promise.all([
    listLabelled(api, undefined, options.signal),
    listRunImages(api, options.owner, options.signal),
  ]).catch((error: unknown) => {
    throw toEngineError(error, 'Looking for leftovers');
  });
  const things = [...labelled, ...images];
  const live = await options.live();
  const leftovers = things.filter(({ owner, run }) => owner === options.owner && !live.has(run));
  const signal = options.signal ?? new AbortController().signal;
  const remaining: CollectedThing[] = [];
  // A removal that hangs holds up its own run only.
  const runs = [...Map.groupBy(leftovers, ({ run }) => run).values()];
  await sideBySide(RUNS_AT_ONCE, runs, async (own) => {
    remaining.push(...(await removeThings(api, own, signal, REMOVAL_LIMIT_MS)));
  });
  const failed = new Set(remaining.map(({ kind, id }) => `${kind} ${id}`));
  return leftovers.filter(({ kind, id }) => !failed.has(`${kind} ${id}`)).map(toCollected);
}

const REMOVALS = { container: removeContainer, network: removeNetwork, volume: removeVolume, image: removeTag } as const;

/** Containers first, because they hold networks, volumes and images. Returns what is still there. */
async function removeThings(
  api: EngineApi,
  things: readonly LabelledThing[],
  signal: AbortSignal,
  limitMs?: number,
): Promise<readonly CollectedThing[]> {
  const limited = (): AbortSignal => (limitMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(limitMs)]));
  const containers = things.filter(({ kind }) => kind === 'container');
  const others = things.filter(({ kind }) => kind !== 'container');
  const left = await removeSome(containers, (thing) => removeContainer(api, thing.id, limited()));
  return [...left, ...(await removeSome(others, (thing) => REMOVALS[thing.kind](api, thing.id, limited())))];
}

const REMOVALS_AT_ONCE = 8;

async function removeSome(
  things: readonly LabelledThing[],
  remove: (thing: LabelledThing) => Promise<void>,
): Promise<readonly CollectedThing[]> {
  const left: CollectedThing[] = [];
  await sideBySide(REMOVALS_AT_ONCE, things, async (thing) => {
    const failed = await remove(thing).then(
      () => false,
      () => true,
    );
    if (failed) left.push(toCollected(thing));
  });
  return left;
}

/** Works on all items, on so many at once. */
async function sideBySide<T>(width: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

function toCollected({ kind, id, name, run }: LabelledThing): CollectedThing {
  return { kind, id, name, run };
}
