/**
 * Docker's path patterns: `*` and `?` stay inside a path component, `**` crosses them, `[a-z]` is a class, `\` takes the
 * next character literally.
 */
export interface Glob {
  matches(path: string): boolean;
}

type Token =
  | { readonly kind: 'text'; readonly character: string }
  /** `*`: any run without `/`. */
  | { readonly kind: 'star' }
  /** `?`: one character that is not `/`. */
  | { readonly kind: 'any' }
  /** `**` at the end: any run. */
  | { readonly kind: 'rest' }
  /** `**` elsewhere, with the `/` after it: nothing, or any run that ends in `/`. */
  | { readonly kind: 'directories' }
  | { readonly kind: 'class'; readonly source: string };

/** With more wildcards than this a backtracking regular expression could be made to hang; states are simulated then. */
const MAX_REGEXP_WILDCARDS = 2;

/** Compiles one pattern, or returns why it is none. Matching takes time linear in the path, whatever the pattern. */
export function compileGlob(pattern: string): Glob | string {
  const tokens = tokenize(pattern);
  if (typeof tokens === 'string') return tokens;
  if (tokens.every((token) => token.kind === 'text')) {
    const text = tokens.map((token) => (token.kind === 'text' ? token.character : '')).join('');
    return { matches: (path) => path === text };
  }
  const wildcards = tokens.filter((token) => token.kind === 'star' || token.kind === 'rest' || token.kind === 'directories').length;
  if (wildcards > MAX_REGEXP_WILDCARDS) return simulate(tokens);
  try {
    const expression = new RegExp(`^${tokens.map(toRegExp).join('')}$`, 'us');
    return { matches: (path) => expression.test(path) };
  } catch {
    return 'a character class is malformed';
  }
}

function tokenize(pattern: string): Token[] | string {
  const characters = [...pattern];
  const tokens: Token[] = [];
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? '';
    if (character === '*' && characters[index + 1] === '*') {
      index += 1;
      while (characters[index + 1] === '*') index += 1;
      if (characters[index + 1] === '/') index += 1;
      tokens.push({ kind: index + 1 >= characters.length ? 'rest' : 'directories' });
    } else if (character === '*') tokens.push({ kind: 'star' });
    else if (character === '?') tokens.push({ kind: 'any' });
    else if (character === '\\') {
      index += 1;
      if (index >= characters.length) return 'a "\\" at the end takes nothing literally';
      tokens.push({ kind: 'text', character: characters[index] ?? '' });
    } else if (character === '[') {
      const end = classEnd(characters, index);
      if (end === undefined) return 'a "[" is not closed by "]"';
      tokens.push({ kind: 'class', source: classSource(characters.slice(index + 1, end)) });
      index = end;
    } else tokens.push({ kind: 'text', character });
  }
  return tokens;
}

function classEnd(characters: readonly string[], start: number): number | undefined {
  let index = start + 1;
  if (characters[index] === '^') index += 1;
  // An empty class is not one: Go refuses it, and so does this.
  if (characters[index] === ']') return undefined;
  for (; index < characters.length; index += 1) {
    if (characters[index] === '\\') index += 1;
    else if (characters[index] === ']') return index;
  }
  return undefined;
}

function classSource(content: readonly string[]): string {
  const negated = content[0] === '^';
  const rest = negated ? content.slice(1) : content;
  let source = '';
  for (let index = 0; index < rest.length; index += 1) {
    if (rest[index] === '\\') {
      index += 1;
      source += escapeCharacter(rest[index] ?? '');
    } else source += rest[index] === '-' ? '-' : escapeCharacter(rest[index] ?? '');
  }
  return `[${negated ? '^' : ''}${source}]`;
}

function escapeCharacter(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}

function toRegExp(token: Token): string {
  switch (token.kind) {
    case 'text':
      return escapeCharacter(token.character).replace('\\-', '-');
    case 'star':
      return '[^/]*';
    case 'any':
      return '[^/]';
    case 'rest':
      return '.*';
    case 'directories':
      return '(?:.*/)?';
    case 'class':
      return token.source;
  }
}

/** Thompson's simulation: the set of token positions reached after each character. */
function simulate(tokens: readonly Token[]): Glob | string {
  const classes = new Map<Token, RegExp>();
  try {
    for (const token of tokens) if (token.kind === 'class') classes.set(token, new RegExp(`^${token.source}$`, 'us'));
  } catch {
    return 'a character class is malformed';
  }
  return {
    matches: (path) => {
      let states = new Set<number>();
      enter(tokens, 0, states);
      for (const character of path) {
        const next = new Set<number>();
        for (const state of states) step(tokens, state, character, classes, next);
        if (next.size === 0) return false;
        states = next;
      }
      return states.has(tokens.length);
    },
  };
}

function enter(tokens: readonly Token[], position: number, states: Set<number>): void {
  let at = position;
  while (true) {
    states.add(at);
    const kind = tokens[at]?.kind;
    if (kind !== 'star' && kind !== 'rest' && kind !== 'directories') return;
    at += 1;
  }
}

function step(tokens: readonly Token[], state: number, character: string, classes: ReadonlyMap<Token, RegExp>, next: Set<number>): void {
  const token = tokens[state];
  if (token === undefined) return;
  switch (token.kind) {
    case 'text':
      if (character === token.character) enter(tokens, state + 1, next);
      return;
    case 'any':
      if (character !== '/') enter(tokens, state + 1, next);
      return;
    case 'class':
      if (classes.get(token)?.test(character) === true) enter(tokens, state + 1, next);
      return;
    case 'star':
      if (character !== '/') enter(tokens, state, next);
      return;
    case 'rest':
      enter(tokens, state, next);
      return;
    case 'directories':
      next.add(state);
      if (character === '/') enter(tokens, state + 1, next);
      return;
  }
}
