import type { DiagnosticCode } from '../../model/diagnostic-codes.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { type FlagValueKind, flagValueProblem } from './flag-values.ts';
import type { ShellWord } from './shell-words.ts';

/** One flag of a docker command line, as a row of a table. */
export interface FlagSpec {
  /** Without dashes. */
  readonly name: string;
  readonly short?: string;
  /** Other spellings of `name`. */
  readonly also?: readonly string[];
  /** `switch` takes no value unless written `--name=false`. */
  readonly takes: 'switch' | FlagValueKind;
  /** Words that a switch takes as its value too, also as the next word: `--pull never`. */
  readonly orOneOf?: readonly string[];
  /** Has no effect here; the sentence says why, and becomes a warning. */
  readonly ignored?: string;
  /** Cannot be done here; the sentence says why and what to do instead. */
  readonly refused?: string;
}

/** A problem with one word, to be placed in the file by the caller. */
export interface FlagProblem {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly expected?: string;
  readonly help?: string;
  readonly word: ShellWord;
}

/** The flags of a command line by the table's names. */
export class ParsedFlags {
  readonly positionals: ShellWord[] = [];
  readonly problems: FlagProblem[] = [];
  readonly #values = new Map<string, { readonly value: string; readonly word: ShellWord }[]>();

  add(name: string, value: string, word: ShellWord): void {
    const values = this.#values.get(name) ?? [];
    values.push({ value, word });
    this.#values.set(name, values);
  }

  /** Values in order; empty when the flag is absent. */
  all(name: string): readonly string[] {
    return (this.#values.get(name) ?? []).map(({ value }) => value);
  }

  last(name: string): string | undefined {
    return this.#values.get(name)?.at(-1)?.value;
  }

  /** The word in which the flag's last value stands. */
  wordOf(name: string): ShellWord | undefined {
    return this.#values.get(name)?.at(-1)?.word;
  }

  number(name: string): number | undefined {
    const value = this.last(name);
    return value === undefined ? undefined : Number(value);
  }

  on(name: string): boolean {
    return this.last(name) === 'true';
  }
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/**
 * Reads words as docker's own command lines are read: `--name value`, `--name=value`, `-n value`, `-nvalue`, clusters like
 * `-it`, `--` ends the flags. With `interspersed`, flags may follow positionals; otherwise the first positional ends them.
 */
export function parseFlags(
  words: readonly ShellWord[],
  table: readonly FlagSpec[],
  options: { readonly interspersed: boolean; readonly command: string },
): ParsedFlags {
  const reader = new FlagReader(words, table, options.command);
  return reader.read(options.interspersed);
}

interface FlagIndex {
  readonly long: ReadonlyMap<string, FlagSpec>;
  readonly short: ReadonlyMap<string, FlagSpec>;
}

/** A task may have thousands of commands: each table is indexed once. */
const INDEXES = new WeakMap<readonly FlagSpec[], FlagIndex>();

function indexOf(table: readonly FlagSpec[]): FlagIndex {
  const known = INDEXES.get(table);
  if (known !== undefined) return known;
  const long = new Map<string, FlagSpec>();
  const short = new Map<string, FlagSpec>();
  for (const spec of table) {
    for (const name of [spec.name, ...(spec.also ?? [])]) long.set(name, spec);
    if (spec.short !== undefined) short.set(spec.short, spec);
  }
  const index = { long, short };
  INDEXES.set(table, index);
  return index;
}

class FlagReader {
  readonly #words: readonly ShellWord[];
  readonly #long: ReadonlyMap<string, FlagSpec>;
  readonly #short: ReadonlyMap<string, FlagSpec>;
  readonly #command: string;
  readonly #flags = new ParsedFlags();
  #at = 0;

  constructor(words: readonly ShellWord[], table: readonly FlagSpec[], command: string) {
    this.#words = words;
    this.#command = command;
    const { long, short } = indexOf(table);
    this.#long = long;
    this.#short = short;
  }

  read(interspersed: boolean): ParsedFlags {
    for (let word = this.#next(); word !== undefined; word = this.#next()) {
      if (word.text === '--') break;
      if (word.text.startsWith('--')) this.#readLong(word);
      else if (word.text.startsWith('-') && word.text.length > 1) this.#readShort(word, 1);
      else {
        this.#flags.positionals.push(word);
        if (!interspersed) break;
      }
    }
    this.#flags.positionals.push(...this.#words.slice(this.#at));
    return this.#flags;
  }

  #next(): ShellWord | undefined {
    const word = this.#words[this.#at];
    if (word !== undefined) this.#at += 1;
    return word;
  }

  #readLong(word: ShellWord): void {
    const equals = word.text.indexOf('=');
    const name = word.text.slice(2, equals === -1 ? undefined : equals);
    const spec = this.#long.get(name);
    if (spec === undefined) this.#unknown(`--${name}`, word);
    else if (equals !== -1) this.#take(spec, word.text.slice(equals + 1), word);
    else if (spec.takes !== 'switch' || this.#nextIsOneOf(spec)) this.#takeNext(spec, word);
    else this.#take(spec, 'true', word);
  }

  #nextIsOneOf(spec: FlagSpec): boolean {
    const next = this.#words[this.#at]?.text;
    return next !== undefined && spec.orOneOf?.includes(next) === true;
  }

