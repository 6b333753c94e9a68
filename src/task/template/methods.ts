import { FunctionFailure } from './failure.ts';
import { fixed, type GoFunction } from './functions/signature.ts';
import { formatTime } from './time/format.ts';
import { civilSeconds, GoTime } from './time/go-time.ts';
import { stringOf } from './time/stringer.ts';
import { type Zone, zoneOffsetAt } from './time/zone.ts';
import { GoInt, goInt, goInt64, type Value, Version } from './value.ts';
import { compareVersions } from './version.ts';

type Methods<T> = Readonly<Record<string, (self: T) => GoFunction>>;

/** The method of a value by its Go name, ready to be called with the arguments of the template. */
export function methodOf(value: Value, name: string): GoFunction | undefined {
  if (value instanceof GoTime) return pick(TIME, name)?.(value);
  if (value instanceof Version) return pick(VERSION, name)?.(value);
  if (!(value instanceof GoInt)) return undefined;
  if (name === 'String' && stringOf(value) !== undefined) return get(() => stringOf(value));
  return value.type === 'time.Duration' ? pick(DURATION, name)?.(value.value) : undefined;
}

function pick<T>(methods: Methods<T>, name: string): ((self: T) => GoFunction) | undefined {
  return Object.hasOwn(methods, name) ? methods[name] : undefined;
}

function get(read: () => Value): GoFunction {
  return fixed([], read);
}

const VERSION: Methods<Version> = {
  Major: (self) => get(() => goInt64(self.major)),
  Minor: (self) => get(() => goInt64(self.minor)),
  Patch: (self) => get(() => goInt64(self.patch)),
  Prerelease: (self) => get(() => self.prerelease),
  Metadata: (self) => get(() => self.metadata),
  Original: (self) => get(() => self.original),
  String: (self) => get(() => self.toString()),
  Compare: (self) => fixed(['version'], (_, other) => goInt(compareVersions(self, other))),
  LessThan: (self) => fixed(['version'], (_, other) => compareVersions(self, other) < 0),
  GreaterThan: (self) => fixed(['version'], (_, other) => compareVersions(self, other) > 0),
  Equal: (self) => fixed(['version'], (_, other) => compareVersions(self, other) === 0),
};

const TIME: Methods<GoTime> = {
  Year: (self) => get(() => goInt(self.fields().year)),
  Month: (self) => get(() => new GoInt('time.Month', BigInt(self.fields().month))),
  Day: (self) => get(() => goInt(self.fields().day)),
  YearDay: (self) => get(() => goInt(self.fields().yearDay)),
  Weekday: (self) => get(() => new GoInt('time.Weekday', BigInt(self.fields().weekday))),
  Hour: (self) => get(() => goInt(self.fields().hour)),
  Minute: (self) => get(() => goInt(self.fields().minute)),
  Second: (self) => get(() => goInt(self.fields().second)),
  Nanosecond: (self) => get(() => goInt(self.fields().nanosecond)),
  Unix: (self) => get(() => goInt64(self.unixSeconds)),
  UnixMilli: (self) => get(() => goInt64(floorTo(self.unixNanos, 1_000_000n))),
  UnixMicro: (self) => get(() => goInt64(floorTo(self.unixNanos, 1000n))),
  UnixNano: (self) => get(() => goInt64(self.unixNanos)),
  IsZero: (self) => get(() => self.isZero),
  IsDST: (self) => get(() => isDaylightSaving(self)),
  UTC: (self) => get(() => self.in('UTC')),
  Local: (self) => get(() => self.in('UTC')),
  String: (self) => get(() => stringOf(self)),
  Format: (self) => fixed(['string'], (_, layout) => formatTime(self, layout)),
  Add: (self) => fixed(['duration'], (_, duration) => self.plus(duration)),
  AddDate: (self) => fixed(['int', 'int', 'int'], (_, years, months, days) => addDate(self, years, months, days)),
  Sub: (self) => fixed(['time'], (_, other) => new GoInt('time.Duration', clampDuration(self.unixNanos - other.unixNanos))),
  Before: (self) => fixed(['time'], (_, other) => self.unixNanos < other.unixNanos),
  After: (self) => fixed(['time'], (_, other) => self.unixNanos > other.unixNanos),
  Equal: (self) => fixed(['time'], (_, other) => self.unixNanos === other.unixNanos),
  Compare: (self) => fixed(['time'], (_, other) => goInt(self.unixNanos < other.unixNanos ? -1 : self.unixNanos > other.unixNanos ? 1 : 0)),
  Truncate: (self) => fixed(['duration'], (_, unit) => (unit <= 0n ? self : self.plus(-sinceYearOne(self, unit)))),
  Round: (self) =>
    fixed(['duration'], (_, unit) => {
      if (unit <= 0n) return self;
      const over = sinceYearOne(self, unit);
      return self.plus(over * 2n < unit ? -over : unit - over);
    }),
};

const DURATION: Methods<bigint> = {
  Hours: (self) => get(() => Number(self) / 3.6e12),
  Minutes: (self) => get(() => Number(self) / 6e10),
  Seconds: (self) => get(() => Number(self) / 1e9),
  Milliseconds: (self) => get(() => goInt64(self / 1_000_000n)),
  Microseconds: (self) => get(() => goInt64(self / 1000n)),
  Nanoseconds: (self) => get(() => goInt64(self)),
};

function sinceYearOne(time: GoTime, unit: bigint): bigint {
  const rest = (time.unixNanos + 62_135_596_800_000_000_000n) % unit;
  return rest < 0n ? rest + unit : rest;
}

function floorTo(nanoseconds: bigint, unit: bigint): bigint {
  const quotient = nanoseconds / unit;
  return nanoseconds % unit < 0n ? quotient - 1n : quotient;
}

function clampDuration(nanoseconds: bigint): bigint {
  const largest = (1n << 63n) - 1n;
  if (nanoseconds > largest) return largest;
  return nanoseconds < -largest - 1n ? -largest - 1n : nanoseconds;
}

function addDate(time: GoTime, years: bigint, months: bigint, days: bigint): GoTime {
  const fields = time.fields();
  const counts = [years, months, days].map(Number);
  if (counts.some((count) => Math.abs(count) > 100_000_000)) throw new FunctionFailure('the date is out of range');
  const [addedYears = 0, addedMonths = 0, addedDays = 0] = counts;
  const clock = fields.hour * 3600 + fields.minute * 60 + fields.second;
  const local = civilSeconds(fields.year + addedYears, fields.month + addedMonths, fields.day + addedDays, clock);
  return new GoTime((local - offsetOfLocal(time.zone, local)) * 1_000_000_000n + BigInt(fields.nanosecond), time.zone);
}

/** The offset that a clock reading in a zone has. */
function offsetOfLocal(zone: Zone, local: bigint): bigint {
  const guess = BigInt(zoneOffsetAt(zone, local).offset);
  return BigInt(zoneOffsetAt(zone, local - guess).offset);
}

/** Daylight saving: the offset is larger than at one of the two solstices of the year. */
function isDaylightSaving(time: GoTime): boolean {
  const { year, offset } = time.fields();
  const offsets = [1, 7].map((month) => zoneOffsetAt(time.zone, civilSeconds(year, month, 1, 0)).offset);
  return offset > Math.min(...offsets);
}
