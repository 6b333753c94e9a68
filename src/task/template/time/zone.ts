import { listedZoneName } from './zone-names.ts';

/** A time zone: an IANA name, or a fixed offset with the name that a text gave it. */
export type Zone = string | { readonly name: string; readonly offset: number };

export interface ZoneOffset {
  /** The abbreviation such as `CET`. */
  readonly name: string;
  /** Seconds east of UTC. */
  readonly offset: number;
}

/** Languages of which some call a zone by its usual abbreviation; others write `GMT+1`. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-NZ', 'en-IN', 'en-ZA', 'en-CA'];

/** Dates a JavaScript Date can hold, in seconds. */
const LARGEST_DATE = 8_640_000_000_000n;

/** A zone by name as time.LoadLocation finds it; undefined when there is none. `Local` is UTC: a rendering depends on no machine. */
export function loadZone(name: string): Zone | undefined {
  if (name === '' || name === 'UTC' || name === 'Local') return 'UTC';
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return undefined;
  try {
    formatOf('en-US', name, 'longOffset');
    return name;
  } catch {
    return undefined;
  }
}

/** Offset and abbreviation that hold in a zone at a moment. */
export function zoneOffsetAt(zone: Zone, unixSeconds: bigint): ZoneOffset {
  if (typeof zone !== 'string') return { name: zone.name, offset: zone.offset };
  if (zone === 'UTC') return { name: 'UTC', offset: 0 };
  const clamped = unixSeconds > LARGEST_DATE ? LARGEST_DATE : unixSeconds < -LARGEST_DATE ? -LARGEST_DATE : unixSeconds;
  const date = new Date(Number(clamped) * 1000);
  const offset = offsetFrom(partOf(date, zone, 'en-US', 'longOffset'));
  return { name: listedZoneName(zone, offset) ?? abbreviation(date, zone) ?? numericName(offset), offset };
}

function abbreviation(date: Date, zone: string): string | undefined {
  for (const locale of LOCALES) {
    const name = partOf(date, zone, locale, 'short');
    if (/^[A-Z]{2,5}$/.test(name)) return name;
  }
  return undefined;
}

type NameStyle = 'short' | 'longOffset';

/** Making a format takes far longer than using it. */
const formats = new Map<string, Intl.DateTimeFormat>();
const MOST_FORMATS = 200;

/** @throws RangeError for a zone that does not exist */
function formatOf(locale: string, timeZone: string, timeZoneName: NameStyle): Intl.DateTimeFormat {
  const key = `${locale} ${timeZoneName} ${timeZone}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName });
  if (formats.size >= MOST_FORMATS) formats.clear();
  formats.set(key, made);
  return made;
}

function partOf(date: Date, timeZone: string, locale: string, timeZoneName: NameStyle): string {
  const parts = formatOf(locale, timeZone, timeZoneName).formatToParts(date);
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
}

function offsetFrom(text: string): number {
  const match = /^GMT(?:([+-])(\d{2}):?(\d{2})(?::?(\d{2}))?)?$/.exec(text);
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
}

/** Zones without an abbreviation are named by their offset in the time zone database: `+03`, `-0330`. */
function numericName(offset: number): string {
  const size = Math.abs(offset);
  const hours = String(Math.floor(size / 3600)).padStart(2, '0');
  const minutes = Math.floor(size / 60) % 60;
  return `${offset < 0 ? '-' : '+'}${hours}${minutes === 0 ? '' : String(minutes).padStart(2, '0')}`;
}
