/** Shorter values would hide ordinary text everywhere; they are not masked (docs/secrets.md). Bytes. */
export const SHORTEST_MASKED = 4;
const SHORTEST_LINE = 6;
/** Above this a secret is matched as itself, by line and in base64 only: the automaton grows with every variant. Bytes. */
const LONGEST_WITH_ALL_VARIANTS = 64 * 1024;

/**
 * The byte strings by which a secret may show up in output: as it is, without its surrounding white space, each longer line of
 * it, in base64 (also inside a longer encoded text, wrapped at 64 or 76 columns, URL alphabet), hex, URL-, JSON- and
 * shell-quoted. Empty for values too short to mask.
 */
export function maskVariants(secret: string): readonly Buffer[] {
  const variants = new Set<string>();
  const whole = usable(secret);
  const trimmed = usable(secret.trim());
  for (const value of new Set([whole, trimmed])) if (value !== undefined) addVariants(variants, value);
  if (/[\r\n]/.test(secret.trim())) {
    for (const line of secret.split(/\r\n|\r|\n/)) {
      const text = line.trim();
      if (Buffer.byteLength(text) >= SHORTEST_LINE) addVariants(variants, text);
    }
  }
  return [...variants].map((text) => Buffer.from(text)).filter((bytes) => bytes.length >= SHORTEST_MASKED);
}

function usable(value: string): string | undefined {
  return value.trim() !== '' && Buffer.byteLength(value) >= SHORTEST_MASKED ? value : undefined;
}

function addVariants(variants: Set<string>, value: string): void {
  const bytes = Buffer.from(value);
  variants.add(value);
  for (const text of base64Variants(bytes)) variants.add(text);
  if (bytes.length > LONGEST_WITH_ALL_VARIANTS) return;
  variants.add(bytes.toString('hex'));
  variants.add(bytes.toString('hex').toUpperCase());
  for (const text of [...urlVariants(value), ...jsonVariants(value), ...shellVariants(value)]) variants.add(text);
}

/**
 * Base64 of the bytes at each of the three places they can have within a longer text: only the characters that the
 * neighbours cannot change, and at the end of the text also with its padding.
 */
function base64Variants(bytes: Buffer): readonly string[] {
  const found: string[] = [];
  for (const [before, changed] of [
    [0, 0],
    [1, 2],
    [2, 3],
  ] as const) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const stable = Math.floor(((before + bytes.length) * 8) / 6);
    const atEnd = encoded.slice(changed);
    found.push(encoded.slice(changed, stable), atEnd, atEnd.replace(/=+$/, ''));
    if (before === 0) for (const width of [64, 76]) found.push(...wrapped(encoded, width));
  }
  return found.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]).filter((text) => text.length >= SHORTEST_MASKED);
}

function wrapped(text: string, width: number): readonly string[] {
  if (text.length <= width) return [];
  const lines: string[] = [];
  for (let start = 0; start < text.length; start += width) lines.push(text.slice(start, start + width));
  return lines.filter((line) => line.length >= SHORTEST_LINE);
}

function urlVariants(value: string): readonly string[] {
  // A lone surrogate cannot be percent-encoded; toWellFormed replaces it as UTF-8 encoding does.
  const component = encodeURIComponent(value.toWellFormed());
  const strict = component.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const uri = encodeURI(value.toWellFormed());
  return [component, strict, uri]
    .flatMap((text) => [text, text.replaceAll('%20', '+')])
    .flatMap((text) => [text, text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

function jsonVariants(value: string): readonly string[] {
  const quoted = JSON.stringify(value).slice(1, -1);
  const unicode = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const ascii = quoted.replace(/[^\x20-\x7e]/g, unicode);
  const html = /[<>&\u2028\u2029]/g;
  return [quoted, ascii, quoted.replace(html, unicode), ascii.replace(html, unicode), quoted.replaceAll('/', '\\/')];
}

function shellVariants(value: string): readonly string[] {
  return [
    value.replaceAll("'", "'\\''"),
    value.replaceAll("'", `'"'"'`),
    value.replace(/[\\"$`]/g, '\\$&'),
    value.replace(/[\\"$`!]/g, '\\$&'),
    value.replace(/[^A-Za-z0-9_@%+=:,./\n-]/g, '\\$&'),
    value.replace(/[^A-Za-z0-9_@%+:./\n-]/g, '\\$&'),
    value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r'),
  ];
}
