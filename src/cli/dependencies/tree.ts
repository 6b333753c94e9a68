import type { DependencyGraph } from '../../api/dependency-schema.ts';
import type { TablePlace } from '../tables/run-table.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { type Edges, edgesOf } from './edges.ts';
import { dependencyTable } from './table.ts';

interface Branch {
  readonly text: string;
  /** `image:NAME` or `task:NAME`; undefined where nothing hangs below. */
  readonly node: string;
}

/** Images, the tasks that build on them, what those push, and so on. What was shown above is not shown again. */
export function dependencyTree(graph: DependencyGraph, place: TablePlace): string {
  const edges = edgesOf(graph);
  const pushed = new Set([...edges.pushedBy.values()].flat());
  const bases = edges.images.filter((image) => !pushed.has(image));
  const builders = new Set([...edges.buildersOf.values()].flat().map(({ task }) => task));
  const roots: Branch[] = [
    ...bases.map((image) => ({ text: image, node: `image:${image}` })),
    ...edges.tasks.filter((task) => !builders.has(task)).map((task) => ({ text: task, node: `task:${task}` })),
  ];
  const shown = new Set<string>();
  const lines = roots.flatMap((root) => draw(root, '', '', { edges, shown, place }));
  // Every image of a circle is pushed by some task: it has no beginning.
  for (const image of edges.images)
    if (!shown.has(`image:${image}`)) lines.push(...draw({ text: image, node: `image:${image}` }, '', '', { edges, shown, place }));
  const tree = lines.map((line) => `${line}\n`).join('');
  const { whatIf } = graph;
  return whatIf === undefined ? tree : `${tree}\n${dependencyTable({ ...graph, dependencies: [], outputs: [], whatIf }, place)}`;
}

function draw(
  branch: Branch,
  first: string,
  rest: string,
  drawing: { readonly edges: Edges; readonly shown: Set<string>; readonly place: TablePlace },
): string[] {
  const { edges, shown, place } = drawing;
  const below = branchesOf(branch.node, edges);
  const again = shown.has(branch.node) && below.length > 0;
  shown.add(branch.node);
  const text = branch.node.startsWith('task:') ? place.paint('bold', printable(branch.text)) : printable(branch.text);
  const line = `${first}${text}${again ? place.paint('dim', ' (above)') : ''}`;
  if (again) return [line];
  return [
    line,
    ...below.flatMap((one, index) => {
      const last = index === below.length - 1;
      return draw(one, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`, drawing);
    }),
  ];
}

function branchesOf(node: string, { buildersOf, pushedBy }: Edges): readonly Branch[] {
  const name = node.slice(node.indexOf(':') + 1);
  if (node.startsWith('task:')) return (pushedBy.get(name) ?? []).map((image) => ({ text: image, node: `image:${image}` }));
  return (buildersOf.get(name) ?? []).map(({ task, followed, role }) => {
    const notes = [...(role === 'buildtime' ? ['builder stage'] : []), ...(followed ? [] : ['not followed'])];
    return { text: notes.length === 0 ? task : `${task} (${notes.join(', ')})`, node: `task:${task}` };
  });
}
