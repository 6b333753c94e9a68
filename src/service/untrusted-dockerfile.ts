import { EngineError } from '../model/engine-error.ts';
import type { BuildSpec } from '../model/plan.ts';
import { parseStages } from '../task/dockerfile/parse-stages.ts';

interface DockerfileText {
  readonly name: string;
  readonly text: string;
}

/** Throws EngineError `policy-refused` for a Dockerfile that an untrusted run does not build. */
export function refuse(dockerfile: string, why: string): never {
  throw new EngineError('policy-refused', `an untrusted run does not build ${dockerfile}: ${why}`);
}

/** Throws EngineError `policy-refused` for build arguments that choose what reads the Dockerfile. */
export function checkArguments({ buildArgs }: Pick<BuildSpec, 'buildArgs'>): void {
  if (buildArgs.some((argument) => /^BUILDKIT_SYNTAX(?:=|$)/i.test(argument)))
    throw new EngineError('policy-refused', 'an untrusted run cannot choose what reads its Dockerfile (BUILDKIT_SYNTAX)');
}

/** Throws EngineError `policy-refused` for a Dockerfile that brings a program of its own to read it, which could read it as it likes. */
export function checkFrontend({ name, text }: DockerfileText): void {
  for (const line of text.replace(/^\ufeff/, '').split('\n')) {
    const comment = /^\s*(?:#|\/\/)(.*)$/.exec(line)?.[1];
    if (comment === undefined && line.trim() !== '') return;
    if (/^!?\s*syntax\s*=/i.test(comment ?? '')) refuse(name, '`# syntax=` is not possible there: leave it out');
  }
}

/** Throws EngineError `policy-refused` when any builder could take an image for the pinned text that is not among `images`. */
export function checkImages({ name, text }: DockerfileText, images: readonly string[]): void {
  const stages = parseStages(text).stages.map((stage) => stage.name);
  const problem = unknownImage(text, { images: new Set(images), stages });
  if (problem !== undefined) refuse(name, problem);
}

interface KnownNames {
  /** As they stand in the text, pinned. */
  readonly images: ReadonlySet<string>;
  /** Names in lower case, in the order of the file; empty for a stage without one. */
  readonly stages: readonly string[];
}

const HELP = 'there, Dockerfiles name their images in plain words';
/** Nobody writes flags over more lines. */
const MOST_CONTINUED = 200;

/**
 * Looks once more at a Dockerfile whose images are pinned, without the parser that found them: builders differ in what they take for an
 * instruction (here-documents, quotes in flags), and none may find an image that nobody has looked at. So every line that could begin a `FROM`,
 * `COPY`, `ADD` or `RUN` for any of them is looked at, and may name known stages and images only. The first that does not, as a sentence.
 */
function unknownImage(text: string, known: KnownNames): string | undefined {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  for (const mark of ['\\', '`']) {
    let stages = 0;
    for (let index = 0; index < lines.length; index += 1) {
      const instruction = instructionAt(lines, index, mark);
      if (instruction === undefined) continue;
      const place = `line ${index + 1}`;
      if (instruction === 'endless') return `${place} goes on over more than ${MOST_CONTINUED} lines: ${HELP}`;
      const problem = instruction.keyword === 'from' ? baseProblem(instruction, known) : sourceProblem(instruction, known);
      if (problem === 'no base') continue;
      if (problem !== undefined) return `${place}: ${problem}: ${HELP}`;
      if (instruction.keyword === 'from') stages += 1;
    }
    if (stages !== known.stages.length && (mark === '\\') !== /^\s*#\s*escape\s*=\s*`/im.test(text))
      return `it has lines that only some builders take for a FROM: ${HELP}`;
  }
  return undefined;
}

interface InstructionStart {
  readonly keyword: string;
  readonly flags: readonly string[];
  /** Words behind the flags; for a FROM all of them. */
  readonly rest: string;
}

/** The instruction that a line may begin, joined as far as its flags go, for a FROM as far as it goes. */
function instructionAt(lines: readonly string[], first: number, mark: string): InstructionStart | 'endless' | undefined {
  let text = '';
  for (let index = first; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').replace(/\r$/, '');
    // Comments and empty lines between continued ones are left out by all builders.
    if (index > first && /^\s*(?:#.*)?$/.test(line)) continue;
    const body = line.trimEnd().endsWith(mark) ? line.trimEnd().slice(0, -1) : undefined;
    text += body ?? line;
    const start = readStart(text);
    if (body === undefined || start === 'other') return start === 'other' || start === 'open' ? undefined : start;
    if (start !== 'open' && start.keyword !== 'from' && start.rest !== '') return start;
    if (index - first > MOST_CONTINUED) return 'endless';
  }
  const start = readStart(text);
  return start === 'other' || start === 'open' ? undefined : start;
}

const KEYWORDS = ['from', 'copy', 'add', 'run'];

/** `open`: what follows decides. */
function readStart(text: string): InstructionStart | 'open' | 'other' {
  const trimmed = text.replace(/^(?:\s*onbuild\s+)+/i, '').trimStart();
  const word = /^[a-z]*/i.exec(trimmed)?.[0].toLowerCase() ?? '';
  const after = trimmed.slice(word.length);
  if (after === '') return [...KEYWORDS, 'onbuild'].some((keyword) => keyword.startsWith(word)) ? 'open' : 'other';
  if (!KEYWORDS.includes(word) || !/^\s/.test(after)) return 'other';
  const { flags, end } = readFlags(after);
  return { keyword: word, flags, rest: after.slice(end).trim() };
}

/** The words with `--` in front, as builders read them: quotes and backslashes are gone. */
function readFlags(text: string): { readonly flags: readonly string[]; readonly end: number } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(text.charAt(at))) at += 1;
    if (!text.startsWith('--', at)) return { flags, end: at };
    let word = '';
    let quote = '';
    for (; at < text.length && (quote !== '' || !/\s/.test(text.charAt(at))); at += 1) {
      const character = text.charAt(at);
      if (character === '\\') {
        at += 1;
        word += text.charAt(at);
      } else if (quote === character) quote = '';
      else if (quote === '' && (character === '"' || character === "'")) quote = character;
      else word += character;
    }
    flags.push(word);
  }
}

function baseProblem({ rest }: InstructionStart, known: KnownNames): string | 'no base' | undefined {
  const words = rest.split(/\s+/);
  // No builder takes other numbers of words; texts in here-documents have them.
  const isBase = words[0] !== '' && (words.length === 1 || (words.length === 3 && words[1]?.toLowerCase() === 'as'));
  if (!isBase) return 'no base';
  return problemOf(words[0] ?? '', known);
}

function sourceProblem({ flags }: InstructionStart, known: KnownNames): string | undefined {
  for (const flag of flags) {
    const [, name = '', value = ''] = /^--([^=]*)=?(.*)$/s.exec(flag) ?? [];
    const sources =
      name.toLowerCase() === 'mount'
        ? [...value.matchAll(/(?:^|,)\s*"*\s*from\s*=\s*"*([^,"]*)/gi)].map(([, source = '']) => source)
        : name.toLowerCase() === 'from'
          ? [value]
          : [];
    for (const source of sources) {
      const problem = problemOf(source, known);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function problemOf(name: string, { images, stages }: KnownNames): string | undefined {
  if (images.has(name) || /^\d+$/.test(name)) return undefined;
  if (name !== '' && stages.includes(name.toLowerCase())) return undefined;
  return `\`${name}\` is neither a stage nor an image that was looked up`;
}
