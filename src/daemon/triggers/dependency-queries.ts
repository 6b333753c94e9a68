import type { DependencyGraph as ShownGraph } from '../../api/dependency-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { splitImageReference } from '../../model/image-reference.ts';
import type { ImageDependency, ImageOutput } from '../../model/ports/image-watch-store.ts';
import type { Store } from '../../model/ports/store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { ImageTag } from '../../model/trigger-event.ts';
import { allTasks } from '../../trigger/all-tasks.ts';
import { DependencyGraph, isNewsFor } from '../../trigger/image/dependency-graph.ts';
import { type Following, followingOf } from '../../trigger/image/following.ts';
import { imageTagOf, shortImage } from '../../trigger/image/image-tag.ts';
import type { DependencyQuery, ImageOperations } from '../http/trigger-operations.ts';
import { credentialFor, credentialName } from './registry-credential.ts';

interface Edge {
  readonly record: TaskRecord;
  readonly row: ImageDependency;
  readonly following: Following;
}

/** What is known of all tasks and images. */
interface Known {
  readonly tasks: ReadonlyMap<string, TaskRecord>;
  readonly edges: readonly Edge[];
  readonly outputs: readonly ImageOutput[];
  readonly graph: DependencyGraph;
}

type Visible = ((task: string) => boolean) | undefined;
/** An image that somebody asks for; without a tag each of its tags is meant. */
type WantedImage = Omit<ImageTag, 'tag'> & { readonly tag?: string };

/** Answers questions about who builds on what, from what is stored. */
export function createDependencyQueries(store: Pick<Store, 'tasks' | 'imageWatch'>): Pick<ImageOperations, 'dependencies'> {
  return {
    dependencies: async (query, visible) => {
      const known = await readKnown(store);
      const shown = tasksOf(query, known);
      const isShown = ({ taskId, task }: { readonly taskId: string; readonly task: string }): boolean =>
        (shown === undefined || shown.has(taskId)) && visible?.(task) !== false;
      const edges = known.edges.filter(({ row }) => isShown(row));
      const ids = [...known.tasks].filter(([taskId, { definition }]) => isShown({ taskId, task: definition.name })).map(([id]) => id);
      return {
        dependencies: edges.map(showEdge),
        outputs: known.outputs.filter(isShown).map(showOutput),
        followed: await followedOf(store, edges),
        cycles: cyclesOf(known, shown).filter((cycle) => cycle.every((task) => visible?.(task) !== false)),
        problems: await problemsOf(store, ids, known),
        ...(query.whatIf === undefined ? {} : { whatIf: { image: query.whatIf, rebuilds: rebuildsOf(query.whatIf, known, visible) } }),
      };
    },
  };
}

async function readKnown(store: Pick<Store, 'tasks' | 'imageWatch'>): Promise<Known> {
  const tasks = new Map<string, TaskRecord>();
  for await (const page of allTasks(store.tasks)) for (const record of page) tasks.set(record.id, record);
  const [rows, outputs] = await Promise.all([store.imageWatch.dependencies({}), store.imageWatch.outputs({})]);
  const edges = rows.flatMap((row): Edge[] => {
    const record = tasks.get(row.taskId);
    return record === undefined ? [] : [{ record, row, following: followingOf(record, row) }];
  });
  const byTask = Map.groupBy(edges, ({ row }) => row.taskId);
  const pushed = Map.groupBy(outputs, ({ taskId }) => taskId);
  const graph = new DependencyGraph(
    [...tasks].map(([id, { definition }]) => ({
      ...{ id, name: definition.name },
      bases: (byTask.get(id) ?? []).flatMap(({ row, following }) =>
        following.follows ? [{ image: row.image, pattern: following.pattern }] : [],
      ),
      outputs: (pushed.get(id) ?? []).map(({ image }) => image),
    })),
  );
  return { tasks, edges, outputs: outputs.filter(({ taskId }) => tasks.has(taskId)), graph };
}

/** Ids of the tasks that a question is about: those named, all that they follow, and all that follow them. Undefined: all. */
function tasksOf({ task, image }: DependencyQuery, known: Known): ReadonlySet<string> | undefined {
  if (task === undefined && image === undefined) return undefined;
  const named =
    task === undefined ? undefined : [...known.tasks].filter(([, { definition }]) => definition.name === task).map(([id]) => id);
  const wanted = image === undefined ? undefined : parseImage(image);
  const ofImage =
    wanted === undefined
      ? undefined
      : [
          ...known.edges.filter(({ row }) => isImage(row.image, wanted)).map(({ row }) => row.taskId),
          ...known.outputs.filter((output) => isImage(output.image, wanted)).map(({ taskId }) => taskId),
        ];
  const start = named === undefined ? (ofImage ?? []) : ofImage === undefined ? named : named.filter((id) => ofImage.includes(id));
  const asked = new Set(start);
  const found = new Set(start);
  for (const id of start) for (const other of known.graph.upstream(id)) found.add(other);
  for (const id of known.tasks.keys()) if ([...known.graph.upstream(id)].some((other) => asked.has(other))) found.add(id);
  return found;
}

/** Circles that a task of those shown is in. */
function cyclesOf({ tasks, graph }: Known, shown: ReadonlySet<string> | undefined): readonly (readonly string[])[] {
  if (shown === undefined) return graph.cycles();
  const names = new Set([...shown].map((id) => tasks.get(id)?.definition.name));
  return graph.cycles().filter((cycle) => cycle.some((task) => names.has(task)));
}

