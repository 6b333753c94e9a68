/** Refused proofs of one address at one hook: so many at once, and so many a minute from then on. Each counts once more for each 64 KiB. */
const MOST = 600;
const EACH_MS = MOST / 60_000;
const BYTES = 64 * 1024;
const MOST_REMEMBERED = 10_000;

/**
 * Who had too many proofs refused. Nobody is kept out for it: others may send genuine deliveries from the same address (a forge, a proxy), and
 * only the proof tells which. Small deliveries go on to be checked, which costs little; large ones are not read meanwhile.
 */
export class RefusedProofs {
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, { count: number; atMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  add(sender: string, bytes: number): void {
    const count = this.#countOf(sender) + 1 + bytes / BYTES;
    this.#counts.delete(sender);
    this.#counts.set(sender, { count: Math.min(count, 2 * MOST), atMs: this.#nowMs() });
    if (this.#counts.size > MOST_REMEMBERED) this.#counts.delete(this.#counts.keys().next().value ?? '');
  }

  areMany(sender: string): boolean {
    return this.#countOf(sender) >= MOST;
  }

  #countOf(sender: string): number {
    const known = this.#counts.get(sender);
    return known === undefined ? 0 : Math.max(0, known.count - (this.#nowMs() - known.atMs) * EACH_MS);
  }
}
