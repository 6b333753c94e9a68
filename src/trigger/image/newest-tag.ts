import { RE2JS } from 're2js';
import semver from 'semver';

/** What tags are compared by, word by word. */
type Rank = readonly (string | bigint)[];

/** A pattern that tells which tags are meant, and which of two is newer. */
interface TagPattern {
  /** Undefined: the tag is not meant. */
  rank(tag: string): Rank | undefined;
}

/** Patterns as definitions and targets have them: `semver:RANGE`, `semver[VARIANT]:RANGE`, `regex:PATTERN`. */
const WRITTEN = /^(semver|regex)(?:\[([\w.-]*)\])?:(.*)$/s;
/** `1.2.3`, `v1.2`, `20-alpine`. */
const VERSION = /^v?(\d{1,15})(?:\.(\d{1,15}))?(?:\.(\d{1,15}))?(?:-([\w.-]+))?$/;
const PRERELEASE = /^(?:alpha|beta|rc|pre|preview|dev|next|canary|nightly|snapshot|m)(?=$|[.\-_\d])/i;
const LONGEST_PATTERN = 500;
/** A registry may list anything; what is chosen is written into Dockerfiles. */
const TAG = /^\w[\w.-]{0,127}$/;

/** The pattern of a target for a track. Versions of one variant are followed: that of the tag that is written (`20-alpine`: `alpine`). */
export function patternOf(by: 'semver' | 'regex', pattern: string, writtenTag: string): string {
  const variant = by === 'semver' ? variantOf(writtenTag) : '';
  return variant === '' ? `${by}:${pattern}` : `${by}[${variant}]:${pattern}`;
}

/** The newest of the tags that satisfy the pattern; undefined when none does. Throws Error, with one sentence, for a pattern that is none. */
export function newestTag(pattern: string, tags: readonly string[]): string | undefined {
  const meant = compileTagPattern(pattern);
  let best: { readonly tag: string; readonly rank: Rank } | undefined;
  for (const tag of tags) {
    const rank = TAG.test(tag) ? meant.rank(tag) : undefined;
    if (rank !== undefined && (best === undefined || compareRanks(rank, best.rank) > 0)) best = { tag, rank };
  }
  return best?.tag;
}

/** Whether a tag satisfies a pattern of a target; a pattern that is none means no tag. */
export function satisfies(pattern: string, tag: string): boolean {
  try {
    return compileTagPattern(pattern).rank(tag) !== undefined;
  } catch {
    return false;
  }
}

function compileTagPattern(text: string): TagPattern {
  const [, by, variant = '', pattern = ''] = WRITTEN.exec(text) ?? [];
  if (by === undefined || pattern.length > LONGEST_PATTERN) throw new Error(`\`${text.slice(0, 100)}\` is no pattern of tags`);
  return by === 'semver' ? versions(pattern, variant) : matches(pattern);
}

function variantOf(tag: string): string {
  const suffix = VERSION.exec(tag)?.[4] ?? '';
  return PRERELEASE.test(suffix) ? '' : suffix;
}

/** A tag of fewer numbers (`1.2`) counts as the version that ends in zeros, and behind that one: it moves. */
function versions(pattern: string, variant: string): TagPattern {
  const range = semver.validRange(pattern);
  if (range === null) throw new Error(`\`${pattern}\` is no range of versions`);
  const takesPrereleases = /\d-[0-9A-Za-z]/.test(pattern);
  return {
    rank: (tag) => {
      const [, major, minor, patch, suffix = ''] = VERSION.exec(tag) ?? [];
      if (major === undefined) return undefined;
      const prerelease = variant === '' && takesPrereleases && PRERELEASE.test(suffix) ? suffix : '';
      if (prerelease === '' && suffix !== variant) return undefined;
      const numbers = [major, minor ?? '0', patch ?? '0'].map((word) => String(BigInt(word))).join('.');
      const version = semver.parse(prerelease === '' ? numbers : `${numbers}-${prerelease.replaceAll('_', '-')}`);
      if (version === null || !semver.satisfies(version, range)) return undefined;
      const named = [minor, patch].filter((word) => word !== undefined).length;
      const numbered = [version.major, version.minor, version.patch].map(BigInt);
      return [...numbered, prerelease === '' ? 1n : 0n, ...wordsOf(prerelease), BigInt(named)];
    },
  };
}

function matches(pattern: string): TagPattern {
  const regex = compile(pattern);
  return {
    rank: (tag) => {
      const matcher = regex.matcher(tag);
      if (!matcher.matches()) return undefined;
      return wordsOf((matcher.groupCount() > 0 ? matcher.group(1) : undefined) ?? tag);
    },
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new Error(`\`${pattern}\` is no RE2 pattern: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Numbers and what is between them. */
function wordsOf(text: string): Rank {
  return (text.match(/\d+|\D+/g) ?? []).map((word) => (/^\d/.test(word) ? BigInt(word) : word));
}

/** A number is newer than text, and more is newer than less. */
function compareRanks(left: Rank, right: Rank): number {
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [a = '', b = ''] = [left[at], right[at]];
    if (a === b) continue;
    if (typeof a !== typeof b) return typeof a === 'bigint' ? 1 : -1;
    return a < b ? -1 : 1;
  }
  return left.length - right.length;
}