  #readShort(word: ShellWord, index: number): void {
    const letter = word.text.charAt(index);
    const rest = word.text.slice(index + 1);
    const spec = this.#short.get(letter);
    if (spec === undefined) this.#unknown(`-${letter}`, word);
    else if (spec.takes !== 'switch') {
      if (rest === '') this.#takeNext(spec, word);
      else this.#take(spec, rest.startsWith('=') ? rest.slice(1) : rest, word);
    } else if (rest.startsWith('=')) this.#take(spec, rest.slice(1), word);
    else {
      this.#take(spec, 'true', word);
      if (rest !== '') this.#readShort(word, index + 1);
    }
  }

  #takeNext(spec: FlagSpec, word: ShellWord): void {
    const value = this.#next();
    if (value !== undefined) this.#take(spec, value.text, value);
    else this.#problem('flag-value', word, `\`${word.text}\` of ${this.#command} needs a value.`, expectedOf(spec));
  }

  #take(spec: FlagSpec, written: string, word: ShellWord): void {
    if (spec.refused !== undefined) {
      this.#problem('flag-unsupported', word, `\`--${spec.name}\` of ${this.#command} cannot be used here: ${spec.refused}`);
      return;
    }
    const value = spec.takes === 'switch' ? switchValue(written, spec.orOneOf) : written;
    const expected = expectedAt(spec, value);
    if (expected !== undefined) {
      this.#problem('flag-value', word, `\`${written}\` is no value for \`--${spec.name}\` of ${this.#command}.`, expected);
      return;
    }
    if (spec.ignored !== undefined) this.#warn(spec, word);
    this.#flags.add(spec.name, value ?? '', word);
  }

  #unknown(flag: string, word: ShellWord): void {
    const near = flag.startsWith('--') ? nearestName(flag.slice(2), this.#long.keys()) : undefined;
    const help =
      near === undefined ? `\`${this.#command}\` has no such flag; arguments of the image follow its name.` : `Did you mean \`--${near}\`?`;
    this.#problem('flag-unknown', word, `${this.#command} has no flag \`${flag}\`.`, `a flag of ${this.#command}`, help);
  }

  #problem(code: FlagProblem['code'], word: ShellWord, message: string, expected?: string, help?: string): void {
    this.#flags.problems.push({
      code,
      severity: 'error',
      message,
      word,
      ...(expected === undefined ? {} : { expected }),
      ...(help === undefined ? {} : { help }),
    });
  }

  #warn(spec: FlagSpec, word: ShellWord): void {
    const message = `\`--${spec.name}\` has no effect: ${spec.ignored}`;
    this.#flags.problems.push({ code: 'flag-ignored', severity: 'warning', message, word });
  }
}

function switchValue(written: string, orOneOf: readonly string[] = []): string | undefined {
  if (orOneOf.includes(written)) return written;
  return TRUE.includes(written) ? 'true' : FALSE.includes(written) ? 'false' : undefined;
}

function expectedAt(spec: FlagSpec, value: string | undefined): string | undefined {
  if (spec.takes === 'switch')
    return value === undefined ? ['true', 'false', ...(spec.orOneOf ?? [])].map((one) => `\`${one}\``).join(' or ') : undefined;
  return flagValueProblem(spec.takes, value ?? '');
}

function expectedOf(spec: FlagSpec): string | undefined {
  return spec.takes === 'switch' ? undefined : (flagValueProblem(spec.takes, '') ?? 'a value');
}
