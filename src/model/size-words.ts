const UNITS: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/** Bytes of docker's size words: `512m`, `1.5g`, `64kb`, `1GiB`, `4096`; undefined when it is none. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgtp]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  return Math.floor(Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? 1));
}

/** `--cpus 1.5` as billionths of a processor; undefined when it is no positive decimal number. */
export function parseNanoCpus(text: string): number | undefined {
  if (!/^\d*\.?\d+$/.test(text.trim())) return undefined;
  const nano = Math.round(Number(text) * 1e9);
  return nano > 0 ? nano : undefined;
}
