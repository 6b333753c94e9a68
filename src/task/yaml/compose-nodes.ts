import {
  type AliasEvent,
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  SCALAR_STYLE,
  type ScalarEvent,
  type SequenceEvent,
} from 'js-yaml';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { err, ok, type Result } from '../../util/result.ts';
import { type MappedText, originOf } from '../mapped-text.ts';
import { withoutStandIns } from './flow-dash.ts';
import { fitsTag } from './scalar.ts';
import { type YamlEntry, YamlMapping, type YamlNode, YamlScalar, YamlSequence } from './yaml-node.ts';

interface ComposeOptions {
  /** The text as the author's, for places. */
  readonly text: MappedText;
  /** The same text as it was parsed: offsets agree. */
  readonly source: string;
  /** `source` holds stand-ins for dashes. */
  readonly standIns: boolean;
  /** Most nodes, each use of an alias counted in full. */
  readonly nodes: number;
}

/** Makes the node tree of the first document out of the parser's events, with aliases and merge keys resolved. */
export function composeNodes(events: readonly Event[], options: ComposeOptions): Result<YamlNode, readonly Diagnostic[]> {
  const composer = new Composer(events, options);
  try {
    return ok(composer.compose());
  } catch (error) {
    if (error instanceof ComposeFailure) return err([error.diagnostic]);
    throw error;
  }
}

/** Leaves the recursion on the first problem; never seen outside this file. */
class ComposeFailure extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

type NodeEvent = ScalarEvent | SequenceEvent | MappingEvent;

interface Anchor {
  /** Absent while the anchored node itself is still being read. */
  node: YamlNode | undefined;
}

class Composer {
  readonly #events: readonly Event[];
  readonly #options: ComposeOptions;
  readonly #anchors = new Map<string, Anchor>();
  /** Nodes below a node, itself included, aliases in full; only for nodes that an anchor may repeat. */
  readonly #weights = new Map<YamlNode, number>();
  /** Skips the document event. */
  #next = 1;
  #count = 0;
  /** End of the last thing read: an empty node stands there. */
  #end = 0;

  constructor(events: readonly Event[], options: ComposeOptions) {
    this.#events = events;
    this.#options = options;
  }

  compose(): YamlNode {
    const event = this.#events[this.#next];
    this.#next += 1;
    if (event === undefined || event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return this.#emptyScalar();
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event);
    return event.anchorStart === -1 ? this.#node(event) : this.#anchored(event);
  }

