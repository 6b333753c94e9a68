import type { Checked, Diagnostic, SourceText } from '../../model/diagnostic.ts';
import type { DiagnosticCode } from '../../model/diagnostic-codes.ts';
import { splitImageReference, withDefaultTag } from '../../model/image-reference.ts';
import { err, ok } from '../../util/result.ts';
import { expandWord } from './expand-word.ts';
import { type ArgDeclaration, type DockerfileStages, parseStages, type SourceWord, type Stage, type TextSpan } from './parse-stages.ts';
import { platformArgs } from './platform-args.ts';

/** An image that a build takes from outside, and every place of the Dockerfile that names it. */
export interface ImageOrigin {
  /** After ARG expansion; `scratch` is the empty image. */
  readonly reference: string;
  /** `os/arch[/variant]` it is taken for. */
  readonly platform: string;
  readonly role: 'runtime' | 'buildtime';
  /** A variable without a value stands in it, so `reference` is only what is written. */
  readonly unresolved: boolean;
  /** Words that may be replaced by a pinned name. */
  readonly words: readonly TextSpan[];
}

export interface DockerfileScan {
  /** What the final stage starts from. */
  readonly runtime: ImageOrigin;
  /** Every other image of the stages that the final one needs, in the order of the file. */
  readonly buildtime: readonly ImageOrigin[];
}

interface ScanOptions {
  /** `NAME` to value. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Empty: the last stage. */
  readonly target: string;
  /** What the image is made for, each `os/arch[/variant]`; at least one. */
  readonly platforms: readonly string[];
  /** What the builder runs on. */
  readonly buildPlatform: string;
  /** Names of `--build-context`: they are no images. */
  readonly contexts: ReadonlySet<string>;
  /** Also images of stages that the target does not need: some builders make those too. */
  readonly everyStage?: boolean;
}

/** A Dockerfile larger than this is not read: a hostile one of this size keeps the parser busy for a second. */
const LARGEST = 256 * 1024;

/**
 * Finds the images a Dockerfile builds upon, for each platform: stages that the target does not reach are left out, a stage is known by its
 * name in any case or by its number, and an ARG counts where a builder would see it. A reference that a variable leaves
 * open is a warning; an instruction that no builder would accept is an error.
 */
export function scanDockerfile(source: SourceText, options: ScanOptions): Checked<readonly DockerfileScan[]> {
  if (source.text.length > LARGEST) return err([problemAt(source, undefined, `This Dockerfile has more than ${LARGEST} characters.`)]);
  const parsed = parseStages(source.text);
  const errors = parsed.problems.map(({ message, help, span }) => ({ ...problemAt(source, span, message), help }));
  if (parsed.stages.length === 0 && errors.length === 0)
    errors.push({ ...problemAt(source, undefined, 'This Dockerfile has no FROM.'), help: 'Start with `FROM IMAGE`.' });
  if (errors.length > 0) return err(errors);
  const scans: DockerfileScan[] = [];
  const warnings = new Map<string, Diagnostic>();
  for (const platform of new Set(options.platforms)) {
    const scanned = new Scanner(source, parsed, { ...options, platform }).scan();
    if (!scanned.ok) return scanned;
    scans.push(scanned.value.value);
    for (const warning of scanned.value.warnings) warnings.set(warning.message, warning);
  }
  return ok({ value: scans, warnings: [...warnings.values()] });
}

interface PlatformOptions extends ScanOptions {
  readonly platform: string;
}

function problemAt(source: SourceText, span: TextSpan | undefined, message: string): Diagnostic {
  return {
    code: 'dockerfile-invalid' satisfies DiagnosticCode,
    severity: 'error',
    message,
    range: { source, ...(span ?? { start: 0, end: 0 }) },
  };
}

interface OpenOrigin {
  readonly reference: string;
  readonly platform: string;
  readonly unresolved: boolean;
  readonly words: TextSpan[];
}

/** What the FROM of a stage names. */
interface Base {
  readonly reference: string;
  readonly platform: string;
  readonly unset: readonly string[];
  /** Builders see the same values as we do. */
  readonly pinnable: boolean;
  readonly key: string;
}

class Scanner {
  readonly #source: SourceText;
  readonly #parsed: DockerfileStages;
  readonly #options: PlatformOptions;
  /** What a FROM sees. */
  readonly #globals = new Map<string, string>();
  /** What it does not see although a value is near: ARGs of stages and build arguments never declared. */
  readonly #strays = new Map<string, string>();
  readonly #origins = new Map<string, OpenOrigin>();
  readonly #problems: Diagnostic[] = [];

