import { compileGlob, type Glob } from '../glob.ts';
import type { EntrySelection } from './context-entry.ts';

/** Decides which paths of a walk are wanted. */
export interface PathSelection {
  /** The path or one of its parents is selected. */
  selects(path: string): boolean;
  /** Something below the directory may be selected. */
  maySelectBelow(directory: string): boolean;
}

export const SELECT_ALL: PathSelection = { selects: () => true, maySelectBelow: () => true };

/** What following links needs to know of the tree. `path` is relative to the context; '' is its root. */
export interface LinkReader {
  /** The text of a symbolic link, or undefined when the path is none or absent. */
  linkAt(path: string): string | undefined;
  namesIn(directory: string): readonly string[];
}

/** Links followed for one path: a cycle ends here, as in the kernel. */
const MAX_LINKS = 255;

/** Compiles a selection; links on the way to a followed path are selected together with where they lead. */
export function compileSelection(selection: EntrySelection, links: LinkReader): PathSelection {
  const followed = new Set<string>();
  for (const path of selection.followPaths) follow(components(path), '', links, followed, { left: MAX_LINKS });
  const patterns = [...followed, ...selection.includePatterns.map(normalize)];
  if (patterns.length === 0 || patterns.includes('')) return SELECT_ALL;
  const compiled = patterns.map((pattern) => pattern.split('/').map(compileComponent));
  return {
    selects: (path) => {
      const parts = path.split('/');
      return compiled.some((globs) => globs.length <= parts.length && isPrefix(globs, parts, globs.length));
    },
    maySelectBelow: (directory) => {
      const parts = directory.split('/');
      return compiled.some((globs) => isPrefix(globs, parts, Math.min(globs.length, parts.length)));
    },
  };
}

function isPrefix(globs: readonly (Glob | 'any-depth')[], parts: readonly string[], length: number): boolean {
  for (let index = 0; index < length; index += 1) {
    const glob = globs[index];
    if (glob === 'any-depth') return true;
    if (glob?.matches(parts[index] ?? '') !== true) return false;
  }
  return true;
}

function compileComponent(text: string): Glob | 'any-depth' {
  if (text.includes('**')) return 'any-depth';
  const glob = compileGlob(text);
  return typeof glob === 'string' ? { matches: (name) => name === text } : glob;
}

/** `rest` are components that may hold wildcards; `base` is where they start. */
function follow(rest: readonly string[], base: string, links: LinkReader, found: Set<string>, budget: { left: number }): void {
  const [first, ...others] = rest;
  if (first === undefined) {
    found.add(escapeGlob(base));
    return;
  }
  const plain = literalName(first);
  if (plain !== undefined) {
    enterName(plain, others, base, links, found, budget);
    return;
  }
  const glob = compileComponent(first);
  for (const name of links.namesIn(base)) {
    if (glob === 'any-depth' || glob.matches(name)) enterName(name, others, base, links, found, budget);
  }
}

function enterName(
  name: string,
  others: readonly string[],
  base: string,
  links: LinkReader,
  found: Set<string>,
  budget: { left: number },
): void {
  const path = base === '' ? name : `${base}/${name}`;
  const target = links.linkAt(path);
  if (target === undefined || budget.left === 0) {
    follow(others, path, links, found, budget);
    return;
  }
  budget.left -= 1;
  found.add(escapeGlob(path));
  // Links resolve as if the context were `/`: none leads out of it.
  const start = target.startsWith('/') ? [] : base.split('/').filter((part) => part !== '');
  const resolved = components([...start, target].join('/'));
  follow([...resolved.map(escapeGlob), ...others], '', links, found, budget);
}

/** The name without its backslashes, or undefined when it holds a real wildcard. */
function literalName(component: string): string | undefined {
  return /(?<!\\)(?:\\\\)*[*?[]/.test(component) ? undefined : component.replace(/\\(.)/gs, '$1');
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\\]/g, '\\$&');
}

function components(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts;
}

function normalize(pattern: string): string {
  return components(pattern).join('/');
}
