import { GoInt, type Value } from '../value.ts';
import { type FormatSpec, PLAIN_SPEC } from './spec.ts';

/** A part of a format: text to copy, or a value with how to show it. */
export type FormatPiece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'value'; readonly value: Value; readonly spec: FormatSpec };

export interface ParsedFormat {
  readonly pieces: readonly FormatPiece[];
  /** Arguments that no verb asked for. */
  readonly surplus: readonly Value[];
}

/** Reads a format of fmt.Sprintf. Mistakes become text, as in Go. */
export function parseFormat(format: string, values: readonly Value[]): ParsedFormat {
  return new FormatReader(format, values).read();
}

/** Larger widths and precisions are refused by Go too. */
const LARGEST = 1_000_000;

const DIGITS = /[0-9]+/y;

/** The number that digits mean; undefined when one more digit follows a number that is too large already. */
function readSize(digits: string): number | undefined {
  let size = 0;
  for (const digit of digits) {
    if (size > LARGEST) return undefined;
    size = size * 10 + Number(digit);
  }
  return size;
}

type Changeable = { -readonly [K in keyof FormatSpec]: FormatSpec[K] };

class FormatReader {
  readonly #format: string;
  readonly #values: readonly Value[];
  readonly #pieces: FormatPiece[] = [];
  #at = 0;
  #argument = 0;
  #reordered = false;
  #goodIndex = true;
  #afterIndex = false;

  constructor(format: string, values: readonly Value[]) {
    this.#format = format;
    this.#values = values;
  }

  read(): ParsedFormat {
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      const end = percent === -1 ? this.#format.length : percent;
      this.#text(this.#format.slice(this.#at, end));
      this.#at = end + 1;
      if (percent !== -1) this.#directive();
    }
    return { pieces: this.#pieces, surplus: this.#reordered ? [] : this.#values.slice(this.#argument) };
  }

  #text(text: string): void {
    if (text !== '') this.#pieces.push({ type: 'text', text });
  }

  #directive(): void {
    this.#goodIndex = true;
    this.#afterIndex = false;
    const spec: Changeable = { ...PLAIN_SPEC };
    this.#flags(spec);
    this.#index();
    this.#width(spec);
    this.#precision(spec);
    if (!this.#afterIndex) this.#index();
    this.#verb(spec);
  }

  #flags(spec: Changeable): void {
    for (;;) {
      const flag = this.#format.charAt(this.#at);
      if (flag === '+') spec.plus = true;
      else if (flag === '-') spec.minus = true;
      else if (flag === '#') spec.sharp = true;
      else if (flag === ' ') spec.space = true;
      else if (flag === '0') spec.zero = true;
      else return;
      this.#at += 1;
    }
  }

  /** An explicit argument index such as `[2]`. */
  #index(): void {
    this.#afterIndex = false;
    if (this.#format.charAt(this.#at) !== '[') return;
    this.#reordered = true;
    // At the very end of the format Go does not even look at "[]".
    const close = this.#format.length - this.#at < 3 ? -1 : this.#format.indexOf(']', this.#at);
    const inside = close === -1 ? '' : this.#format.slice(this.#at + 1, close);
    this.#at = close === -1 ? this.#at + 1 : close + 1;
    const number = /^[0-9]+$/.test(inside) ? readSize(inside) : undefined;
    this.#afterIndex = number !== undefined;
    if (number !== undefined && number > 0 && number <= this.#values.length) this.#argument = number - 1;
    else this.#goodIndex = false;
  }

  #width(spec: Changeable): void {
    if (this.#format.charAt(this.#at) === '*') {
      this.#at += 1;
      const width = this.#integerArgument();
      if (width === undefined) this.#text('%!(BADWIDTH)');
      else if (width < 0) Object.assign(spec, { width: -width, minus: true, zero: false });
      else spec.width = width;
      this.#afterIndex = false;
      return;
    }
    const width = this.#number();
    if (width === undefined) return;
    spec.width = width;
    if (this.#afterIndex) this.#goodIndex = false;
  }

  #precision(spec: Changeable): void {
    // A point at the very end is read as the verb.
    if (this.#format.charAt(this.#at) !== '.' || this.#at + 1 === this.#format.length) return;
    this.#at += 1;
    if (this.#afterIndex) this.#goodIndex = false;
    this.#index();
    if (this.#format.charAt(this.#at) !== '*') {
      spec.precision = this.#number() ?? 0;
      return;
    }
    this.#at += 1;
    const precision = this.#integerArgument();
    if (precision === undefined || precision < 0) this.#text('%!(BADPREC)');
    else spec.precision = precision;
    this.#afterIndex = false;
  }

  /** Digits of a width or precision. After too many of them Go gives up on the rest of the format. */
  #number(): number | undefined {
    DIGITS.lastIndex = this.#at;
    const digits = DIGITS.exec(this.#format)?.[0];
    if (digits === undefined) return undefined;
    const size = readSize(digits);
    this.#at = size === undefined ? this.#format.length : this.#at + digits.length;
    return size;
  }

  /** The argument of `*`; undefined when it is no integer of a sensible size. */
  #integerArgument(): number | undefined {
    const value = this.#values[this.#argument];
    if (this.#argument < this.#values.length) this.#argument += 1;
    if (!(value instanceof GoInt)) return undefined;
    const size = Number(value.value);
    return Math.abs(size) > LARGEST ? undefined : size;
  }

  #verb(spec: Changeable): void {
    const code = this.#format.codePointAt(this.#at);
    const verb = code === undefined ? '' : String.fromCodePoint(code);
    this.#at += verb.length;
    const mistake = this.#mistake(verb);
    if (mistake !== undefined) {
      this.#text(mistake);
      return;
    }
    if (verb === 'v' || verb === 'w') Object.assign(spec, { plusV: spec.plus, sharpV: spec.sharp, plus: false, sharp: false });
    this.#pieces.push({ type: 'value', value: this.#values[this.#argument], spec: { ...spec, verb } });
    this.#argument += 1;
  }

  /** The text in the place of a verb that takes no argument, or finds none. */
  #mistake(verb: string): string | undefined {
    if (verb === '') return '%!(NOVERB)';
    if (verb === '%') return '%';
    if (!this.#goodIndex) return `%!${verb}(BADINDEX)`;
    return this.#argument >= this.#values.length ? `%!${verb}(MISSING)` : undefined;
  }
}