  constructor(source: SourceText, parsed: DockerfileStages, options: PlatformOptions) {
    this.#source = source;
    this.#parsed = parsed;
    this.#options = options;
    for (const [name, value] of platformArgs(options)) this.#globals.set(name, value);
    for (const arg of parsed.globalArgs) this.#declare(arg, this.#globals);
    for (const [name, value] of options.buildArgs) this.#strays.set(name, value);
    for (const arg of parsed.stages.flatMap(({ args }) => args)) if (!this.#strays.has(arg.name)) this.#declare(arg, this.#strays);
  }

  scan(): Checked<DockerfileScan> {
    const { stages } = this.#parsed;
    const target = this.#stageNamed(this.#options.target, stages.length) ?? stages.length - 1;
    const reached = this.#options.everyStage === true ? [...stages.keys()] : this.#reachedFrom(target);
    for (const index of reached) this.#visit(index);
    const errors = this.#problems.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) return err(errors);
    const { key: runtimeKey, reference, platform } = this.#runtimeOf(target);
    // Where a `--build-context` stands in for the base of the final stage, nobody can tell which image that is.
    const runtime = this.#origins.get(runtimeKey) ?? { reference, platform, unresolved: true, words: [] };
    const others = [...this.#origins]
      .filter(([key]) => key !== runtimeKey)
      .map(([, origin]) => ({ ...origin, role: 'buildtime' as const }));
    return ok({ value: { runtime: { ...runtime, role: 'runtime' }, buildtime: others }, warnings: this.#problems });
  }

  #declare(arg: ArgDeclaration, scope: Map<string, string>): void {
    const given = this.#options.buildArgs.get(arg.name);
    if (given !== undefined) scope.set(arg.name, given);
    else if (arg.value !== undefined) scope.set(arg.name, this.#expand(arg.value, scope).text);
  }

  #expand(word: string, ...scopes: readonly ReadonlyMap<string, string>[]): ReturnType<typeof expandWord> {
    const lookup = (name: string): string | undefined => scopes.find((scope) => scope.has(name))?.get(name);
    return expandWord(word, { escape: this.#parsed.escape, lookup });
  }

  /** The stage that a name or number means among those before `limit`, the latest of a name winning. */
  #stageNamed(name: string, limit: number): number | undefined {
    const wanted = name.toLowerCase();
    if (wanted === '') return undefined;
    for (let index = limit - 1; index >= 0; index -= 1) if (this.#parsed.stages[index]?.name === wanted) return index;
    return /^\d{1,6}$/.test(wanted) && Number(wanted) < limit ? Number(wanted) : undefined;
  }

  /** A FROM knows stages by name only. */
  #baseStage(index: number): number | undefined {
    const written = this.#parsed.stages[index]?.base.written ?? '';
    const name = this.#expand(written, this.#globals).text;
    return /^\d+$/.test(name) ? undefined : this.#stageNamed(name, index);
  }

  #reachedFrom(target: number): readonly number[] {
    const reached = new Set<number>();
    const open = [target];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (reached.has(index)) continue;
      reached.add(index);
      const base = this.#baseStage(index);
      if (base !== undefined) open.push(base);
      for (const source of this.#parsed.stages[index]?.sources ?? []) {
        const stage = this.#stageNamed(source.written, index);
        if (stage !== undefined) open.push(stage);
      }
    }
    return [...reached].sort((left, right) => left - right);
  }

  #visit(index: number): void {
    const stage = this.#parsed.stages[index];
    if (stage === undefined) return;
    if (this.#baseStage(index) === undefined) this.#addBase(stage);
    for (const source of stage.sources) {
      if (this.#stageNamed(source.written, index) === undefined) this.#addSource(source);
    }
  }

  #runtimeOf(target: number): Base {
    let index = target;
    for (let base = this.#baseStage(index); base !== undefined; base = this.#baseStage(index)) index = base;
    const stage = this.#parsed.stages[index];
    if (stage === undefined) throw new Error(`bug: the Dockerfile has no stage ${index}`);
    return this.#baseOf(stage);
  }

  #baseOf(stage: Stage): Base {
    const strict = this.#expand(stage.base.written, this.#globals);
    const expanded = strict.unset.length === 0 ? strict : this.#expand(stage.base.written, this.#globals, this.#strays);
    const platform = this.#expand(stage.platform, this.#globals).text || this.#options.platform;
    const reference = expanded.unset.length === 0 ? expanded.text : stage.base.written;
    return { reference, platform, unset: expanded.unset, pinnable: strict.unset.length === 0, key: keyOf(reference, platform) };
  }

  #addBase(stage: Stage): void {
    const base = this.#baseOf(stage);
    if (this.#options.contexts.has(base.reference)) return;
    this.#add(base.reference, base.platform, base.unset, stage.base, base.pinnable);
  }

  /** Builders expand no variable in `--from`. */
  #addSource(word: SourceWord): void {
    const reference = word.written.replace(/^(["'])(.*)\1$/, '$2');
    if (this.#options.contexts.has(reference)) return;
    const unset = reference.includes('$') ? [reference] : [];
    this.#add(reference, this.#options.platform, unset, word, true);
  }

  #add(reference: string, platform: string, unset: readonly string[], word: SourceWord, pinnable: boolean): void {
    const unresolved = unset.length > 0;
    if (unresolved) this.#warnUnset(word, unset);
    else if (!this.#checkReference(reference, word)) return;
    const key = keyOf(reference, platform);
    const origin = this.#origins.get(key) ?? { reference, platform, unresolved, words: [] };
    const onOneLine = !this.#source.text.slice(word.start, word.end).includes('\n');
    if (pinnable && !unresolved && onOneLine) origin.words.push({ start: word.start, end: word.end });
    this.#origins.set(key, origin);
  }

  #warnUnset(word: SourceWord, unset: readonly string[]): void {
    this.#problems.push({
      code: 'dockerfile-unresolved' satisfies DiagnosticCode,
      severity: 'warning',
      message: `The base image \`${word.written}\` is not known: ${unset.map((name) => `\`${name}\``).join(', ')} has no value here.`,
      help: 'Give the ARG a default before the first FROM, or pass `--build-arg`.',
      range: { source: this.#source, start: word.start, end: word.end },
    });
  }

  #checkReference(reference: string, word: SourceWord): boolean {
    const written = splitImageReference(withDefaultTag(reference));
    if (written.ok) return true;
    const message = `\`${reference}\` is no image reference: ${written.error}.`;
    this.#problems.push({ ...problemAt(this.#source, word, message), expected: 'an image or the name of an earlier stage' });
    return false;
  }
}

/** `golang`, `golang:latest` and `library/golang` are one image. */
function keyOf(reference: string, platform: string): string {
  return `${withDefaultTag(reference).replace(/^library\//, '')} ${platform}`;
}
