import { FunctionFailure } from './failure.ts';
import { fitsInt } from './numbers.ts';
import { Version } from './value.ts';

const PART = '[0-9A-Za-z-]+';
const TAIL = `(?:-(${PART}(?:\\.${PART})*))?(?:\\+(${PART}(?:\\.${PART})*))?`;
const VERSION = new RegExp(`^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?${TAIL}$`);

/**
 * A semantic version with an optional `v` in front; missing numbers are 0.
 * @throws FunctionFailure
 */
export function parseVersion(text: string): Version {
  const match = VERSION.exec(text);
  if (match === null) throw new FunctionFailure('Invalid Semantic Version');
  const [major, minor, patch] = [match[1], match[2], match[3]].map(segment);
  return new Version([major ?? 0n, minor ?? 0n, patch ?? 0n], match[4] ?? '', match[5] ?? '', text);
}

function segment(digits: string | undefined): bigint {
  const value = BigInt(digits === undefined || digits.length > 64 ? (digits === undefined ? 0 : -1) : digits);
  if (value < 0n || !fitsInt(value)) throw new FunctionFailure(`Error parsing version segment: ${digits} is out of range`);
  return value;
}

/** -1, 0 or 1 by the precedence of semantic versions; metadata does not count. */
export function compareVersions(left: Version, right: Version): number {
  for (const part of ['major', 'minor', 'patch'] as const) {
    if (left[part] !== right[part]) return left[part] < right[part] ? -1 : 1;
  }
  if (left.prerelease === right.prerelease) return 0;
  if (left.prerelease === '') return 1;
  if (right.prerelease === '') return -1;
  return comparePrereleases(left.prerelease.split('.'), right.prerelease.split('.'));
}

function comparePrereleases(left: readonly string[], right: readonly string[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const order = comparePart(left[index] ?? '', right[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers come before words and are compared by value. */
function comparePart(left: string, right: string): number {
  if (left === right) return 0;
  if (left === '' || right === '') return left === '' ? -1 : 1;
  const isNumber = (part: string): boolean => /^[0-9]+$/.test(part) && part.length <= 19;
  if (isNumber(left) && isNumber(right)) return BigInt(left) > BigInt(right) ? 1 : -1;
  if (isNumber(left) !== isNumber(right)) return isNumber(left) ? -1 : 1;
  return left > right ? 1 : -1;
}

interface Constraint {
  readonly operator: string;
  readonly version: Version;
  /** The minor number was left out or a wildcard. */
  readonly anyMinor: boolean;
  /** The patch number was a wildcard. */
  readonly anyPatch: boolean;
  /** Any number was left out or a wildcard. */
  readonly open: boolean;
}

const NUMBERS = 'v?([0-9|xX*]+)(\\.[0-9|xX*]+)?(\\.[0-9|xX*]+)?';
const SINGLE = `${NUMBERS}(-${PART}(?:\\.${PART})*)?(\\+${PART}(?:\\.${PART})*)?`;
const CONSTRAINT = new RegExp(`^\\s*(|=|!=|>|<|>=|=>|<=|=<|~|~>|\\^)\\s*(${SINGLE})\\s*$`);
const PLAIN = SINGLE.replaceAll(/\((?!\?)/g, '(?:');
const RANGE = new RegExp(`\\s*(${PLAIN})\\s+-\\s+(${PLAIN})\\s*`, 'g');
const LONGEST_CONSTRAINT = 1000;

/**
 * Whether a version satisfies constraints such as `^1.2`, `>=1.0, <2.0`, `1.x || ~3.1`, `1.2 - 1.4`.
 * @throws FunctionFailure when a constraint is none
 */
export function satisfies(constraints: string, version: () => Version): boolean {
  if (constraints.length > LONGEST_CONSTRAINT) throw new FunctionFailure(`a constraint is longer than ${LONGEST_CONSTRAINT} characters`);
  const ranges = constraints.replaceAll(RANGE, (_, from: string, to: string) => `>= ${from}, <= ${to}`);
  const alternatives = ranges.split('||').map((all) => all.split(',').map(parseConstraint));
  const tested = version();
  return alternatives.some((all) => all.every((one) => meets(tested, one)));
}

function parseConstraint(text: string): Constraint {
  const match = CONSTRAINT.exec(text);
  if (match === null) throw new FunctionFailure(`improper constraint: ${text}`);
  const [, operator = '', whole = '', major = '', minor, patch, prerelease = ''] = match;
  const anyMajor = isWildcard(major);
  const anyMinor = !anyMajor && (minor === undefined || isWildcard(minor.slice(1)));
  const anyPatch = !anyMajor && !anyMinor && patch !== undefined && isWildcard(patch.slice(1));
  const open = anyMajor || anyMinor || anyPatch;
  let text0 = whole;
  if (anyMajor) text0 = '0.0.0';
  else if (anyMinor) text0 = `${major}.0.0${prerelease}`;
  else if (anyPatch) text0 = `${major}${minor}.0${prerelease}`;
  try {
    return { operator, version: parseVersion(text0), anyMinor, anyPatch, open };
  } catch {
    throw new FunctionFailure('constraint Parser Error');
  }
}

function isWildcard(part: string): boolean {
  return part === 'x' || part === 'X' || part === '*';
}

function meets(version: Version, constraint: Constraint): boolean {
  const { operator, open } = constraint;
  if (operator === '!=' && !open) return compareVersions(version, constraint.version) !== 0;
  // A pre-release satisfies only constraints that speak of pre-releases.
  if (version.prerelease !== '' && constraint.version.prerelease === '') return false;
  const order = compareVersions(version, constraint.version);
  switch (operator) {
    case '':
    case '=':
      return open ? meetsTilde(version, constraint) : order === 0;
    case '!=':
      return differs(version, constraint);
    case '>':
      return order > 0;
    case '>=':
    case '=>':
      return order >= 0;
    case '<':
      return open ? isBelow(version, constraint) : order < 0;
    case '<=':
    case '=<':
      return open ? isBelow(version, constraint) : order <= 0;
    case '^':
      return order >= 0 && version.major === constraint.version.major;
    default:
      return meetsTilde(version, constraint);
  }
}

function meetsTilde(version: Version, { version: wanted, anyMinor, anyPatch }: Constraint): boolean {
  if (compareVersions(version, wanted) < 0) return false;
  if (wanted.major === 0n && wanted.minor === 0n && wanted.patch === 0n && !anyMinor && !anyPatch) return true;
  return version.major === wanted.major && (anyMinor || version.minor === wanted.minor);
}

function differs(version: Version, { version: wanted, anyMinor }: Constraint): boolean {
  return version.major !== wanted.major || (!anyMinor && version.minor !== wanted.minor);
}

function isBelow(version: Version, { version: wanted, anyMinor }: Constraint): boolean {
  return version.major <= wanted.major && (anyMinor || version.minor <= wanted.minor);
}
