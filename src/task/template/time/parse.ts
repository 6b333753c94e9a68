import { civilSeconds, daysIn, GoTime } from './go-time.ts';
import { splitLayout } from './layout.ts';
import { MONTHS, WEEKDAYS } from './names.ts';
import type { Zone } from './zone.ts';

/** A time read from a text in a layout of Go's time package, in UTC unless the text says otherwise; undefined when it does not fit. */
export function parseTime(layout: string, text: string): GoTime | undefined {
  const reader = new TimeReader(text);
  const parts = splitLayout(layout);
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1];
    const fractionFollows = next?.element === true && /^[.,]/.test(next.text);
    const fits = part.element ? reader.element(part.text, fractionFollows) : reader.literal(part.text);
    if (!fits) return undefined;
  }
  return reader.finish();
}

type Reading = 'year' | 'month' | 'day' | 'yearDay' | 'hour' | 'minute' | 'second';

class TimeReader {
  #rest: string;
  readonly #read: Partial<Record<Reading, number>> = {};
  #nanosecond = 0;
  #half: 'am' | 'pm' | undefined;
  #offset: number | undefined;
  #zoneName: string | undefined;

  constructor(text: string) {
    this.#rest = text;
  }

  /** Text of the layout; a run of blanks fits any run of blanks. */
  literal(prefix: string): boolean {
    for (let at = 0; at < prefix.length; ) {
      if (prefix.charAt(at) === ' ') {
        if (this.#rest !== '' && !this.#rest.startsWith(' ')) return false;
        while (prefix.charAt(at) === ' ') at += 1;
        this.#rest = this.#rest.replace(/^ +/, '');
      } else {
        if (!this.#rest.startsWith(prefix.charAt(at))) return false;
        this.#rest = this.#rest.slice(1);
        at += 1;
      }
    }
    return true;
  }

  element(element: string, fractionFollows: boolean): boolean {
    switch (element) {
      case '2006':
        return this.#number('year', /^[0-9]{4}/, 0, 9999);
      case '06':
        return this.#shortYear();
      case 'January':
        return this.#name('month', MONTHS);
      case 'Jan':
        return this.#name(
          'month',
          MONTHS.map((name) => name.slice(0, 3)),
        );
      case 'Monday':
        return this.#name(undefined, WEEKDAYS);
      case 'Mon':
        return this.#name(
          undefined,
          WEEKDAYS.map((name) => name.slice(0, 3)),
        );
      case '_2':
      case '__2':
        this.#rest = this.#rest.replace(element === '_2' ? /^ / : /^ {1,2}/, '');
        return this.element(element === '_2' ? '2' : '2day', fractionFollows);
      case 'PM':
      case 'pm':
        return this.#halfOfDay(element);
      case 'MST':
        return this.#zone();
      default:
        return this.#numeric(element, fractionFollows);
    }
  }

