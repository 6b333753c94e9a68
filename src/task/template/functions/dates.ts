import { durationText, parseDuration, roundDuration } from '../time/duration.ts';
import { formatTime } from '../time/format.ts';
import { fromDate, fromUnixSeconds, GoTime, zeroTime } from '../time/go-time.ts';
import { parseTime } from '../time/parse.ts';
import { loadZone } from '../time/zone.ts';
import { GoInt, type Value } from '../value.ts';
import { type CallContext, type FunctionTable, fixed } from './signature.ts';

function now(context: CallContext): GoTime {
  return fromDate(context.now, 'UTC');
}

/** A time as it is, a number as seconds since 1970, anything else as now. */
function timeOf(context: CallContext, value: Value): GoTime {
  if (value instanceof GoTime) return value;
  if (value instanceof GoInt && (value.type === 'int' || value.type === 'int64')) return fromUnixSeconds(value.value, 'UTC');
  return now(context);
}

/** Looking up what holds in a zone takes as long as so many plain steps. */
const ZONE_COST = 100;

function dateInZone(context: CallContext, layout: string, value: Value, zone: string): string {
  context.budget.step(zone === 'UTC' ? 1 : ZONE_COST);
  return formatTime(timeOf(context, value).in(loadZone(zone) ?? 'UTC'), layout);
}

const inZone = fixed(['string', 'any', 'string'], dateInZone);
const modify = fixed(['string', 'time'], (_, duration, time) => time.plus(parseDuration(duration) ?? 0n));

export const DATE_FUNCTIONS: FunctionTable = {
  now: fixed([], now),
  date: fixed(['string', 'any'], (context, layout, value) => dateInZone(context, layout, value, 'UTC')),
  dateInZone: inZone,
  date_in_zone: inZone,
  dateModify: modify,
  date_modify: modify,
  htmlDate: fixed(['any'], (context, value) => dateInZone(context, '2006-01-02', value, 'UTC')),
  htmlDateInZone: fixed(['any', 'string'], (context, value, zone) => dateInZone(context, '2006-01-02', value, zone)),
  toDate: fixed(['string', 'string'], (_, layout, text) => parseTime(layout, text) ?? zeroTime()),
  unixEpoch: fixed(['time'], (_, time) => String(time.unixSeconds)),
  ago: fixed(['any'], (context, value) =>
    durationText(roundDuration(now(context).unixNanos - timeOf(context, value).unixNanos, 1_000_000_000n)),
  ),
};
