import { EVENT_ID, type Event, parseEvents, YAMLException } from 'js-yaml';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { err, ok, type Result } from '../../util/result.ts';
import { type MappedText, originOf } from '../mapped-text.ts';
import { composeNodes } from './compose-nodes.ts';
import { firstDocumentEnd } from './first-document.ts';
import { withStandIns } from './flow-dash.ts';
import { syntaxHelp } from './syntax-help.ts';
import type { YamlNode } from './yaml-node.ts';

export interface YamlLimits {
  /** UTF-16 units of the text that is parsed. */
  readonly length: number;
  /** Nodes of the document, each use of an alias counted in full. */
  readonly nodes: number;
  /** Collections inside each other. */
  readonly depth: number;
}

/** A rendered task text of 16 MiB is far beyond real ones, and 1000 levels fit the parser's stack. */
export const YAML_LIMITS: YamlLimits = { length: 16 * 1024 * 1024, nodes: 1_000_000, depth: 1000 };

/**
 * Reads the first document of a YAML text as go-yaml v2 does: duplicate keys are kept in order (the last wins), anchors,
 * aliases and merge keys are resolved, what follows the first document is not looked at. `undefined` when there is no
 * document. Errors: `yaml-syntax`, `yaml-too-big`, `yaml-anchor`, `yaml-merge`, each with its place.
 */
export function parseYaml(text: MappedText, limits: YamlLimits = YAML_LIMITS): Result<YamlNode | undefined, readonly Diagnostic[]> {
  if (text.text.length > limits.length) return tooBig(text, 0, `is longer than ${limits.length} characters`);
  const written = text.text.slice(0, firstDocumentEnd(text.text));
  const source = withStandIns(written);
  if (tooManyIndicators(source, limits.nodes)) return tooBig(text, 0, `has more than ${limits.nodes} nodes`);
  let events: Event[];
  try {
    events = parseEvents(source, { maxDepth: limits.depth });
  } catch (error) {
    return err([syntaxError(text, error, limits)]);
  }
  if (events[0]?.type !== EVENT_ID.DOCUMENT) return ok(undefined);
  return composeNodes(events, { text, source, standIns: source !== written, nodes: limits.nodes });
}

/** Every node needs a character of its own that separates it: a cheap bound before the parser builds anything. */
function tooManyIndicators(source: string, nodes: number): boolean {
  if (source.length <= nodes) return false;
  let indicators = 0;
  for (let at = 0; at < source.length; at += 1) {
    const unit = source.charCodeAt(at);
    const separates = unit === 0x0a || unit === 0x2c || unit === 0x3a || unit === 0x5b || unit === 0x7b || unit === 0x2d || unit === 0x3f;
    if (separates) indicators += 1;
  }
  return indicators > nodes * 2;
}

function tooBig(text: MappedText, at: number, what: string): Result<never, readonly Diagnostic[]> {
  const range = originOf(text, at, at + 1);
  return err([{ code: 'yaml-too-big', severity: 'error', message: `The YAML text ${what}.`, ...(range && { range }) }]);
}

function syntaxError(text: MappedText, error: unknown, limits: YamlLimits): Diagnostic {
  if (!(error instanceof YAMLException)) throw error;
  const at = Math.min(error.mark?.position ?? 0, Math.max(0, text.text.length - 1));
  const range = originOf(text, at, at + 1);
  const deep = error.reason.startsWith('nesting exceeded');
  const help = deep ? undefined : syntaxHelp(text.text, at, error.reason);
  return {
    code: deep ? 'yaml-too-big' : 'yaml-syntax',
    severity: 'error',
    message: deep ? `The YAML text is nested deeper than ${limits.depth} levels.` : `The text is not valid YAML: ${error.reason}.`,
    ...(help !== undefined && { help }),
    ...(range && { range }),
  };
}