  #numeric(element: string, fractionFollows: boolean): boolean {
    const number = NUMBERS[element];
    if (number === undefined) return /^[-Z]/.test(element) ? this.#zoneOffset(element) : this.#fraction(element);
    const [reading, digits, least, most] = number;
    if (!this.#number(reading, digits, least, most)) return false;
    if (reading === 'second' && !fractionFollows && /^[.,][0-9]/.test(this.#rest)) return this.#takeFraction(/^[.,]([0-9]+)/);
    return true;
  }

  #number(reading: Reading, digits: RegExp, least: number, most: number): boolean {
    const match = digits.exec(this.#rest);
    if (match === null) return false;
    const value = Number(match[0]);
    if (value < least || value > most) return false;
    this.#rest = this.#rest.slice(match[0].length);
    this.#read[reading] = value;
    return true;
  }

  #shortYear(): boolean {
    if (!this.#number('year', /^[0-9]{2}/, 0, 99)) return false;
    const short = this.#read.year ?? 0;
    this.#read.year = short >= 69 ? 1900 + short : 2000 + short;
    return true;
  }

  #name(reading: 'month' | undefined, names: readonly string[]): boolean {
    const lower = this.#rest.toLowerCase();
    const index = names.findIndex((name) => lower.startsWith(name.toLowerCase()));
    if (index === -1) return false;
    this.#rest = this.#rest.slice(names[index]?.length ?? 0);
    if (reading !== undefined) this.#read[reading] = index + 1;
    return true;
  }

  #halfOfDay(element: 'PM' | 'pm'): boolean {
    const match = (element === 'PM' ? /^(?:AM|PM)/ : /^(?:am|pm)/).exec(this.#rest);
    if (match === null) return false;
    this.#half = match[0].toLowerCase() === 'pm' ? 'pm' : 'am';
    this.#rest = this.#rest.slice(2);
    return true;
  }

  #fraction(element: string): boolean {
    const places = element.length - 1;
    if (element.charAt(1) === '0') return this.#takeFraction(new RegExp(`^[.,]([0-9]{${Math.min(places, 1000)}})`));
    return /^[.,][0-9]/.test(this.#rest) ? this.#takeFraction(/^[.,]([0-9]{1,9})/) : true;
  }

  #takeFraction(syntax: RegExp): boolean {
    const match = syntax.exec(this.#rest);
    if (match === null) return false;
    this.#rest = this.#rest.slice(match[0].length);
    this.#nanosecond = Number((match[1] ?? '').slice(0, 9).padEnd(9, '0'));
    return true;
  }

  #zoneOffset(element: string): boolean {
    if (element.startsWith('Z') && this.#rest.startsWith('Z')) {
      this.#rest = this.#rest.slice(1);
      this.#zoneName = 'UTC';
      return true;
    }
    const colon = element.includes(':') ? ':' : '';
    const digits = element.replaceAll(/[^0-9]/g, '').length;
    const syntax = `^([+-])([0-9]{2})${digits >= 4 ? `${colon}([0-9]{2})` : '()'}${digits >= 6 ? `${colon}([0-9]{2})` : '()'}`;
    const match = new RegExp(syntax).exec(this.#rest);
    if (match === null) return false;
    const [whole, sign, hours, minutes, seconds] = match;
    if (Number(hours) > 24 || Number(minutes) > 60 || Number(seconds) > 60) return false;
    this.#rest = this.#rest.slice(whole.length);
    this.#offset = (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
    return true;
  }

  #zone(): boolean {
    const match = /^(?:ChST|MeST|GMT[+-][0-9]{1,2}|[+-][0-9]{2}(?:[0-9]{2})?|[A-Z]{3}(?:[A-Z]?T|)(?![A-Z])|[A-Z]{3})/.exec(this.#rest);
    if (match === null) return false;
    this.#zoneName = match[0];
    this.#rest = this.#rest.slice(match[0].length);
    return true;
  }

  finish(): GoTime | undefined {
    if (this.#rest !== '') return undefined;
    const { year = 0, hour = 0, minute = 0, second = 0 } = this.#read;
    const date = this.#date(year);
    if (date === undefined) return undefined;
    const clock = this.#hourOfDay(hour) * 3600 + minute * 60 + second;
    const local = civilSeconds(year, date.month, date.day, clock);
    const zone = this.#resultZone();
    const seconds = local - BigInt(this.#offset ?? 0);
    return new GoTime(seconds * 1_000_000_000n + BigInt(this.#nanosecond), zone);
  }

  #hourOfDay(hour: number): number {
    if (this.#half === 'pm' && hour < 12) return hour + 12;
    return this.#half === 'am' && hour === 12 ? 0 : hour;
  }

  #date(year: number): { readonly month: number; readonly day: number } | undefined {
    const { month, day, yearDay } = this.#read;
    if (yearDay !== undefined) return dateOfYearDay(year, yearDay, month, day);
    const wanted = { month: month ?? 1, day: day ?? 1 };
    return wanted.day < 1 || wanted.day > daysIn(year, wanted.month) ? undefined : wanted;
  }

  #resultZone(): Zone {
    const { [0]: offset, [1]: name } = [this.#offset, this.#zoneName] as const;
    if (offset !== undefined) return offset === 0 && (name === undefined || name === 'UTC') ? 'UTC' : { name: name ?? '', offset };
    if (name === undefined || name === 'UTC') return 'UTC';
    return { name, offset: name.startsWith('GMT') && name.length > 3 ? Number(name.slice(3)) * 3600 : 0 };
  }
}

const ONE_OR_TWO = /^[0-9]{1,2}/;
const TWO = /^[0-9]{2}/;

const NUMBERS: Readonly<Record<string, readonly [Reading, RegExp, number, number]>> = {
  '1': ['month', ONE_OR_TWO, 1, 12],
  '01': ['month', TWO, 1, 12],
  '2': ['day', ONE_OR_TWO, 0, 99],
  '02': ['day', TWO, 0, 99],
  '2day': ['yearDay', /^[0-9]{1,3}/, 1, 366],
  '002': ['yearDay', /^[0-9]{3}/, 1, 366],
  '15': ['hour', ONE_OR_TWO, 0, 23],
  '3': ['hour', ONE_OR_TWO, 0, 12],
  '03': ['hour', TWO, 0, 12],
  '4': ['minute', ONE_OR_TWO, 0, 59],
  '04': ['minute', TWO, 0, 59],
  '5': ['second', ONE_OR_TWO, 0, 59],
  '05': ['second', TWO, 0, 59],
};

function dateOfYearDay(
  year: number,
  yearDay: number,
  month: number | undefined,
  day: number | undefined,
): { readonly month: number; readonly day: number } | undefined {
  let left = yearDay;
  let current = 1;
  while (current <= 12 && left > daysIn(year, current)) {
    left -= daysIn(year, current);
    current += 1;
  }
  const contradicts = (month !== undefined && month !== current) || (day !== undefined && day !== left);
  return current > 12 || contradicts ? undefined : { month: current, day: left };
}
