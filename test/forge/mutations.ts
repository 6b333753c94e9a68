import fc from 'fast-check';

/** Names that readers look at; most mutations go there. */
const READ_NAMES =
  /^(?:ref|before|after|checkout_sha|head_commit|id|clone_url|git_http_url|full_name|default_branch|repository|project|project_id|sender|login|action|number|pull_request|head|base|sha|repo|repo_id|changes|object_kind|object_attributes|iid|oldrev|last_commit|source_branch|target_branch|source_project_id|target_project_id|source|destination|branch|commit|hash|push|new|old|type|name|target|uuid|links|html|href|pullrequest|actor|account_id|eventType|resource|refUpdates|oldObjectId|newObjectId|remoteUrl|pullRequestId|sourceRefName|targetRefName|lastMergeSourceCommit|commitId|status|subscriptionId|notificationId|event|pullRequest|headSha|headBranch|url|events|mediaType|tag|digest|event_data|data|resources|repo_full_name|namespace|push_data|repo_name|package|package_version|package_url|container_metadata|owner|updated_tags|specversion)$/;

type Path = readonly (string | number)[];
export interface Seed {
  readonly text: string;
  readonly paths: readonly Path[];
  readonly readPaths: readonly Path[];
}

/** A payload to mutate, without the URLs that nobody reads. */
export function seedOf(json: string): Seed {
  const payload = JSON.parse(json, (key, value: unknown) =>
    /_url$/.test(key) && !/^(?:clone|git_http|package)_url$/.test(key) ? undefined : value,
  );
  const paths = pathsOf(payload);
  return { text: JSON.stringify(payload), paths, readPaths: paths.filter((path) => READ_NAMES.test(String(path.at(-1)))) };
}

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]))];
}

/** One change to a payload: where (an index into its paths), what kind, and a value. */
export const mutation = fc.record({
  where: fc.nat(10_000),
  anywhere: fc.boolean(),
  kind: fc.constantFrom('set', 'set', 'set', 'delete', 'rename', 'wrap', 'nest', 'repeat', 'graft'),
  value: fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      -1,
      1.5,
      1e308,
      2 ** 60,
      '',
      ' ',
      '0',
      '\u0000',
      '\ud800',
      'refs/heads/x',
      'refs/tags/v',
      'refs/',
      [],
      {},
      [null],
      [[]],
    ),
    fc.constantFrom<unknown>(
      '0'.repeat(40),
      '0'.repeat(64),
      'a'.repeat(40),
      'a'.repeat(12),
      'x'.repeat(5000),
      'https://u:p@h/r',
      'http://',
      'ssh://h/r',
      'sha256:00',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.integer(),
  ),
  other: fc.nat(10_000),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

/** The payload as text, with the mutations made one after the other. */
export function mutate(seed: Seed, mutations: readonly Mutation[]): string {
  const root: { payload: unknown } = { payload: JSON.parse(seed.text) };
  for (const one of mutations) apply(root, seed, one);
  return JSON.stringify(root.payload) ?? '';
}

function apply(root: { payload: unknown }, seed: Seed, { where, anywhere, kind, value, other }: Mutation): void {
  const paths = anywhere ? seed.paths : seed.readPaths;
  const path = ['payload', ...(paths[where % paths.length] ?? [])];
  const key = path.pop() ?? 'payload';
  const parent = follow(root, path);
  // A list has only its items: a `length` or an index of another value would make millions of them.
  if (typeof parent !== 'object' || parent === null || (Array.isArray(parent) && typeof key !== 'number')) return;
  const present = Reflect.get(parent, key) as unknown;
  if (kind === 'delete') Reflect.deleteProperty(parent, key);
  else if (kind === 'rename' && !Array.isArray(parent)) {
    Reflect.deleteProperty(parent, key);
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', String(value)];
    // Assignment to __proto__ would set the prototype; payloads can have such a key of their own.
    Object.defineProperty(parent, names[other % names.length] ?? '', {
      value: present,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else Reflect.set(parent, key, changedValue(kind, present, value, other, seed));
}

function changedValue(kind: Mutation['kind'], present: unknown, value: unknown, other: number, seed: Seed): unknown {
  if (kind === 'wrap') return other % 2 === 0 ? [present] : { [String(value)]: present };
  if (kind === 'nest') return nested(other % 100);
  if (kind === 'repeat') return repeated(Array.isArray(present) ? present[0] : present, other % 1200);
  if (kind === 'graft') return follow(JSON.parse(seed.text), seed.paths[other % seed.paths.length] ?? []);
  // Its own: a later mutation may change it.
  return structuredClone(value);
}

/** Of what is large, fewer: several mutations multiply. */
function repeated(item: unknown, count: number): unknown[] {
  const size = JSON.stringify(item)?.length ?? 1;
  return Array.from({ length: Math.min(count, Math.ceil(4000 / size)) }, () => item);
}

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { ref: value };
  return value;
}

function follow(value: unknown, path: Path): unknown {
  let at = value;
  for (const key of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  return at;
}
