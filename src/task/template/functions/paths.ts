import { type FunctionTable, fixed } from './signature.ts';

/** The shortest path that means the same: `.`, `..` and double slashes resolved by name only. */
function clean(path: string): string {
  const rooted = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!rooted) kept.push('..');
  }
  const joined = (rooted ? '/' : '') + kept.join('/');
  return joined === '' ? '.' : joined;
}

function base(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

function extension(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot === -1 ? '' : name.slice(dot);
}

/** Path functions for slash-separated paths. */
export const PATH_FUNCTIONS: FunctionTable = {
  base: fixed(['string'], (_, path) => base(path)),
  dir: fixed(['string'], (_, path) => clean(path.slice(0, path.lastIndexOf('/') + 1))),
  clean: fixed(['string'], (_, path) => clean(path)),
  ext: fixed(['string'], (_, path) => extension(path)),
  isAbs: fixed(['string'], (_, path) => path.startsWith('/')),
};
