/** Bytes a second that a step writes, as MiB. */
export const RATE = 50 * 1024 * 1024;
/** Bytes that the agent hands over at once: what a pipe gives. */
export const CHUNK = 32 * 1024;
export const PERIOD_MS = 10;
export const SECONDS = 8;
export const FOLLOWERS = 20;

/** Milliseconds of the clock that all processes of the machine share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
