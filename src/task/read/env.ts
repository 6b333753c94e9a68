import type { LocatedItem } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';

interface InheritedEntry {
  readonly key: string;
  readonly entry: string;
}

/** Environment entries that are passed down: the receiver's own come first and win. */
export interface InheritedEnv {
  readonly entries: readonly InheritedEntry[];
  /** The entries as a receiver without any of its own gets them. */
  readonly all: readonly string[];
}

/** Entries split at commas, as the language does with every environment that is passed down. */
export function inheritedEnv(entries: readonly (LocatedItem<string> | string)[], problems: Problems): InheritedEnv {
  const split: InheritedEntry[] = [];
  for (const item of entries) {
    const text = typeof item === 'string' ? item : item.value;
    for (const entry of text.split(',')) {
      const equals = entry.indexOf('=');
      if (equals === -1) badEntry(entry, text, typeof item === 'string' ? undefined : item, problems);
      else split.push({ key: entry.slice(0, equals), entry });
    }
  }
  return { entries: split, all: split.map(({ entry }) => entry) };
}

function badEntry(entry: string, text: string, item: LocatedItem<string> | undefined, problems: Problems): void {
  const where = item === undefined ? 'An entry of `--env`' : 'An entry of the task environment';
  const cut = entry === text ? '' : ` Entries that steps inherit are split at commas, and \`${entry}\` is one part.`;
  problems.error('env-bad-entry', `${where} has no \`=\`: \`${entry}\`.${cut}`, {
    range: item?.node.range,
    expected: '`NAME=value`',
    help: entry === text ? undefined : 'Set a variable whose value contains a comma in the `env` of a step.',
  });
}

/**
 * A receiver's own entries, then those inherited entries whose name is not among them. An entry without `=` stays: the
 * engine copies that variable from its own environment.
 */
export function mergeEnv(own: readonly string[], inherited: InheritedEnv): readonly string[] {
  if (own.length === 0) return inherited.all;
  if (inherited.entries.length === 0) return own;
  const keys = own.length < FEW ? own.map(keyOf) : new Set(own.map(keyOf));
  const merged = [...own];
  for (const { key, entry } of inherited.entries) {
    if (!(Array.isArray(keys) ? keys.includes(key) : keys.has(key))) merged.push(entry);
  }
  return merged;
}

/** So few names are searched faster than they are indexed; nearly every step has fewer. */
const FEW = 8;

function keyOf(entry: string): string {
  const equals = entry.indexOf('=');
  return equals === -1 ? entry : entry.slice(0, equals);
}
