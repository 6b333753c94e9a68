/**
 * Offset where the first YAML document of a text ends: the start of the line of the `---` or `...` that closes it, or the
 * length of the text. Such a line always ends a document, even in the middle of a block scalar.
 */
export function firstDocumentEnd(text: string): number {
  let begun = false;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    if (isMarker(text, start)) {
      if (begun) return start;
      begun = text.charCodeAt(start) === DASH;
    } else if (!begun) {
      begun = hasContent(text.slice(start, end));
    }
    start = end + 1;
  }
  return text.length;
}

const DASH = 0x2d;

/** `---` or `...` at the start of a line, followed by white space or the end. */
function isMarker(text: string, start: number): boolean {
  const unit = text.charCodeAt(start);
  if (unit !== DASH && unit !== 0x2e) return false;
  if (text.charCodeAt(start + 1) !== unit || text.charCodeAt(start + 2) !== unit) return false;
  const after = text.charCodeAt(start + 3);
  return Number.isNaN(after) || after === 0x20 || after === 0x09 || after === 0x0a || after === 0x0d;
}

/** Neither blank, nor a comment, nor a directive: those stand before the document. */
function hasContent(line: string): boolean {
  return /^\uFEFF?[ \t]*[^ \t\r#%\uFEFF]/u.test(line) || /^[ \t]+%/.test(line);
}
