import { uniqueWord } from '../util/unique-word.ts';

const RANDOM_CHARS = 4;

/**
 * A new run id: the time in milliseconds in base 36 (so ids sort by time until the year 2059) and four random characters.
 * Lower-case letters and digits only: it is part of names of containers, networks and volumes.
 */
export function newRunId(now: Date): string {
  return `${now.getTime().toString(36).padStart(8, '0')}${uniqueWord(RANDOM_CHARS)}`;
}