function parseImage(text: string): WantedImage {
  const image = imageTagOf(text);
  if (image === undefined) {
    throw new EngineError('invalid-request', `${JSON.stringify(text)} is no image`, {
      help: 'Expected: `node`, `node:20` or `registry.example/base:1`.',
    });
  }
  const written = splitImageReference(text);
  return written.ok && written.value.tag === '' ? { registry: image.registry, repository: image.repository } : image;
}

function isImage(image: ImageTag, wanted: WantedImage): boolean {
  return (
    image.registry === wanted.registry && image.repository === wanted.repository && (wanted.tag === undefined || wanted.tag === image.tag)
  );
}

function showEdge({ record, row, following }: Edge): ShownGraph['dependencies'][number] {
  const { task, step, platform, image, written, role, indexDigest, platformDigest, state, run } = row;
  const own = credentialFor(record, image.registry);
  return {
    ...{ task, step, platform, image, written, role, followed: following.follows, indexDigest, platformDigest, state },
    credential: credentialName(record, image.registry),
    ...(own === undefined ? {} : { loginServer: own.loginServer }),
    ...(following.follows && following.pattern !== '' ? { pattern: following.pattern } : {}),
    ...(run === undefined ? {} : { runId: run }),
  };
}

function showOutput({ task, image, state, run }: ImageOutput): ShownGraph['outputs'][number] {
  return { task, image, state, ...(run === undefined ? {} : { runId: run }) };
}

async function followedOf({ imageWatch }: Pick<Store, 'imageWatch'>, edges: readonly Edge[]): Promise<ShownGraph['followed']> {
  // A pattern is followed of the repository, whatever tag is written.
  const nameOf = ({ registry, repository, tag }: ImageTag, pattern: string): string =>
    JSON.stringify([registry, repository, pattern === '' ? tag : '', pattern]);
  const followed = new Set(edges.flatMap(({ row, following }) => (following.follows ? [nameOf(row.image, following.pattern)] : [])));
  const targets = await imageWatch.targets({});
  return targets
    .filter(({ image, pattern }) => followed.has(nameOf(image, pattern)))
    .map(({ image, pattern, newestTag, credential, indexDigest, digests, status, error, checkedAt, nextCheck }) => ({
      ...{ image, pattern, newestTag, credential, indexDigest, digests, status, nextCheck },
      ...(error === undefined ? {} : { error }),
      ...(checkedAt === undefined ? {} : { checkedAt }),
    }));
}

async function problemsOf(
  { imageWatch }: Pick<Store, 'imageWatch'>,
  ids: readonly string[],
  { tasks }: Known,
): Promise<ShownGraph['problems']> {
  const analyses = await Promise.all(ids.map(async (id) => ({ id, analysis: await imageWatch.analysis(id) })));
  return analyses.flatMap(({ id, analysis }) => {
    const task = tasks.get(id)?.definition.name;
    return analysis?.error === undefined || task === undefined ? [] : [{ task, message: analysis.error }];
  });
}

type Rebuild = NonNullable<ShownGraph['whatIf']>['rebuilds'][number];

/** Those that build on the image, then those that build on what these push, each after what it waits for. */
function rebuildsOf(text: string, { tasks, edges, graph }: Known, visible: Visible): readonly Rebuild[] {
  const wanted = parseImage(text);
  const direct = new Map<string, Edge>();
  for (const edge of edges) {
    const known = direct.get(edge.row.taskId);
    if (isNews(edge, wanted) && known?.following.follows !== true) direct.set(edge.row.taskId, edge);
  }
  const rebuilt = new Set([...direct].filter(([, { following }]) => following.follows).map(([id]) => id));
  for (const id of tasks.keys()) if ([...graph.upstream(id)].some((other) => rebuilt.has(other))) rebuilt.add(id);
  const nameOf = (id: string): string => tasks.get(id)?.definition.name ?? id;
  const cycles = graph.cycles();
  const going = graph.inOrder([...rebuilt]).map((id): Rebuild => {
    const edge = direct.get(id);
    const before = graph.producers(id).filter((other) => rebuilt.has(other) && graph.isAfter(id, other));
    const cycle = cycles.find((names) => names.includes(nameOf(id)));
    const because =
      edge?.following.follows === true ? `it builds on ${shortImage(edge.row.image)}` : 'it builds on what is rebuilt before it';
    // What a rebuild pushes is refused where the circle comes back to a task that it went through.
    const once = cycle === undefined ? '' : `; once, though its own image leads back to it: ${[...cycle, cycle[0]].join(' → ')}`;
    return { task: nameOf(id), after: before.map(nameOf).filter((name) => visible?.(name) !== false), because: `${because}${once}` };
  });
  const left = [...direct]
    .filter(([id]) => !rebuilt.has(id))
    .map(([id, { row, following }]): Rebuild => {
      const refused = following.follows ? '' : following.because;
      return { task: nameOf(id), after: [], because: `it builds on ${shortImage(row.image)}`, refused };
    });
  return [...going, ...left].filter(({ task }) => visible?.(task) !== false);
}

function isNews({ row, following }: Edge, { tag, ...repository }: WantedImage): boolean {
  const pattern = following.follows ? following.pattern : '';
  if (tag === undefined) return row.image.registry === repository.registry && row.image.repository === repository.repository;
  return isNewsFor({ image: row.image, pattern }, { ...repository, tag });
}
