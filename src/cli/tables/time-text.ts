const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** `2026-11-23 14:05 (3m ago)`, in the time zone of the reader. Empty for no time; as it is for what is none. */
export function timeText(iso: string | undefined, now: Date): string {
  if (iso === undefined || iso === '') return '';
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  return `${localMinute(time)} (${relativeText(time, now)})`;
}

/** `3m ago`, `in 2h`, `now`. */
export function relativeText(time: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - time.getTime()) / 1000);
  const size = Math.abs(seconds);
  const [unit, length] = UNITS.find(([, least]) => size >= least) ?? ['s', 1];
  if (size === 0) return 'now';
  // What is to come is told as people set it: in 30 days is not in 29.
  const amount = `${seconds > 0 ? Math.floor(size / length) : Math.ceil(size / length)}${unit}`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
}

function localMinute(time: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** `2026-11-23 14:05 UTC`: of what is set in UTC. */
export function utcMinute(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
