import type { GoTime, TimeFields } from './go-time.ts';
import { splitLayout } from './layout.ts';
import { MONTHS, WEEKDAYS } from './names.ts';

/** A time in a layout of Go's time package. */
export function formatTime(time: GoTime, layout: string): string {
  const fields = time.fields();
  return splitLayout(layout)
    .map((part) => (part.element ? (elementText(part.text, fields) ?? part.text) : part.text))
    .join('');
}

function elementText(element: string, fields: TimeFields): string | undefined {
  const simple = SIMPLE[element];
  if (simple !== undefined) return simple(fields);
  if (/^[-Z]/.test(element)) return offsetText(element, fields.offset);
  if (/^[.,]/.test(element)) return fraction(element, fields.nanosecond);
  return undefined;
}

const SIMPLE: Readonly<Record<string, (fields: TimeFields) => string>> = {
  '2006': ({ year }) => (year < 0 ? `-${padded(-year, 4)}` : padded(year, 4)),
  '06': ({ year }) => padded(Math.abs(year) % 100, 2),
  January: ({ month }) => MONTHS[month - 1] ?? '',
  Jan: ({ month }) => (MONTHS[month - 1] ?? '').slice(0, 3),
  '1': ({ month }) => String(month),
  '01': ({ month }) => padded(month, 2),
  Monday: ({ weekday }) => WEEKDAYS[weekday] ?? '',
  Mon: ({ weekday }) => (WEEKDAYS[weekday] ?? '').slice(0, 3),
  '2': ({ day }) => String(day),
  _2: ({ day }) => String(day).padStart(2, ' '),
  '02': ({ day }) => padded(day, 2),
  __2: ({ yearDay }) => String(yearDay).padStart(3, ' '),
  '002': ({ yearDay }) => padded(yearDay, 3),
  '15': ({ hour }) => padded(hour, 2),
  '3': ({ hour }) => String(hour % 12 === 0 ? 12 : hour % 12),
  '03': ({ hour }) => padded(hour % 12 === 0 ? 12 : hour % 12, 2),
  '4': ({ minute }) => String(minute),
  '04': ({ minute }) => padded(minute, 2),
  '5': ({ second }) => String(second),
  '05': ({ second }) => padded(second, 2),
  PM: ({ hour }) => (hour >= 12 ? 'PM' : 'AM'),
  pm: ({ hour }) => (hour >= 12 ? 'pm' : 'am'),
  MST: ({ zoneName, offset }) => (zoneName === '' ? offsetText('-0700', offset) : zoneName),
};

function offsetText(element: string, offset: number): string {
  if (element.startsWith('Z') && offset === 0) return 'Z';
  const size = Math.abs(offset);
  const colon = element.includes(':') ? ':' : '';
  const digits = element.replaceAll(/[^0-9]/g, '').length;
  const minutes = digits >= 4 ? colon + padded(Math.floor(size / 60) % 60, 2) : '';
  const seconds = digits >= 6 ? colon + padded(size % 60, 2) : '';
  return `${offset < 0 ? '-' : '+'}${padded(Math.floor(size / 3600), 2)}${minutes}${seconds}`;
}

/** `.000` writes all its digits, `.999` leaves zeros at the end away. */
function fraction(element: string, nanosecond: number): string {
  const digits = padded(nanosecond, 9)
    .slice(0, element.length - 1)
    .padEnd(element.length - 1, '0');
  if (element.charAt(1) === '0') return element.charAt(0) + digits;
  const short = digits.replace(/0+$/, '');
  return short === '' ? '' : element.charAt(0) + short;
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
