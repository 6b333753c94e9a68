import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';
import { FunctionFailure } from '../failure.ts';
import { GoList, strings, type Value } from '../value.ts';
import { type CallContext, type FunctionTable, fixed } from './signature.ts';

/** Only templates that use regular expressions pay for loading the engine. */
const load = createRequire(import.meta.url);

/** Work of matching: every instruction of the program may look at every character. */
const PRODUCT_A_STEP = 256;
const LONGEST_PATTERN = 10_000;
/** Steps of compiling a pattern, apart from its length. */
const COMPILE_COST = 10;

/**
 * Compiles a pattern of RE2's syntax, whose matching takes time linear in the text.
 * @throws FunctionFailure with Go's message
 */
function compile(context: CallContext, pattern: string): RE2JS {
  if (pattern.length > LONGEST_PATTERN) throw new FunctionFailure(`a regular expression is longer than ${LONGEST_PATTERN} characters`);
  context.budget.step(COMPILE_COST + pattern.length);
  const engine = load('re2js') as typeof import('re2js');
  try {
    return engine.RE2JS.compile(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FunctionFailure(`regexp: Compile(${JSON.stringify(pattern)}): ${reason}`);
  }
}

/** Offsets of all matches and their groups, as Go's FindAllSubmatchIndex gives them. */
function findAll(context: CallContext, regex: RE2JS, text: string, limit = -1): readonly (readonly number[])[] {
  context.budget.step((regex.programSize() * text.length) / PRODUCT_A_STEP);
  const matches = regex.re2().findAllSubmatchIndex(text, limit) as readonly (readonly number[])[] | null;
  context.budget.step(matches?.length ?? 0);
  return matches ?? [];
}

function replaceAll(context: CallContext, regex: RE2JS, text: string, replacement: (match: readonly number[]) => string): string {
  const parts: string[] = [];
  let at = 0;
  let length = 0;
  for (const match of findAll(context, regex, text)) {
    const [start = 0, end = 0] = match;
    const made = text.slice(at, start) + replacement(match);
    length += made.length;
    context.budget.size(length);
    parts.push(made);
    at = end;
  }
  return parts.join('') + text.slice(at);
}

/** `$1`, `$name`, `${name}` and `$$` of a replacement; a name takes as many letters, digits and `_` as follow. */
function expand(regex: RE2JS, template: string, text: string, match: readonly number[]): string {
  const names = regex.namedGroups();
  return template.replaceAll(/\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu, (whole, bare?: string, braced?: string) => {
    const name = bare ?? braced;
    if (name === undefined) return whole === '$$' ? '$' : whole;
    const group = /^(?:0|[1-9][0-9]*)$/.test(name) ? Number(name) : Object.hasOwn(names, name) ? names[name] : undefined;
    const start = group === undefined ? undefined : match[group * 2];
    const end = group === undefined ? undefined : match[group * 2 + 1];
    return start === undefined || start < 0 ? '' : text.slice(start, end);
  });
}

function split(context: CallContext, regex: RE2JS, pattern: string, text: string, limit: number): Value {
  if (limit === 0) return new GoList([], 'string', true);
  if (pattern !== '' && text === '') return strings(['']);
  const parts: string[] = [];
  let at = 0;
  let end = 0;
  for (const [from = 0, to = 0] of findAll(context, regex, text, limit)) {
    if (limit > 0 && parts.length === limit - 1) break;
    end = from;
    if (to !== 0) parts.push(text.slice(at, end));
    at = to;
  }
  if (end !== text.length) parts.push(text.slice(at));
  return strings(parts);
}

export const REGEXP_FUNCTIONS: FunctionTable = {
  regexMatch: fixed(['string', 'string'], (context, pattern, text) => {
    let regex: RE2JS;
    try {
      regex = compile(context, pattern);
    } catch (error) {
      if (error instanceof FunctionFailure) return false;
      throw error;
    }
    context.budget.step((regex.programSize() * text.length) / PRODUCT_A_STEP);
    return regex.test(text);
  }),
  regexFind: fixed(['string', 'string'], (context, pattern, text) => {
    const [match] = findAll(context, compile(context, pattern), text, 1);
    return match === undefined ? '' : text.slice(match[0], match[1]);
  }),
  regexFindAll: fixed(['string', 'string', 'int'], (context, pattern, text, limit) => {
    const matches = findAll(context, compile(context, pattern), text, limitOf(limit));
    return new GoList(
      matches.map(([start, end]) => text.slice(start, end)),
      'string',
      matches.length === 0,
    );
  }),
  regexReplaceAll: fixed(['string', 'string', 'string'], (context, pattern, text, template) => {
    const regex = compile(context, pattern);
    return replaceAll(context, regex, text, (match) => expand(regex, template, text, match));
  }),
  regexReplaceAllLiteral: fixed(['string', 'string', 'string'], (context, pattern, text, literal) =>
    replaceAll(context, compile(context, pattern), text, () => literal),
  ),
  regexSplit: fixed(['string', 'string', 'int'], (context, pattern, text, limit) =>
    split(context, compile(context, pattern), pattern, text, limitOf(limit)),
  ),
};

function limitOf(limit: bigint): number {
  return limit < 0n ? -1 : Number(limit > 1_000_000_000n ? 1_000_000_000n : limit);
}
