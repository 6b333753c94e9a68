/** A part of a time layout: an element such as `2006` or `Jan`, or text to copy. */
export interface LayoutPart {
  readonly element: boolean;
  readonly text: string;
}

const ELEMENT =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|__2|_2(?!006)|2|3|4|5|PM|pm|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|[.,](?:0+|9+)(?![0-9])/g;

/** Splits a layout of Go's time package, which shows how the reference time would be written. */
export function splitLayout(layout: string): readonly LayoutPart[] {
  const parts: LayoutPart[] = [];
  let at = 0;
  for (const match of layout.matchAll(ELEMENT)) {
    if (match.index > at) parts.push({ element: false, text: layout.slice(at, match.index) });
    parts.push({ element: true, text: match[0] });
    at = match.index + match[0].length;
  }
  if (at < layout.length) parts.push({ element: false, text: layout.slice(at) });
  return parts;
}
