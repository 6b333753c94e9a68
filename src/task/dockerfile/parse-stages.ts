import {
  type Arg,
  type Copy,
  type Dockerfile,
  DockerfileParser,
  type From,
  type Instruction,
  type ModifiableInstruction,
} from 'dockerfile-ast';

/** A part of the Dockerfile's text by UTF-16 offsets. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** An image or stage named by an instruction, as written. */
export interface SourceWord extends TextSpan {
  readonly written: string;
}

export interface ArgDeclaration {
  readonly name: string;
  /** As written, quotes included; undefined for `ARG NAME`. */
  readonly value: string | undefined;
}

export interface Stage {
  /** Lower-case; empty when the stage has no name. */
  readonly name: string;
  readonly base: SourceWord;
  /** The value of `--platform`, as written. */
  readonly platform: string;
  readonly args: readonly ArgDeclaration[];
  /** `COPY --from=` and `RUN --mount=…,from=`. */
  readonly sources: readonly SourceWord[];
}

export interface DockerfileStages {
  readonly escape: string;
  /** ARGs before the first FROM: the only ones a FROM sees. */
  readonly globalArgs: readonly ArgDeclaration[];
  readonly stages: readonly Stage[];
  /** Instructions that no builder would accept. */
  readonly problems: readonly { readonly message: string; readonly help: string; readonly span: TextSpan }[];
}

/** Takes a Dockerfile's text apart into stages; heredocs, continuation lines and parser directives are understood. */
export function parseStages(text: string): DockerfileStages {
  const dockerfile: Dockerfile = DockerfileParser.parse(text);
  return new StageReader(text, dockerfile.getEscapeCharacter()).read(dockerfile.getInstructions());
}

interface OpenStage {
  readonly name: string;
  readonly base: SourceWord;
  readonly platform: string;
  readonly args: ArgDeclaration[];
  readonly sources: SourceWord[];
}

type Range = NonNullable<ReturnType<Instruction['getArgumentsRange']>>;

class StageReader {
  readonly #text: string;
  readonly #escape: string;
  readonly #lineStarts: readonly number[];
  readonly #globalArgs: ArgDeclaration[] = [];
  readonly #stages: OpenStage[] = [];
  readonly #problems: { message: string; help: string; span: TextSpan }[] = [];

  constructor(text: string, escapeCharacter: string) {
    this.#text = text;
    this.#escape = escapeCharacter;
    this.#lineStarts = lineStartsOf(text);
  }

  read(instructions: readonly Instruction[]): DockerfileStages {
    for (const instruction of instructions) {
      const keyword = instruction.getKeyword();
      if (keyword === 'FROM') this.#readFrom(instruction as From);
      else if (keyword === 'ARG') this.#readArg(instruction as Arg);
      else if (keyword === 'COPY' || keyword === 'RUN') this.#readSources(instruction as Copy);
    }
    return { escape: this.#escape, globalArgs: this.#globalArgs, stages: this.#stages, problems: this.#problems };
  }

  #readFrom(from: From): void {
    const range = from.getImageRange();
    if (range === null) {
      this.#problem(from, 'This FROM names no image.', 'Write `FROM IMAGE [AS NAME]`.');
      return;
    }
    const words = from.getArguments().map((argument) => argument.getValue());
    if (words.length > 1 && (words[1]?.toLowerCase() !== 'as' || words[2] === undefined)) {
      this.#problem(from, 'After the image of a FROM only `AS NAME` may follow.', 'Write `FROM IMAGE [AS NAME]`.');
    }
    this.#stages.push({
      name: (words[2] ?? '').toLowerCase(),
      base: this.#word(range),
      platform: from.getPlatformFlag()?.getValue() ?? '',
      args: [],
      sources: [],
    });
  }

  #readArg(arg: Arg): void {
    const words = propertyWords(arg.getRawArgumentsContent() ?? '', this.#escape);
    if (words.length === 0) this.#problem(arg, 'This ARG names no variable.', 'Write `ARG NAME[=DEFAULT]`.');
    const scope = this.#stages.at(-1)?.args ?? this.#globalArgs;
    for (const word of words) {
      const equals = word.indexOf('=');
      scope.push(equals === -1 ? { name: word, value: undefined } : { name: word.slice(0, equals), value: word.slice(equals + 1) });
    }
  }

  #readSources(instruction: ModifiableInstruction): void {
    const stage = this.#stages.at(-1);
    if (stage === undefined) return;
    for (const flag of instruction.getFlags()) {
      const isFrom = instruction.getKeyword() === 'COPY' && flag.getName() === 'from';
      const isMount = instruction.getKeyword() === 'RUN' && flag.getName() === 'mount';
      const range = isFrom ? flag.getValueRange() : isMount ? flag.getOption('from')?.getValueRange() : undefined;
      if (range === undefined || range === null) continue;
      const word = this.#word(range);
      if (word.written !== '') stage.sources.push(word);
    }
  }

  #problem(instruction: Instruction, message: string, help: string): void {
    this.#problems.push({ message, help, span: this.#span(instruction.getInstructionRange()) });
  }

  #word(range: Range): SourceWord {
    const span = this.#span(range);
    return { ...span, written: joinLines(this.#text.slice(span.start, span.end), this.#escape) };
  }

  #span(range: Range): TextSpan {
    return { start: this.#offset(range.start), end: this.#offset(range.end) };
  }

  #offset({ line, character }: Range['start']): number {
    return (this.#lineStarts[line] ?? this.#text.length) + character;
  }
}

function lineStartsOf(text: string): readonly number[] {
  const starts = [0];
  for (const newline of text.matchAll(/\r\n|\r|\n/g)) starts.push(newline.index + newline[0].length);
  return starts;
}

/** The text without its line continuations. */
function joinLines(text: string, escapeCharacter: string): string {
  return text.includes('\n') ? text.replace(escapeCharacter === '`' ? /`[ \t]*\r?\n/g : /\\[ \t]*\r?\n/g, '') : text;
}

/** Splits the arguments of an ARG at blanks outside quotes; quotes stay. */
function propertyWords(content: string, escapeCharacter: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  const text = joinLines(content, escapeCharacter);
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote === '' && /\s/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    word += character;
    if (character === escapeCharacter && quote !== "'") {
      at += 1;
      word += text.charAt(at);
    } else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
  }
  return word === '' ? words : [...words, word];
}
