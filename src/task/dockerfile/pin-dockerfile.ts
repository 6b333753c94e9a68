import type { DockerfileScan } from './scan-dockerfile.ts';

/**
 * The Dockerfile with every word that names a pinned image replaced by its pinned name; everything else, and the number
 * of every line, stays. `pins` maps a reference of the scan to `name@digest`.
 */
export function pinDockerfile(text: string, scan: DockerfileScan, pins: ReadonlyMap<string, string>): string {
  const edits = [scan.runtime, ...scan.buildtime].flatMap(({ reference, words }) => {
    const pinned = pins.get(reference);
    return pinned === undefined ? [] : words.map((word) => ({ ...word, pinned }));
  });
  let result = '';
  let at = 0;
  for (const { start, end, pinned } of edits.sort((left, right) => left.start - right.start)) {
    result += text.slice(at, start) + pinned;
    at = end;
  }
  return result + text.slice(at);
}
