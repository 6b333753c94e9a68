/** A Dockerfile word with its quotes removed and its variables replaced. */
export interface ExpandedWord {
  readonly text: string;
  /** Variables that had no value and no default, or stand in a form that is not understood; they became nothing. */
  readonly unset: readonly string[];
}

interface ExpandOptions {
  /** The escape character of the Dockerfile. */
  readonly escape: string;
  lookup(name: string): string | undefined;
}

const DEEPEST = 32;
/** Variables may double each other; what they add to one word in all is bounded. */
const LONGEST = 64 * 1024;

/** Expands `$X`, `${X}`, `${X:-d}`, `${X-d}`, `${X:+a}`, `${X+a}`, `${X:?e}` and removes quotes, as a Dockerfile's reader does. */
export function expandWord(word: string, options: ExpandOptions): ExpandedWord {
  const unset: string[] = [];
  const text = new Expansion(word, options, { unset, left: LONGEST }, 0).untilEnd('');
  return { text, unset };
}

/** What nested expansions share. */
interface Tally {
  readonly unset: string[];
  left: number;
}

class Expansion {
  readonly #word: string;
  readonly #options: ExpandOptions;
  readonly #tally: Tally;
  readonly #depth: number;
  #at = 0;

  constructor(word: string, options: ExpandOptions, tally: Tally, depth: number) {
    this.#word = word;
    this.#options = options;
    this.#tally = tally;
    this.#depth = depth;
  }

  /** Expands up to `end`, which is consumed; an empty `end` is the end of the word. */
  untilEnd(end: string): string {
    let text = '';
    while (this.#at < this.#word.length) {
      const character = this.#next();
      if (character === end) return text;
      if (character === "'") text += this.#singleQuoted();
      else if (character === '"') text += this.#doubleQuoted();
      else if (character === this.#options.escape) text += this.#next();
      else if (character === '$') text += this.#dollar();
      else text += character;
    }
    return text;
  }

  #next(): string {
    const character = this.#word.charAt(this.#at);
    this.#at += 1;
    return character;
  }

  #singleQuoted(): string {
    const end = this.#word.indexOf("'", this.#at);
    const text = this.#word.slice(this.#at, end === -1 ? undefined : end);
    this.#at = end === -1 ? this.#word.length : end + 1;
    return text;
  }

  #doubleQuoted(): string {
    let text = '';
    while (this.#at < this.#word.length) {
      const character = this.#next();
      if (character === '"') return text;
      if (character === '$') text += this.#dollar();
      else if (character === this.#options.escape && '"$'.concat(this.#options.escape).includes(this.#word.charAt(this.#at)))
        text += this.#next();
      else text += character;
    }
    return text;
  }

  #dollar(): string {
    if (this.#word.charAt(this.#at) === '{') return this.#braced();
    const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])/.exec(this.#word.slice(this.#at, this.#at + 256))?.[0];
    if (name === undefined) return '$';
    this.#at += name.length;
    // `$$`, `$?` and the other special parameters of a shell are empty here.
    return /^\W$/.test(name) ? '' : this.#valueOf(name);
  }

  #braced(): string {
    const opened = /^\{([A-Za-z_][A-Za-z0-9_]*|[0-9]+)(:?[-+?]|)/.exec(this.#word.slice(this.#at, this.#at + 256));
    if (opened?.[1] === undefined) return this.#notUnderstood();
    const [all, name, operator = ''] = opened;
    this.#at += all.length;
    if (operator === '') return this.#next() === '}' ? this.#valueOf(name) : this.#notUnderstood();
    if (this.#depth >= DEEPEST) return this.#notUnderstood();
    const inside: Tally = { unset: [], left: this.#tally.left };
    const nested = new Expansion(this.#word.slice(this.#at), this.#options, inside, this.#depth + 1);
    const alternative = nested.untilEnd('}');
    this.#at += nested.#at;
    this.#tally.left = inside.left;
    return this.#choose(name, operator, alternative, inside.unset);
  }

  #choose(name: string, operator: string, alternative: string, unsetInside: readonly string[]): string {
    const value = this.#options.lookup(name);
    const present = value !== undefined && !(operator.startsWith(':') && value === '');
    if (operator.endsWith('?')) return present ? this.#valueOf(name) : this.#missing(name);
    const useAlternative = operator.endsWith('+') ? present : !present;
    if (!useAlternative) return operator.endsWith('+') ? '' : this.#valueOf(name);
    this.#tally.unset.push(...unsetInside);
    return alternative;
  }

  #valueOf(name: string): string {
    const value = this.#options.lookup(name);
    this.#tally.left -= value?.length ?? 0;
    return value === undefined || this.#tally.left < 0 ? this.#missing(name) : value;
  }

  #missing(name: string): string {
    this.#tally.unset.push(name);
    return '';
  }

  #notUnderstood(): string {
    const rest = this.#word.slice(this.#at - 1);
    this.#at = this.#word.length;
    return this.#missing(rest);
  }
}
