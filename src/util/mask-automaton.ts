const FILTER_BITS = 18;
/** Every pattern is at least this long; the filter looks at this many bytes. */
const WINDOW = 4;
/** Bounds one call of the inner loop: V8 optimises a function by its calls better than in the middle of one (six times, measured). */
const LONGEST_SKIP = 1024;

/**
 * A trie of byte patterns with failure links (Aho and Corasick 1975), kept sparse: a state has its byte, its first child and its
 * next sibling. State 0 is the root. A filter over the first four bytes of all patterns lets a reader stay at the root
 * without looking at the trie.
 */
export interface MaskAutomaton {
  readonly depth: Int32Array;
  /** Length of the longest text read last that more bytes may make a pattern: less than `depth` where no pattern goes on. */
  readonly live: Int32Array;
  /** Length of the longest pattern that ends in this state; 0 for none. */
  readonly matched: Int32Array;
  /** The state after reading `byte` in `state`. */
  step(state: number, byte: number): number;
  /** The next place from `from` on at which a pattern may begin; not beyond `limit`, which leaves four bytes to look at. */
  skip(bytes: Uint8Array, from: number, limit: number): number;
}

/** Where the filter keeps its answer about four bytes, first byte highest. */
function filterSlot(window: number): number {
  return Math.imul(window, 0x9e3779b1) >>> (32 - FILTER_BITS);
}

/** Builds the automaton in time and memory linear in the patterns' length; every pattern has four bytes or more. */
export function buildMaskAutomaton(patterns: readonly Uint8Array[]): MaskAutomaton {
  const size = 1 + patterns.reduce((sum, pattern) => sum + pattern.length, 0);
  const bytes = new Uint8Array(size);
  const child = new Int32Array(size);
  const sibling = new Int32Array(size);
  const fail = new Int32Array(size);
  const depth = new Int32Array(size);
  const live = new Int32Array(size);
  const matched = new Int32Array(size);
  const rootChild = new Int32Array(256);
  const filter = new Uint8Array(1 << FILTER_BITS);
  let states = 1;

  function childOf(state: number, byte: number): number {
    if (state === 0) return rootChild[byte] as number;
    let next = child[state] as number;
    while (next !== 0 && bytes[next] !== byte) next = sibling[next] as number;
    return next;
  }

  function insert(pattern: Uint8Array): void {
    let state = 0;
    for (const byte of pattern) {
      let next = childOf(state, byte);
      if (next === 0) {
        next = states;
        states += 1;
        bytes[next] = byte;
        depth[next] = (depth[state] as number) + 1;
        if (state === 0) rootChild[byte] = next;
        else {
          sibling[next] = child[state] as number;
          child[state] = next;
        }
      }
      state = next;
    }
    matched[state] = pattern.length;
    filter[filterSlot(windowAt(pattern, 0))] = 1;
  }

  function step(from: number, byte: number): number {
    let state = from;
    for (;;) {
      const next = childOf(state, byte);
      if (next !== 0 || state === 0) return next;
      state = fail[state] as number;
    }
  }

  function skip(bytes: Uint8Array, from: number, limit: number): number {
    const end = Math.min(limit, from + LONGEST_SKIP);
    let at = from;
    let window = windowAt(bytes, at);
    while (at < end && filter[filterSlot(window)] === 0) {
      window = (window << 8) | (bytes[at + WINDOW] as number);
      at += 1;
    }
    return at;
  }

  function linkFailures(): void {
    const queue = new Int32Array(states);
    let tail = 0;
    for (const first of rootChild) {
      if (first === 0) continue;
      queue[tail] = first;
      tail += 1;
    }
    for (let head = 0; head < tail; head += 1) {
      const state = queue[head] as number;
      live[state] = (child[state] === 0 ? live[fail[state] as number] : depth[state]) as number;
      for (let next = child[state] as number; next !== 0; next = sibling[next] as number) {
        const link = step(fail[state] as number, bytes[next] as number);
        fail[next] = link;
        if (matched[next] === 0) matched[next] = matched[link] as number;
        queue[tail] = next;
        tail += 1;
      }
    }
  }

  for (const pattern of patterns) {
    if (pattern.length < WINDOW) throw new Error(`bug: a pattern of ${pattern.length} bytes is too short for the automaton`);
    insert(pattern);
  }
  linkFailures();
  return { depth, live, matched, step, skip };
}

/** Four bytes as one number, first byte highest. */
function windowAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}