  #node(event: NodeEvent): YamlNode {
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.#scalar(event);
      case EVENT_ID.SEQUENCE:
        return this.#sequence(event);
      case EVENT_ID.MAPPING:
        return this.#mapping(event);
    }
  }

  #scalar(event: ScalarEvent): YamlScalar {
    const { text, source } = this.#options;
    const tag = event.tagStart === -1 ? undefined : shortTag(source.slice(event.tagStart, event.tagEnd));
    const plain = event.style === SCALAR_STYLE.PLAIN;
    const empty = event.valueStart === -1;
    // An empty node has no place of its own: the character before it stands for it.
    const end = empty ? Math.max(this.#end, event.tagEnd, event.anchorEnd) : event.valueEnd;
    const start = empty ? Math.max(0, end - 1) : event.valueStart;
    this.#charge(1, start);
    this.#end = end;
    const value = empty ? '' : this.#value(event);
    if (tag === undefined) return new YamlScalar(text, start, end, value, plain, tag);
    if (!fitsTag(value, tag)) throw this.#failure('yaml-syntax', start, end, `\`${value}\` is not what its tag ${tag} says.`);
    return new YamlScalar(text, start, end, tag === '!!binary' ? this.#decoded(value, start, end) : value, plain, tag);
  }

  /** The text behind a `!!binary` value. */
  #decoded(base64: string, start: number, end: number): string {
    const digits = base64.replaceAll(/[\r\n]/g, '');
    if (digits.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) {
      throw this.#failure('yaml-syntax', start, end, 'A !!binary value holds no valid base64.');
    }
    return Buffer.from(digits, 'base64').toString();
  }

  #value(event: ScalarEvent): string {
    const value = getScalarValue(this.#options.source, event);
    return this.#options.standIns ? withoutStandIns(value) : value;
  }

  #emptyScalar(): YamlScalar {
    return new YamlScalar(this.#options.text, this.#end, this.#end, '', true, undefined);
  }

  #sequence(event: SequenceEvent): YamlSequence {
    this.#charge(1, event.start);
    this.#end = Math.max(this.#end, event.start + 1);
    const items: YamlNode[] = [];
    while (!this.#atPop()) items.push(this.compose());
    this.#next += 1;
    return new YamlSequence(this.#options.text, event.start, this.#end, items);
  }

  #mapping(event: MappingEvent): YamlMapping {
    this.#charge(1, event.start);
    this.#end = Math.max(this.#end, event.start);
    const entries: YamlEntry[] = [];
    while (!this.#atPop()) {
      const key = this.compose();
      const value = this.compose();
      if (isMergeKey(key)) this.#merge(value, entries);
      else entries.push({ key, value });
    }
    this.#next += 1;
    return new YamlMapping(this.#options.text, event.start, this.#end, entries);
  }

  /** As in go-yaml v2, a merge acts where it stands: it overrides keys above it, and keys below override it. */
  #merge(value: YamlNode, entries: YamlEntry[]): void {
    // The first mapping of a list has precedence, so it is applied last.
    const sources = value.kind === 'sequence' ? value.items.toReversed() : [value];
    for (const source of sources) {
      if (source.kind !== 'mapping')
        throw this.#failure('yaml-merge', source.start, source.end, 'A merge key `<<` needs a mapping or a list of mappings.');
      for (const entry of source.entries) {
        this.#charge(2, value.start);
        entries.push(entry);
      }
    }
  }

  #alias(event: AliasEvent): YamlNode {
    const name = this.#options.source.slice(event.anchorStart, event.anchorEnd);
    const anchor = this.#anchors.get(name);
    const [start, end] = [event.anchorStart - 1, event.anchorEnd];
    if (anchor === undefined) throw this.#failure('yaml-anchor', start, end, `No anchor is named "${name}".`);
    if (anchor.node === undefined) throw this.#failure('yaml-anchor', start, end, `The anchor "${name}" contains itself.`);
    this.#charge(this.#weights.get(anchor.node) ?? 1, start);
    this.#end = end;
    return anchor.node;
  }

  #anchored(event: NodeEvent): YamlNode {
    const anchor: Anchor = { node: undefined };
    this.#anchors.set(this.#options.source.slice(event.anchorStart, event.anchorEnd), anchor);
    const before = this.#count;
    const node = this.#node(event);
    anchor.node = node;
    this.#weights.set(node, this.#count - before);
    return node;
  }

  #atPop(): boolean {
    const event = this.#events[this.#next];
    return event === undefined || event.type === EVENT_ID.POP;
  }

  #charge(nodes: number, at: number): void {
    this.#count += nodes;
    if (this.#count > this.#options.nodes) {
      throw this.#failure(
        'yaml-too-big',
        at,
        at + 1,
        `The YAML text has more than ${this.#options.nodes} nodes, counting each use of an alias.`,
      );
    }
  }

  #failure(
    code: 'yaml-anchor' | 'yaml-merge' | 'yaml-syntax' | 'yaml-too-big',
    start: number,
    end: number,
    message: string,
  ): ComposeFailure {
    const range = originOf(this.#options.text, start, end);
    return new ComposeFailure({ code, severity: 'error', message, ...(range && { range }) });
  }
}

function isMergeKey(key: YamlNode): boolean {
  return key.kind === 'scalar' && key.text === '<<' && (key.tag === '!!merge' || (key.plain && key.tag === undefined));
}

const STANDARD_TAG = /^(?:!!|!<tag:yaml\.org,2002:)([^>]*)>?$/;

function shortTag(tag: string): string {
  if (tag === '!') return '!!str';
  const standard = STANDARD_TAG.exec(tag);
  return standard === null ? tag : `!!${standard[1]}`;
}
