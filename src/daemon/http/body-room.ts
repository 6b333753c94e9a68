/** Of these many bytes at most is a small body: nearly every delivery of a forge. */
const SMALL_BYTES = 1024 * 1024;
const SMALL_PART = 64;
/** A large body that has been read for less is not given up for another. */
const SPARED_MS = 2000;
/** What a piece costs beside its bytes: a body of pieces of one byte is not a hundred times its size in secret. */
const PIECE_BYTES = 128;

/** Whose body it is; each has a share of the room that it cannot exceed. */
interface BodyOwner {
  readonly hook: string;
  readonly address: string;
}

/** The room of one body. */
export interface BodyHold {
  /** A piece has arrived. False when there is no room for it; the body has none any more then. */
  grow(bytes: number): boolean;
  /** It was read to its end: it is not given up any more. */
  complete(): void;
  /** Gives the room back; may be called again. */
  release(): void;
}

interface Held {
  readonly owners: readonly [string, string];
  /** When it came to its pool. */
  sinceMs: number;
  bytes: number;
  /** Otherwise it was read to its end, or has no room any more. */
  state: 'reading' | 'complete' | 'gone';
  pool: Pool;
  giveUp(): void;
}

/** One of the two parts of the room. */
interface Pool {
  readonly bytes: number;
  readonly share: number;
  readonly sparedMs: number;
  used: number;
  /** The oldest first. */
  readonly held: Set<Held>;
  readonly ofOwner: Map<string, number>;
}

/**
 * Memory for bodies that are being read, when nobody has proved anything yet. It is taken as bytes arrive, whatever a sender declares. A quarter
 * is for small bodies alone: where it is full, the body that has been sent for the longest time is given up, so that one that is sent at once
 * finds room however many are held open. A hook and an address have half of each part at most.
 */
export class BodyRoom {
  readonly #small: Pool;
  readonly #large: Pool;
  readonly #smallBytes: number;
  readonly #nowMs: () => number;

  /** `bytes` in all; `most` of one body, for which there is always a share. */
  constructor(room: { readonly bytes: number; readonly most: number }, nowMs: () => number) {
    const small = Math.floor(room.bytes / 4);
    const large = room.bytes - small;
    this.#smallBytes = Math.min(SMALL_BYTES, Math.floor(room.bytes / SMALL_PART));
    this.#small = poolOf(small, small / 2, 0);
    this.#large = poolOf(large, Math.max(large / 2, room.most * 1.25), SPARED_MS);
    this.#nowMs = nowMs;
  }

  /** `giveUp` is called at most once, when the body loses its room to another. */
  hold({ hook, address }: BodyOwner, giveUp: () => void): BodyHold {
    const held: Held = {
      ...{ owners: [`hook ${hook}`, `address ${address}`], sinceMs: this.#nowMs(), bytes: 0, state: 'reading', pool: this.#small, giveUp },
    };
    this.#small.held.add(held);
    return {
      grow: (bytes) => this.#grow(held, bytes + PIECE_BYTES),
      complete: () => {
        held.state = 'complete';
      },
      release: () => leave(held),
    };
  }

  #grow(held: Held, bytes: number): boolean {
    if (held.state === 'gone') return false;
    const whole = held.bytes + bytes;
    if (held.pool === this.#small && whole > this.#smallBytes) {
      leave(held);
      Object.assign(held, { pool: this.#large, sinceMs: this.#nowMs(), state: 'reading' });
      this.#large.held.add(held);
    }
    const added = whole - held.bytes;
    if (!this.#makeRoom(held, added)) {
      leave(held);
      return false;
    }
    account(held, added);
    return true;
  }

  /** Gives up what has been read for the longest time, of the owner whose share is full or of all. */
  #makeRoom(held: Held, bytes: number): boolean {
    const { pool, owners } = held;
    const isShort = (owner: string | undefined): boolean =>
      owner === undefined ? pool.used + bytes > pool.bytes : (pool.ofOwner.get(owner) ?? 0) + bytes > pool.share;
    for (const owner of [...owners, undefined]) {
      if (!isShort(owner)) continue;
      for (const other of pool.held) {
        if (!isShort(owner)) break;
        if (other.state !== 'reading' || (owner !== undefined && !other.owners.includes(owner))) continue;
        if (other === held || this.#nowMs() - other.sinceMs < pool.sparedMs) return false;
        leave(other);
        other.giveUp();
      }
      if (isShort(owner)) return false;
    }
    return true;
  }
}

function poolOf(bytes: number, share: number, sparedMs: number): Pool {
  return { bytes, share: Math.min(bytes, share), sparedMs, used: 0, held: new Set(), ofOwner: new Map() };
}

function leave(held: Held): void {
  held.state = 'gone';
  held.pool.held.delete(held);
  account(held, -held.bytes);
}

function account(held: Held, bytes: number): void {
  held.bytes += bytes;
  held.pool.used += bytes;
  for (const owner of held.owners) {
    const left = (held.pool.ofOwner.get(owner) ?? 0) + bytes;
    if (left === 0) held.pool.ofOwner.delete(owner);
    else held.pool.ofOwner.set(owner, left);
  }
}
