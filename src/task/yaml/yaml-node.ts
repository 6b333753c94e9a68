import type { SourceRange } from '../../model/diagnostic.ts';
import { type MappedText, originOf } from '../mapped-text.ts';

/**
 * A node of a YAML document. Aliases and merge keys are resolved: an aliased node is the same object in each place.
 * `range` is its place in the author's text; absent when the text is empty.
 */
export type YamlNode = YamlScalar | YamlMapping | YamlSequence;

/** The place of a node; computed when asked for, because most nodes are never complained about. */
class Place {
  readonly #text: MappedText;
  /** Half-open offsets in the text that was parsed. */
  readonly start: number;
  readonly end: number;

  constructor(text: MappedText, start: number, end: number) {
    this.#text = text;
    this.start = start;
    this.end = end;
  }

  get range(): SourceRange | undefined {
    return originOf(this.#text, this.start, this.end);
  }
}

export class YamlScalar extends Place {
  readonly kind = 'scalar';
  /** The value with quotes, escapes and folding undone; plain scalars as written. */
  readonly text: string;
  /** Written without quotes and not as a block: only then may it be something else than a string. */
  readonly plain: boolean;
  /** Explicit tag: `!!int` in its short form, others as written; absent without a tag. */
  readonly tag: string | undefined;

  constructor(source: MappedText, start: number, end: number, text: string, plain: boolean, tag: string | undefined) {
    super(source, start, end);
    this.text = text;
    this.plain = plain;
    this.tag = tag;
  }
}

export class YamlMapping extends Place {
  readonly kind = 'mapping';
  /** In the order in which a reader must apply them: a later entry of the same key wins. */
  readonly entries: readonly YamlEntry[];

  constructor(source: MappedText, start: number, end: number, entries: readonly YamlEntry[]) {
    super(source, start, end);
    this.entries = entries;
  }
}

export class YamlSequence extends Place {
  readonly kind = 'sequence';
  readonly items: readonly YamlNode[];

  constructor(source: MappedText, start: number, end: number, items: readonly YamlNode[]) {
    super(source, start, end);
    this.items = items;
  }
}

export interface YamlEntry {
  readonly key: YamlNode;
  readonly value: YamlNode;
}
