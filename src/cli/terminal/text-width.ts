const PLAIN = /^[\x20-\x7e]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences begin with ESC
const SGR = /\x1b\[[0-9;:]*m/g;
// East Asian wide and fullwidth blocks (Unicode EastAsianWidth.txt, W and F) and emoji drawn two cells wide.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f/u;
const ZERO = /^[\p{M}\p{Cf}\p{Cc}]+$/u;

let segmenter: Intl.Segmenter | undefined;

/** Columns that a text takes on a terminal; SGR sequences take none. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemes(text.replace(SGR, ''))) width += graphemeWidth(grapheme);
  return width;
}

/** Cuts a text to `columns`, with `…` where something was cut. SGR sequences are kept and ended. */
export function truncateText(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (text.length <= columns && PLAIN.test(text)) return text;
  if (textWidth(text) <= columns) return text;
  let shown = '';
  let width = 0;
  let styled = false;
  for (const piece of splitKeepingSgr(text)) {
    if (piece.sgr) {
      shown += piece.text;
      styled = true;
      continue;
    }
    for (const grapheme of graphemes(piece.text)) {
      const next = graphemeWidth(grapheme);
      if (width + next > columns - 1) return `${shown}…${styled ? '\x1b[0m' : ''}`;
      shown += grapheme;
      width += next;
    }
  }
  return shown;
}

/** Pads on the right to `columns`. */
export function padText(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

function* splitKeepingSgr(text: string): Generator<{ readonly sgr: boolean; readonly text: string }> {
  let from = 0;
  for (const match of text.matchAll(SGR)) {
    if (match.index > from) yield { sgr: false, text: text.slice(from, match.index) };
    yield { sgr: true, text: match[0] };
    from = match.index + match[0].length;
  }
  if (from < text.length) yield { sgr: false, text: text.slice(from) };
}

function* graphemes(text: string): Generator<string> {
  if (PLAIN.test(text)) {
    yield* text;
    return;
  }
  segmenter ??= new Intl.Segmenter();
  for (const { segment } of segmenter.segment(text)) yield segment;
}

function graphemeWidth(grapheme: string): number {
  if (grapheme.length === 1 && grapheme >= ' ' && grapheme <= '~') return 1;
  if (ZERO.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}
