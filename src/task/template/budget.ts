import { LimitReached } from './failure.ts';

/** What one rendering may use. */
export interface RenderLimits {
  /** Characters of the result, and of any text made on the way. */
  readonly characters: number;
  /** Units of work: one for a node or a call, more for work on long texts and lists. */
  readonly steps: number;
  /** Templates running inside each other, and values inside each other. */
  readonly depth: number;
}

/**
 * Go stops at 100,000 templates inside each other. A JavaScript stack holds far fewer, and a task file that needs more than
 * a few hundred has lost its way.
 */
export const DEFAULT_LIMITS: RenderLimits = { characters: 16 * 1024 * 1024, steps: 1_000_000, depth: 500 };

const CHARACTERS_A_STEP = 16;
const ITEMS_A_STEP = 16;

/** Counts the work of one rendering and stops it at a limit. */
export class Budget {
  readonly limits: RenderLimits;
  #steps = 0;

  constructor(limits: RenderLimits) {
    this.limits = limits;
  }

  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > this.limits.steps) throw new LimitReached(`the template does more than ${this.limits.steps} steps of work`);
  }

  /** To be called before (or at least right after) a text of this length is made or read through. */
  text(length: number): void {
    this.size(length);
    this.step(length / CHARACTERS_A_STEP);
  }

  /** Only checks a length: for texts that grow piece by piece, each piece charged on its own. */
  size(length: number): void {
    if (length > this.limits.characters)
      throw new LimitReached(`the template makes a text longer than ${this.limits.characters} characters`);
  }

  /** To be called before a piece is added to the result: the limit holds for the whole, the work is that of the piece. */
  output(before: number, added: number): void {
    if (before + added > this.limits.characters)
      throw new LimitReached(`the template makes a text longer than ${this.limits.characters} characters`);
    this.step(added / CHARACTERS_A_STEP);
  }

  /** To be called before a list or map of this size is copied. */
  items(count: number): void {
    this.step(count / ITEMS_A_STEP);
  }

  /** To be called on the way into a nested value. */
  depth(depth: number): void {
    if (depth > this.limits.depth) throw new LimitReached(`values are nested deeper than ${this.limits.depth} levels`);
  }
}
