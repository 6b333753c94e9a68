/** As times are stored, so that they compare as texts. */
export function storedTime(time: string): string {
  return new Date(time).toISOString();
}

/** The time so many milliseconds after another. */
export function timeAfter(time: string, ms: number): string {
  return new Date(Date.parse(time) + ms).toISOString();
}
