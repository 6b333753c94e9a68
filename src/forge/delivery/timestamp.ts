const WINDOW_SECONDS = 300;

/** Whether Unix seconds are within 5 minutes of now, before or after. */
export function isRecent(seconds: string, now: Date): boolean {
  return /^\d{1,12}$/.test(seconds) && Math.abs(now.getTime() / 1000 - Number(seconds)) <= WINDOW_SECONDS;
}
