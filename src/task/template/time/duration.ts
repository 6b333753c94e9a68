const SECOND = 1_000_000_000n;
const LARGEST = 1n << 63n;

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1000n],
  ['\u00b5s', 1000n],
  ['\u03bcs', 1000n],
  ['ms', 1_000_000n],
  ['s', SECOND],
  ['m', 60n * SECOND],
  ['h', 3600n * SECOND],
]);

/** Nanoseconds of a Go duration such as `1h30m`, `-1.5h`; undefined when it is none. */
export function parseDuration(text: string): bigint | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const rest = text.slice(sign.length);
  if (rest === '0') return 0n;
  if (rest === '' || rest.length > 200) return undefined;
  let total = 0n;
  for (let at = 0; at < rest.length; ) {
    const match = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]+)/.exec(rest.slice(at));
    if (match === null) return undefined;
    const [whole, integer = '', fraction = '', unitName = ''] = match;
    const unit = UNITS.get(unitName);
    if (unit === undefined || integer + fraction === '') return undefined;
    total += BigInt(integer === '' ? 0 : integer) * unit + (BigInt(fraction === '' ? 0 : fraction) * unit) / 10n ** BigInt(fraction.length);
    if (total > LARGEST) return undefined;
    at += whole.length;
  }
  if (sign === '-') return -total;
  return total < LARGEST ? total : undefined;
}

/** A duration as Go prints it: `1h2m3.5s`, `1.5ms`, `0s`. */
export function durationText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size < SECOND) return sign + shortText(size);
  const hours = size / (3600n * SECOND);
  const minutes = (size / (60n * SECOND)) % 60n;
  const seconds = `${decimal(size % (60n * SECOND), SECOND, 9)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : sign + seconds;
}

function shortText(size: bigint): string {
  if (size < 1000n) return `${size}ns`;
  if (size < 1_000_000n) return `${decimal(size, 1000n, 3)}\u00b5s`;
  return `${decimal(size, 1_000_000n, 6)}ms`;
}

function decimal(value: bigint, unit: bigint, places: number): string {
  const fraction = String(value % unit)
    .padStart(places, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(value / unit) : `${value / unit}.${fraction}`;
}

/** Rounds to a multiple of `unit` nanoseconds, halves away from zero. */
export function roundDuration(nanoseconds: bigint, unit: bigint): bigint {
  if (unit <= 0n) return nanoseconds;
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const rest = size % unit;
  const result = rest * 2n < unit ? size - rest : size + unit - rest;
  return nanoseconds < 0n ? -result : result;
}
