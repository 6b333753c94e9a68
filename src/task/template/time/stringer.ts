import { GoInt, type Value, Version } from '../value.ts';
import { durationText } from './duration.ts';
import { formatTime } from './format.ts';
import { GoTime } from './go-time.ts';
import { MONTHS, WEEKDAYS } from './names.ts';

/** What the value's GoString method gives (`%#v`), for the type that has one. */
export function goStringOf(value: Value): string | undefined {
  if (!(value instanceof GoTime)) return undefined;
  const { year, month, day, hour, minute, second, nanosecond } = value.fields();
  const { zone } = value;
  const place = zone === 'UTC' ? 'time.UTC' : `time.Location(${JSON.stringify(typeof zone === 'string' ? zone : zone.name)})`;
  return `time.Date(${year}, time.${MONTHS[month - 1] ?? month}, ${day}, ${hour}, ${minute}, ${second}, ${nanosecond}, ${place})`;
}

/** What the value's String method gives, for the types that have one. */
export function stringOf(value: Value): string | undefined {
  if (value instanceof Version) return value.toString();
  if (value instanceof GoTime) return formatTime(value, '2006-01-02 15:04:05.999999999 -0700 MST');
  if (!(value instanceof GoInt)) return undefined;
  if (value.type === 'time.Duration') return durationText(value.value);
  if (value.type === 'time.Month') return MONTHS[Number(value.value) - 1] ?? `%!Month(${value.value})`;
  if (value.type === 'time.Weekday') return WEEKDAYS[Number(value.value)] ?? `%!Weekday(${value.value})`;
  return undefined;
}
