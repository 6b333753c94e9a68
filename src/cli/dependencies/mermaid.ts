import type { DependencyGraph } from '../../api/dependency-schema.ts';
import { edgesOf } from './edges.ts';

/** A flow chart: images are rounded, tasks are boxes; what is not followed hangs on a dotted line. Who would rebuild is marked. */
export function dependencyMermaid(graph: DependencyGraph): string {
  const { images, tasks, buildersOf, pushedBy } = edgesOf(graph);
  const imageId = (image: string): string => `i${images.indexOf(image)}`;
  const taskId = (task: string): string => `t${tasks.indexOf(task)}`;
  const lines = [
    'graph LR',
    ...images.map((image) => `  ${imageId(image)}(["${label(image)}"])`),
    ...tasks.map((task) => `  ${taskId(task)}["${label(task)}"]`),
    ...[...buildersOf].flatMap(([image, builders]) =>
      builders.map(({ task, followed }) => `  ${imageId(image)} ${followed ? '-->' : '-.->'} ${taskId(task)}`),
    ),
    ...[...pushedBy].flatMap(([task, pushed]) => pushed.map((image) => `  ${taskId(task)} ==> ${imageId(image)}`)),
  ];
  const rebuilds = (graph.whatIf?.rebuilds ?? []).filter(({ task, refused }) => refused === undefined && tasks.includes(task));
  if (rebuilds.length > 0) {
    lines.push('  classDef rebuilds stroke-width:3px', `  class ${rebuilds.map(({ task }) => taskId(task)).join(',')} rebuilds`);
  }
  return `${lines.join('\n')}\n`;
}

/** Names are data: nothing in them may end the quotes. */
function label(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9 ./:@_-]/gu, (character) => `#${character.codePointAt(0)};`);
}
