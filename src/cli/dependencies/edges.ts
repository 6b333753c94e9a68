import type { DependencyGraph } from '../../api/dependency-schema.ts';
import { imageText } from '../tables/event-text.ts';

/** The graph as two maps: who builds on an image, and what a task pushes. Each pair once, in the order of the graph. */
export interface Edges {
  /** Every image that is built on or pushed. */
  readonly images: readonly string[];
  readonly tasks: readonly string[];
  readonly buildersOf: ReadonlyMap<string, readonly { readonly task: string; readonly followed: boolean; readonly role: string }[]>;
  readonly pushedBy: ReadonlyMap<string, readonly string[]>;
}

export function edgesOf({ dependencies, outputs }: DependencyGraph): Edges {
  const buildersOf = new Map<string, { task: string; followed: boolean; role: string }[]>();
  const pushedBy = new Map<string, string[]>();
  for (const { image, task, followed, role } of dependencies) {
    const builders = buildersOf.get(imageText(image)) ?? [];
    const known = builders.find((one) => one.task === task);
    if (known === undefined) builders.push({ task, followed, role });
    else {
      known.followed ||= followed;
      if (role === 'runtime') known.role = role;
    }
    buildersOf.set(imageText(image), builders);
  }
  for (const { image, task } of outputs) {
    const pushed = pushedBy.get(task) ?? [];
    if (!pushed.includes(imageText(image))) pushed.push(imageText(image));
    pushedBy.set(task, pushed);
  }
  return {
    images: [...new Set([...dependencies, ...outputs].map(({ image }) => imageText(image)))],
    tasks: [...new Set([...dependencies, ...outputs].map(({ task }) => task))],
    buildersOf,
    pushedBy,
  };
}
