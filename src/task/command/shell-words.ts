import { err, ok, type Result } from '../../util/result.ts';
import { operatorProblem, type ShellProblem, secondCommandProblem, tooLongProblem, unterminatedProblem } from './shell-problems.ts';

/** One word as `sh` makes it, and where in the text it was written. */
export interface ShellWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

interface ShellOptions {
  /** Variables that expand; every other `$NAME` stays for the container's own shell. */
  readonly variables?: ReadonlyMap<string, string>;
  /** `ends`: a newline ends the command and nothing may follow it; `separates`: it is a blank like any other. */
  readonly newline: 'ends' | 'separates';
}

const BLANK = /[ \t]/;
/** Text that means nothing special, outside quotes and inside double quotes: taken in one piece. */
const ORDINARY = /[^ \t\n#'"\\$`|&;<>()]+/y;
const ORDINARY_IN_QUOTES = /[^"\\$`]+/y;
const OPERATOR = /&&|\|\||;;|<<-|<<|>>|<&|>&|<>|>\||[|&;<>()]/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const BRACED_NAME = /\{([A-Za-z_][A-Za-z0-9_]*)\}/y;
/** What the variables of a step may add to one text; no engine takes longer arguments. */
const LONGEST_EXPANSION = 1024 * 1024;
const ESCAPED_IN_DOUBLE_QUOTES = '$`"\\';

/**
 * Splits a text into words as a POSIX shell does: quotes, backslashes, concatenation, comments, line continuations.
 * Nothing is run and nothing is matched against files: `*`, `?` and `~` stay as they are, an operator outside quotes is a
 * problem, and what a shell would substitute inside double quotes is left for the container's own shell.
 */
export function splitShellWords(text: string, options: ShellOptions): Result<readonly ShellWord[], ShellProblem> {
  return new Splitter(text, options).split();
}

class Splitter {
  readonly #text: string;
  readonly #options: ShellOptions;
  readonly #words: ShellWord[] = [];
  #at = 0;
  #word: string | undefined;
  #wordStart = 0;
  /** Something was written since the last blank, though an empty expansion may have made no word of it. */
  #inToken = false;
  #expanded = 0;
  #problem: ShellProblem | undefined;

  constructor(text: string, options: ShellOptions) {
    this.#text = text;
    this.#options = options;
  }

  split(): Result<readonly ShellWord[], ShellProblem> {
    while (this.#at < this.#text.length && this.#problem === undefined) {
      if (!this.#ordinary(ORDINARY)) this.#step(this.#text.charAt(this.#at));
    }
    this.#endWord();
    return this.#problem === undefined ? ok(this.#words) : err(this.#problem);
  }

  #step(character: string): void {
    if (BLANK.test(character)) this.#skipBlank();
    else if (character === '\n') this.#newline();
    else if (character === '#' && !this.#inToken) this.#skipComment();
    else if (character === "'") this.#singleQuoted();
    else if (character === '"') this.#doubleQuoted();
    else if (character === '\\') this.#backslash();
    else if (character === '$') this.#dollar(false);
    else if (character === '`') this.#refuseOperator('`…`', 1);
    else if (!this.#operator()) this.#append(character, 1);
  }

  #ordinary(pattern: RegExp): boolean {
    const run = matchAt(pattern, this.#text, this.#at)?.[0];
    if (run === undefined) return false;
    this.#append(run, run.length);
    return true;
  }

  #append(text: string, consumed: number): void {
    if (this.#word === undefined) {
      this.#word = '';
      this.#wordStart = this.#at;
    }
    this.#word += text;
    this.#at += consumed;
    this.#inToken = true;
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#words.push({ text: this.#word, start: this.#wordStart, end: this.#at });
    this.#word = undefined;
  }

  #skipBlank(): void {
    this.#endWord();
    this.#inToken = false;
    this.#at += 1;
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #newline(): void {
    this.#skipBlank();
    if (this.#options.newline === 'separates' || this.#words.length === 0) return;
    const next = /^[ \t]*([^ \t\n#][^\n]*)/m.exec(this.#text.slice(this.#at));
    if (next?.[1] === undefined) {
      this.#at = this.#text.length;
      return;
    }
    const start = this.#at + next.index + next[0].length - next[1].length;
    this.#problem = secondCommandProblem({ start, end: start + next[1].trimEnd().length });
  }

  #singleQuoted(): void {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end === -1) this.#refuseUnterminated("'", this.#at);
    else this.#append(this.#text.slice(this.#at + 1, end), end + 1 - this.#at);
  }

  #doubleQuoted(): void {
    const opening = this.#at;
    this.#append('', 1);
    while (this.#problem === undefined) {
      const character = this.#text.charAt(this.#at);
      if (character === '') this.#refuseUnterminated('"', opening);
      else if (character === '"') {
        this.#at += 1;
        return;
      } else if (character === '\\') this.#backslashInDoubleQuotes();
      else if (character === '$') this.#dollar(true);
      else if (character === '`') this.#copyBackquoted();
      else this.#ordinary(ORDINARY_IN_QUOTES);
    }
  }

  #backslash(): void {
    const next = this.#text.charAt(this.#at + 1);
    if (next === '\n') this.#at += 2;
    else if (next === '') this.#append('\\', 1);
    else this.#append(next, 2);
  }

  #backslashInDoubleQuotes(): void {
    const next = this.#text.charAt(this.#at + 1);
    if (next === '\n') this.#append('', 2);
    else if (next !== '' && ESCAPED_IN_DOUBLE_QUOTES.includes(next)) this.#append(next, 2);
    else this.#append('\\', 1);
  }

  #dollar(quoted: boolean): void {
    const next = this.#text.charAt(this.#at + 1);
    const braced = matchAt(BRACED_NAME, this.#text, this.#at + 1);
    const name = braced?.[1] ?? matchAt(NAME, this.#text, this.#at + 1)?.[0];
    const value = name === undefined ? undefined : this.#options.variables?.get(name);
    if (value !== undefined) this.#expand(value, (braced?.[0] ?? name ?? '').length + 1, quoted);
    else if (next === '(' && !quoted) this.#refuseOperator('$(…)', 2);
    else if (next === '(') this.#copyNested('(', ')');
    else if (next === '{') this.#copyNested('{', '}');
    else this.#append('$', 1);
  }

  #expand(value: string, consumed: number, quoted: boolean): void {
    this.#expanded += value.length;
    if (this.#expanded > LONGEST_EXPANSION)
      this.#problem = tooLongProblem(LONGEST_EXPANSION, { start: this.#at, end: this.#at + consumed });
    else if (quoted) this.#append(value, consumed);
    else this.#expandIntoWords(value, consumed);
  }

  /** Outside quotes the value is split at blanks into words of its own, and an empty one makes no word. */
  #expandIntoWords(value: string, consumed: number): void {
    value.split(/[ \t\n]+/).forEach((piece, index) => {
      if (index > 0) this.#endWord();
      if (piece !== '') this.#append(piece, 0);
    });
    this.#inToken = true;
    this.#at += consumed;
  }

  /** Copies `$(…)` or `${…}` as written, its own quotes and nesting included. */
  #copyNested(open: string, close: string): void {
    const opening = this.#at;
    const end = endOfNested(this.#text, opening + 1, open, close);
    if (end === -1) this.#refuseUnterminated(`$${open}`, opening);
    else this.#append(this.#text.slice(opening, end), end - opening);
  }

  #copyBackquoted(): void {
    const opening = this.#at;
    let end = opening + 1;
    while (end < this.#text.length && this.#text[end] !== '`') end += this.#text[end] === '\\' ? 2 : 1;
    if (end >= this.#text.length) this.#refuseUnterminated('`', opening);
    else this.#append(this.#text.slice(opening, end + 1), end + 1 - opening);
  }

  #operator(): boolean {
    const operator = matchAt(OPERATOR, this.#text, this.#at)?.[0];
    if (operator === undefined) return false;
    this.#refuseOperator(operator, operator.length);
    return true;
  }

  #refuseOperator(operator: string, length: number): void {
    this.#problem = operatorProblem(operator, { start: this.#at, end: this.#at + length });
  }

  #refuseUnterminated(opening: string, start: number): void {
    this.#problem = unterminatedProblem(opening, { start, end: start + opening.length });
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Offset after the `close` that ends what starts with `open` at `start`; -1 when it never ends. */
function endOfNested(text: string, start: number, open: string, close: string): number {
  let depth = 0;
  let quote = '';
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\' && quote !== "'") at += 1;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === open) depth += 1;
    else if (character === close) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return -1;
}
