import { shellJoin } from '../command/shell-join.ts';
import { prefixTag } from './prefix-tag.ts';

const BUILD_TIMEOUT_S = 28_800;
const PUSH_TIMEOUT_S = 3600;

/** The text of a task that is one build and its push, as `acb build` makes it: steps `build` and, with images to push, `push`. */
export function singleBuildText(words: readonly string[], pushed: readonly string[]): string {
  const body = shellJoin(words)
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
  const build = `steps:\n  - id: build\n    timeout: ${BUILD_TIMEOUT_S}\n    build: |2-\n${body}\n`;
  if (pushed.length === 0) return build;
  const names = pushed.map((tag) => `      - '${tag.replaceAll("'", "''")}'\n`).join('');
  return `${build}  - id: push\n    timeout: ${PUSH_TIMEOUT_S}\n    push:\n${names}`;
}

/** The tag of a single build: with the registry before it, unless it says itself where the image belongs. */
export function tagInRegistry(tag: string, registry: string): string {
  return namesHost(tag) ? tag : prefixTag(tag, registry, [registry]);
}

/** `host.tld/…`, `host:port/…`, `localhost/…`. */
function namesHost(tag: string): boolean {
  const slash = tag.indexOf('/');
  return slash > 0 && !tag.startsWith('{{') && /[.:]|^localhost$/.test(tag.slice(0, slash));
}

/** A text in which nothing is template code: what looks like it stays as it is. */
export function literalText(text: string): string {
  return text.replaceAll('{{', '{{"{{"}}');
}
