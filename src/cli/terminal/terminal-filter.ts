type State = 'text' | 'escape' | 'csi' | 'string' | 'string-escape';

// Everything of C0, DEL and C1 but TAB, LF and CR.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;
/** What steers a terminal, ends a line, turns text around or hides within it: a name shall show as what it is. Joiners of emoji are left. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]+/g;
const SGR_PARAMETERS = /^[0-9;:]*$/;
const LONGEST_SGR = 64;

/**
 * Makes output of strangers safe to show on a terminal: of all control sequences only colours and styles (SGR) pass, of the
 * control characters only TAB, CR and LF. Titles, clipboard writes, links, cursor moves and device strings vanish.
 * Incremental: a sequence may be split over calls. A line feed ends whatever sequence was open.
 */
export class TerminalFilter {
  #state: State = 'text';
  #parameters = '';

  write(text: string): string {
    if (this.#state === 'text' && !CONTROL.test(text)) return text;
    let out = '';
    for (let index = 0; index < text.length; index += 1) out += this.#next(text[index] ?? '', text.charCodeAt(index));
    return out;
  }

  #next(char: string, code: number): string {
    if (char === '\n' || char === '\r') {
      this.#state = 'text';
      return char;
    }
    switch (this.#state) {
      case 'text':
        return this.#inText(char, code);
      case 'escape':
        return this.#afterEscape(char, code);
      case 'csi':
        return this.#inCsi(char, code);
      case 'string':
        if (code === 0x1b) this.#state = 'string-escape';
        else if (code === 0x07 || code === 0x9c) this.#state = 'text';
        return '';
      case 'string-escape':
        this.#state = char === '\\' ? 'text' : 'string';
        return '';
    }
  }

  #inText(char: string, code: number): string {
    if (code === 0x1b) this.#state = 'escape';
    else if (code === 0x9b) this.#openCsi();
    else if (code === 0x90 || code === 0x98 || (code >= 0x9d && code <= 0x9f)) this.#state = 'string';
    else if (code === 0x09 || (code >= 0x20 && code < 0x7f) || code > 0x9f) return char;
    return '';
  }

  #afterEscape(char: string, code: number): string {
    if (char === '[') this.#openCsi();
    else if (char === ']' || char === 'P' || char === 'X' || char === '^' || char === '_') this.#state = 'string';
    // Intermediate bytes (ESC ( B and the like) lead to one final byte, which vanishes with them.
    else if (code < 0x20 || code > 0x2f) this.#state = code === 0x1b ? 'escape' : 'text';
    return '';
  }

  #openCsi(): void {
    this.#state = 'csi';
    this.#parameters = '';
  }

  #inCsi(char: string, code: number): string {
    if (code === 0x1b) {
      this.#state = 'escape';
      return '';
    }
    if (code >= 0x20 && code < 0x40) {
      if (this.#parameters.length <= LONGEST_SGR) this.#parameters += char;
      return '';
    }
    this.#state = 'text';
    const isStyle = char === 'm' && this.#parameters.length <= LONGEST_SGR && SGR_PARAMETERS.test(this.#parameters);
    return isStyle ? `\x1b[${this.#parameters}m` : '';
  }
}

/** One line for people out of any text: control characters, and marks that turn or hide text, become a blank. */
export function printable(text: string): string {
  return text.replace(CONTROLS, ' ');
}
