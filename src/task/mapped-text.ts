import type { SourceRange, SourceText } from '../model/diagnostic.ts';

/**
 * A text made from other texts (comment lines dropped, aliases replaced, templates rendered) that still knows where each
 * part came from, so that a problem found in the last text is shown in the file the author wrote.
 */
export interface MappedText {
  readonly text: string;
  /** In order, without gaps or overlaps, covering the whole text. */
  readonly segments: readonly Segment[];
}

export interface Segment {
  /** Offset in the made text where this segment starts. */
  readonly start: number;
  readonly length: number;
  readonly source: SourceText;
  readonly sourceStart: number;
  readonly sourceLength: number;
  /** Copied character for character; otherwise the whole segment stands for the whole source range. */
  readonly exact: boolean;
}

export function mapWhole(source: SourceText): MappedText {
  const { length } = source.text;
  const segments = length === 0 ? [] : [{ start: 0, length, source, sourceStart: 0, sourceLength: length, exact: true }];
  return { text: source.text, segments };
}

/** The range in the author's text of a half-open range of the made text. */
export function originOf(mapped: MappedText, start: number, end: number): SourceRange | undefined {
  const first = segmentAt(mapped, start);
  if (first === undefined) return undefined;
  const from = first.exact ? first.sourceStart + (start - first.start) : first.sourceStart;
  const last = segmentAt(mapped, Math.max(start, end - 1)) ?? first;
  if (last.source !== first.source) return { source: first.source, start: from, end: first.sourceStart + first.sourceLength };
  const to = last.exact ? last.sourceStart + (end - last.start) : last.sourceStart + last.sourceLength;
  return { source: first.source, start: from, end: Math.max(from, to) };
}

/** The segment that holds an offset; an offset at the very end belongs to the last segment. */
function segmentAt(mapped: MappedText, offset: number): Segment | undefined {
  return mapped.segments[firstSegment(mapped, offset)];
}

function firstSegment(mapped: MappedText, offset: number): number {
  let low = 0;
  let high = mapped.segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((mapped.segments[middle]?.start ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Builds a MappedText piece by piece. */
export class MappedTextBuilder {
  readonly #pieces: string[] = [];
  readonly #segments: Segment[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends a part of another mapped text as it is. */
  copy(from: MappedText, start: number, end: number): void {
    if (end <= start) return;
    this.#pieces.push(from.text.slice(start, end));
    for (let index = firstSegment(from, start); index < from.segments.length; index += 1) {
      const segment = from.segments[index];
      if (segment === undefined || segment.start >= end) break;
      const left = Math.max(start, segment.start);
      const right = Math.min(end, segment.start + segment.length);
      if (right <= left) continue;
      const shifted = segment.exact
        ? { sourceStart: segment.sourceStart + (left - segment.start), sourceLength: right - left }
        : { sourceStart: segment.sourceStart, sourceLength: segment.sourceLength };
      this.#segments.push({
        start: this.#length + (left - start),
        length: right - left,
        source: segment.source,
        exact: segment.exact,
        ...shifted,
      });
    }
    this.#length += end - start;
  }

  /** Appends text that was made from a range of the author's text. */
  generate(text: string, origin: SourceRange): void {
    if (text === '') return;
    this.#pieces.push(text);
    this.#segments.push({
      start: this.#length,
      length: text.length,
      source: origin.source,
      sourceStart: origin.start,
      sourceLength: origin.end - origin.start,
      exact: false,
    });
    this.#length += text.length;
  }

  build(): MappedText {
    return { text: this.#pieces.join(''), segments: this.#segments };
  }
}
