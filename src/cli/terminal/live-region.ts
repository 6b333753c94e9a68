import type { OutputStream } from './paint.ts';
import { textWidth, truncateText } from './text-width.ts';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
/**
 * Clears the row of the cursor and all below. A terminal's first cell is never where "clear below" begins: tmux and others take that
 * for the whole screen and move it to the scrollback, one frame after the other.
 */
const CLEAR_BELOW = '\x1b[K\x1b[B\x1b[0J\x1b[A';
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/**
 * A few lines at the bottom of a terminal that are drawn again and again, with lasting text written above them.
 * After a change of the terminal's width the drawn lines may have wrapped: what has to be cleared is counted with the width
 * of the moment of clearing.
 */
export class LiveRegion {
  readonly #stream: OutputStream;
  #drawn: readonly string[] = [];
  #cursorHidden = false;

  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  get columns(): number {
    // A terminal that does not know its size says 0.
    return this.#stream.columns || DEFAULT_COLUMNS;
  }

  get rows(): number {
    return Math.max(2, this.#stream.rows || DEFAULT_ROWS);
  }

  /** Replaces the region by `lines`, cut to the terminal; `above` (whole lines, ending in LF) stays for good. */
  draw(lines: readonly string[], above = ''): void {
    const cut = lines.slice(0, this.rows - 1).map((line) => truncateText(line, this.columns));
    if (above === '' && sameLines(cut, this.#drawn)) return;
    const hide = this.#cursorHidden || cut.length === 0 ? '' : HIDE_CURSOR;
    this.#cursorHidden ||= cut.length > 0;
    this.#stream.write(`${hide}${this.#clear()}${above}${cut.map((line) => `${line}\n`).join('')}`);
    this.#drawn = cut;
  }

  /** Takes the region away and shows the cursor again. */
  close(): void {
    const show = this.#cursorHidden ? SHOW_CURSOR : '';
    const text = this.#clear() + show;
    this.#drawn = [];
    this.#cursorHidden = false;
    if (text !== '') this.#stream.write(text);
  }

  #clear(): string {
    if (this.#drawn.length === 0) return '';
    let rows = 0;
    for (const line of this.#drawn) rows += Math.max(1, Math.ceil(textWidth(line) / this.columns));
    return `\r\x1b[${Math.min(rows, this.rows - 1)}A${CLEAR_BELOW}`;
  }
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
