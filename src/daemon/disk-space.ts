import { statfs } from 'node:fs/promises';
import type { Clock } from '../model/ports/clock.ts';

/** New runs are refused from here on, so that what runs can end and be recorded. */
export const FULL_FROM = 0.9;
/** Thousands of runs that are made at once ask once. */
const KEPT_MS = 250;

/** Why the disk of a directory takes no new runs, or undefined when it does. A file system that cannot be asked counts as having room. */
export async function diskRefusal(directory: string): Promise<string | undefined> {
  const stats = await statfs(directory).catch(() => undefined);
  if (stats === undefined || stats.blocks === 0) return undefined;
  // As `df` counts: what only root may use is not there for others.
  const used = stats.blocks - stats.bfree;
  const share = used / (used + stats.bavail);
  if (share < FULL_FROM) return undefined;
  return `the disk of ${directory} is ${Math.floor(share * 100)} % full; new runs are refused from ${FULL_FROM * 100} %`;
}

/** `diskRefusal`, asked of the file system a few times a second at most. */
export function createDiskRefusal(directory: string, clock: Pick<Clock, 'monotonicMs'>): () => Promise<string | undefined> {
  let asked: { readonly atMs: number; readonly refusal: Promise<string | undefined> } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (asked === undefined || nowMs - asked.atMs >= KEPT_MS) asked = { atMs: nowMs, refusal: diskRefusal(directory) };
    return asked.refusal;
  };
}
