import { type Zone, zoneOffsetAt } from './zone.ts';

const NANOS = 1_000_000_000n;
const DAY = 86_400n;
/** Seconds from 1 January of the year 1 to 1970, in UTC. */
const YEAR_ONE = -62_135_596_800n;

/** The calendar and clock reading of a moment in its zone. */
export interface TimeFields {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 to 366. */
  readonly yearDay: number;
  readonly zoneName: string;
  /** Seconds east of UTC. */
  readonly offset: number;
}

/** Go's time.Time: a moment with nanoseconds, seen in a zone. */
export class GoTime {
  readonly unixNanos: bigint;
  readonly zone: Zone;

  constructor(unixNanos: bigint, zone: Zone) {
    this.unixNanos = unixNanos;
    this.zone = zone;
  }

  /** Whole seconds since 1970, towards the past. */
  get unixSeconds(): bigint {
    return floorDivide(this.unixNanos, NANOS);
  }

  get isZero(): boolean {
    return this.unixNanos === YEAR_ONE * NANOS;
  }

  in(zone: Zone): GoTime {
    return new GoTime(this.unixNanos, zone);
  }

  plus(nanoseconds: bigint): GoTime {
    return new GoTime(this.unixNanos + nanoseconds, this.zone);
  }

  fields(): TimeFields {
    const { name, offset } = zoneOffsetAt(this.zone, this.unixSeconds);
    const seconds = this.unixSeconds + BigInt(offset);
    const days = floorDivide(seconds, DAY);
    const clock = Number(seconds - days * DAY);
    const { year, month, day } = civilFromDays(days);
    return {
      year,
      month,
      day,
      hour: Math.floor(clock / 3600),
      minute: Math.floor(clock / 60) % 60,
      second: clock % 60,
      nanosecond: Number(this.unixNanos - this.unixSeconds * NANOS),
      weekday: Number((((days + 4n) % 7n) + 7n) % 7n),
      yearDay: Number(days - daysFromCivil(year, 1, 1)) + 1,
      zoneName: name,
      offset,
    };
  }
}

/** The zero time: 1 January of the year 1, UTC. */
export function zeroTime(): GoTime {
  return new GoTime(YEAR_ONE * NANOS, 'UTC');
}

export function fromUnixSeconds(seconds: bigint, zone: Zone): GoTime {
  return new GoTime(seconds * NANOS, zone);
}

export function fromDate(date: Date, zone: Zone): GoTime {
  return new GoTime(BigInt(date.getTime()) * 1_000_000n, zone);
}

/** Seconds since 1970 of a calendar date and clock reading taken as UTC; months and days may overflow. */
export function civilSeconds(year: number, month: number, day: number, clockSeconds: number): bigint {
  const carry = Math.floor((month - 1) / 12);
  return (daysFromCivil(year + carry, month - carry * 12, 1) + BigInt(day - 1)) * DAY + BigInt(clockSeconds);
}

/** Days of a month, leap years counted. */
export function daysIn(year: number, month: number): number {
  return Number(daysFromCivil(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - daysFromCivil(year, month, 1));
}

/** Days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that begin in March. */
function daysFromCivil(year: number, month: number, day: number): bigint {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return BigInt(era) * 146_097n + BigInt(dayOfEra) - 719_468n;
}

function civilFromDays(days: bigint): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468n;
  const era = floorDivide(shifted, 146_097n);
  const dayOfEra = Number(shifted - era * 146_097n);
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = Number(era) * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  return { year, month, day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1 };
}

function floorDivide(left: bigint, right: bigint): bigint {
  const quotient = left / right;
  return left % right < 0n ? quotient - 1n : quotient;
}
