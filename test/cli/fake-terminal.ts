import { EventEmitter } from 'node:events';
import { textWidth } from '../../src/cli/terminal/text-width.ts';

/**
 * A terminal in memory that understands what the program may send: text, CR, LF, SGR (dropped), cursor up and down,
 * clear line and below, hide and show cursor. Long lines wrap. It keeps everything ever shown, like a terminal with endless scrollback.
 */
export class FakeTerminal extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  cursorShown = true;
  /** Sequences that no reporter should ever send. */
  readonly strange: string[] = [];
  #lines: string[] = [''];
  #row = 0;
  /** The row of the text that is the first one of the screen. */
  #top = 0;

  constructor(columns = 80, rows = 24) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): boolean {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences are what this reads
    for (const token of text.match(/\x1b\[[0-9;?]*[A-Za-z]|\x1b.|[\r\n]|[^\x1b\r\n]+/gs) ?? []) this.#take(token);
    return true;
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    const lines = this.#lines.flatMap((line) => wrap(line, columns));
    this.#row += lines.length - this.#lines.length;
    this.#lines = lines;
    this.#top = Math.max(0, this.#row - rows + 1);
    this.emit('resize');
  }

  get text(): string {
    return this.#lines.map((line) => line.trimEnd()).join('\n');
  }

  #take(token: string): void {
    if (token === '\n') this.#move(this.#row + 1);
    else if (token === '\r') return;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: cursor up
    else if (/^\x1b\[\d*A$/.test(token)) this.#move(this.#row - Number(token.slice(2, -1) || 1));
    else if (token === '\x1b[B') this.#move(this.#row + 1);
    else if (token === '\x1b[K') this.#lines[this.#row] = '';
    else if (token === '\x1b[0J') this.#clearBelow();
    else if (token === '\x1b[?25l') this.cursorShown = false;
    else if (token === '\x1b[?25h') this.cursorShown = true;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR
    else if (/^\x1b\[[0-9;]*m$/.test(token)) return;
    else if (token.startsWith('\x1b')) this.strange.push(token);
    else this.#print(token);
    this.#lines[this.#row] ??= '';
  }

  #move(row: number): void {
    this.#row = Math.max(0, row);
    this.#top = Math.max(this.#top, this.#row - this.rows + 1);
    this.#lines[this.#row] ??= '';
  }

  #print(text: string): void {
    const lines = wrap((this.#lines[this.#row] ?? '') + text, this.columns);
    for (const [index, line] of lines.entries()) this.#lines[this.#row + index] = line;
    this.#move(this.#row + lines.length - 1);
  }

  /** Like tmux: what clears the whole screen moves it to the scrollback, and each frame would pile up there. */
  #clearBelow(): void {
    if (this.#row === this.#top) this.strange.push('clear of the whole screen');
    this.#lines.length = Math.max(this.#row, 0);
  }
}

function wrap(line: string, columns: number): string[] {
  const lines = [''];
  for (const char of line) {
    const last = lines.length - 1;
    if (textWidth((lines[last] ?? '') + char) > columns) lines.push(char);
    else lines[last] += char;
  }
  return lines;
}
