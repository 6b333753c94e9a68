import { buildMaskAutomaton, type MaskAutomaton } from './mask-automaton.ts';
import { maskVariants, SHORTEST_MASKED } from './mask-variants.ts';

const MASK = Buffer.from('***');
const NOTHING = new Uint8Array(0);

/** Hides secrets in text and in streams of bytes. Immutable; make one a run. */
export interface Masker {
  /** The text with every variant of every secret replaced by `***`. */
  maskText(text: string): string;
  /**
   * A new stream; chunks may be split anywhere. One that goes on where another was cut off is told the raw bytes `before`, at least the
   * last `reach` of them: then it masks what follows as that one would have, and gives nothing of what came before again.
   */
  stream(before?: Uint8Array): MaskStream;
  /** Length of the longest text that is hidden. */
  readonly reach: number;
}

export interface MaskStream {
  /** What is certain of the text so far, masked; the start of a possible secret is held back. May return `chunk` itself. */
  push(chunk: Uint8Array): Uint8Array;
  /** What was held back; the stream can be used again afterwards. */
  flush(): Uint8Array;
  /** Bytes held back. */
  readonly held: number;
}

/** Values that are not `isMaskable` are ignored: they would hide ordinary text. Overlapping and touching secrets give one `***`. */
export function createMasker(secrets: readonly string[]): Masker {
  const masked = [...new Set(secrets)].filter(isMaskable);
  if (masked.length === 0) return { maskText: (text) => text, stream: () => PLAIN_STREAM, reach: 0 };
  const variants = masked.flatMap(maskVariants);
  const automaton = buildMaskAutomaton(variants);
  return {
    maskText: (text) => maskText(automaton, text),
    stream: (before) => new AutomatonStream(automaton, before),
    reach: variants.reduce((longest, variant) => Math.max(longest, variant.length), 0),
  };
}

/** Whether a masker hides the value: one of fewer than 4 bytes, or of white space only, stays visible. */
export function isMaskable(value: string): boolean {
  return value.trim() !== '' && Buffer.byteLength(value) >= SHORTEST_MASKED;
}

const PLAIN_STREAM: MaskStream = { push: (chunk) => chunk, flush: () => NOTHING, held: 0 };

function maskText(automaton: MaskAutomaton, text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length < SHORTEST_MASKED) return text;
  const stream = new AutomatonStream(automaton);
  const parts = [stream.push(bytes), stream.flush()];
  // Most texts hold no secret and come back as they were.
  return parts[0] === bytes ? text : Buffer.concat(parts).toString();
}

/**
 * Reads every byte once. The last `live(state)` bytes may yet become a secret and are held; a byte is emitted when neither a match
 * nor a live prefix covers it.
 */
class AutomatonStream implements MaskStream {
  readonly #automaton: MaskAutomaton;
  #state = 0;
  #carry: Uint8Array = NOTHING;
  /** Matches that reach into the carry, ascending and disjoint, as offsets into it. */
  #ranges: number[] = [];
  /** The last byte emitted was the end of a mask, so that a touching match adds no second one. */
  #masking = false;
  /** That many bytes at the start of the carry were given by an earlier stream. */
  #given = 0;

  constructor(automaton: MaskAutomaton, before: Uint8Array = NOTHING) {
    this.#automaton = automaton;
    if (before.length === 0) return;
    this.#scan(before, 0);
    this.#given = before.length;
    this.#emit(before, before.length - this.#heldDepth(before.length));
  }

  get held(): number {
    return Math.max(0, this.#carry.length - this.#given);
  }

  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return NOTHING;
    const known = this.#carry.length;
    const bytes = known === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    this.#scan(bytes, known);
    return this.#emit(bytes, bytes.length - this.#heldDepth(bytes.length));
  }

  flush(): Uint8Array {
    const bytes = this.#carry;
    this.#state = 0;
    const out = this.#emit(bytes, bytes.length);
    this.#masking = false;
    return out;
  }

  #heldDepth(length: number): number {
    return Math.min(length, this.#automaton.live[this.#state] as number);
  }

  #scan(bytes: Uint8Array, from: number): void {
    const { step, skip, matched, depth } = this.#automaton;
    const lastWindow = bytes.length - SHORTEST_MASKED;
    let state = this.#state;
    let at = from;
    while (at < bytes.length) {
      if (state === 0 && at < lastWindow) at = skip(bytes, at, lastWindow);
      const next = step(state, bytes[at] as number);
      at += 1;
      const length = matched[next] as number;
      if (length !== 0) this.#mark(at - length, at);
      const reached = depth[next] as number;
      // The candidate that was being read has failed and only a short beginning of another is left: read that again through the
      // filter, which nearly always says no. Its start lies behind the failed one's, so this comes to an end.
      const again = reached > 0 && reached < SHORTEST_MASKED && reached <= (depth[state] as number) && at - reached < lastWindow;
      state = again ? 0 : next;
      if (again) at -= reached;
    }
    this.#state = state;
  }

  #mark(start: number, end: number): void {
    const ranges = this.#ranges;
    let first = start;
    while (ranges.length > 0 && (ranges[ranges.length - 1] as number) >= first) {
      ranges.pop();
      first = Math.min(first, ranges.pop() as number);
    }
    ranges.push(first, end);
  }

  /** Emits the bytes before `safe` and keeps the rest as the carry. A match cut by `safe` is emitted in part now. */
  #emit(bytes: Uint8Array, safe: number): Uint8Array {
    const ranges = this.#ranges;
    const given = Math.min(this.#given, safe);
    const isGiven = (at: number): boolean => at < this.#given;
    this.#carry = safe === bytes.length ? NOTHING : bytes.slice(safe);
    if (ranges.length === 0) {
      if (safe > 0) this.#masking = false;
      this.#given -= given;
      return given === 0 && safe === bytes.length ? bytes : bytes.subarray(given, safe);
    }
    const parts: Uint8Array[] = [];
    const kept: number[] = [];
    let at = 0;
    for (let index = 0; index < ranges.length; index += 2) {
      const start = ranges[index] as number;
      const end = ranges[index + 1] as number;
      if (end > safe) kept.push(Math.max(0, start - safe), end - safe);
      if (start >= safe) continue;
      if (start > at) {
        if (start > given) parts.push(bytes.subarray(Math.max(at, given), start));
        this.#masking = false;
      }
      // What was given of a match began with its mask.
      if (!this.#masking && !isGiven(start)) parts.push(MASK);
      this.#masking = true;
      at = Math.min(end, safe);
    }
    if (at < safe) {
      if (safe > given) parts.push(bytes.subarray(Math.max(at, given), safe));
      this.#masking = false;
    }
    this.#given -= given;
    this.#ranges = kept;
    return Buffer.concat(parts);
  }
}
