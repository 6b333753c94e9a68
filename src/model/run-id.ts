const DIGITS = 3;
const FIRST = 'a'.charCodeAt(0);

/**
 * The id of a daemon's n-th run, from 1: `r`, a letter that says how many base-36 digits follow (a: 3, b: 4, …), the digits. So ids are
 * short and sort as texts in the order of creation. Within `[a-z0-9]{4,40}`, as everything named after a run demands.
 */
export function runIdOf(number: number): string {
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`bug: a run cannot have the number ${number}`);
  const digits = number.toString(36).padStart(DIGITS, '0');
  return `r${String.fromCharCode(FIRST + digits.length - DIGITS)}${digits}`;
}

/** The number of a daemon's run, or undefined when no run of a daemon has such an id. */
export function runNumberOf(id: string): number | undefined {
  if (!/^r[a-z][0-9a-z]{3,11}$/.test(id)) return undefined;
  const number = Number.parseInt(id.slice(2), 36);
  return Number.isSafeInteger(number) && number >= 1 && runIdOf(number) === id ? number : undefined;
}

/** What an id in a request may look like: runs of daemons and of `task run` alike. Everything else is refused before it is looked up. */
export const RUN_ID = /^[a-z0-9]{4,40}$/;
