const DAY_MS = 86_400_000;

/** A time zone of the IANA database, as clocks on its walls show it. Times on the wall are milliseconds as Date.UTC counts them. */
export interface TimeZone {
  readonly name: string;
  /** What the wall shows at an instant. */
  toWall(instantMs: number): number;
  /** When the wall first shows this time, or, when it skips it, the first instant after the gap. */
  toInstant(wallMs: number): number;
}

/** Undefined when this runtime knows no zone of that name. */
export function findTimeZone(name: string): TimeZone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
      ...{ timeZone: name, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    });
  } catch {
    return undefined;
  }
  const offsetAt = cachedOffsets(format);
  return {
    name: format.resolvedOptions().timeZone,
    toWall: (instantMs) => instantMs + offsetAt(instantMs),
    toInstant: (wallMs) => instantOf(wallMs, offsetAt),
  };
}

type OffsetAt = (instantMs: number) => number;

function instantOf(wallMs: number, offsetAt: OffsetAt): number {
  const offsets = [offsetAt(wallMs - DAY_MS), offsetAt(wallMs + DAY_MS)];
  const candidates = offsets.map((offset) => wallMs - offset);
  const real = candidates.filter((candidate) => candidate + offsetAt(candidate) === wallMs);
  return real.length > 0 ? Math.min(...real) : endOfGap(wallMs, Math.min(...candidates), Math.max(...candidates), offsetAt);
}

/** The first instant at which the wall shows more than `wallMs`; at `early` it shows less, at `late` more. */
function endOfGap(wallMs: number, early: number, late: number, offsetAt: OffsetAt): number {
  let [before, after] = [early, late];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (middle + offsetAt(middle) > wallMs) after = middle;
    else before = middle;
  }
  return after;
}

/** Offsets change at full minutes of UTC; those of instants that are asked again (schedules ask near each other) are kept. */
function cachedOffsets(format: Intl.DateTimeFormat): OffsetAt {
  const kept = new Map<number, number>();
  return (instantMs) => {
    const minute = Math.floor(instantMs / 60_000);
    let offset = kept.get(minute);
    if (offset === undefined) {
      offset = wallAt(format, minute * 60_000) - minute * 60_000;
      if (kept.size >= 512) kept.clear();
      kept.set(minute, offset);
    }
    return offset;
  };
}

function wallAt(format: Intl.DateTimeFormat, instantMs: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(instantMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
