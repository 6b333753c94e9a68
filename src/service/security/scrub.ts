const LONGEST_TEXT = 1024;
const MOST_ITEMS = 50;
const DEEPEST = 6;
const HIDDEN = '[hidden]';

/** Fields whose text is never shown, in any case and wherever they stand. */
const SECRET_FIELDS =
  /^(?:plain|sealed|value|password|passphrase|token|accesstoken|refreshtoken|authorization|cookie|privatekey|hash|encodedvaluescontent|valuescontent)$/i;

/** A copy without what may be a secret, and bounded in size: for logs and the audit. */
export function scrubFields(fields: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .slice(0, MOST_ITEMS)
      .map(([name, field]) => [name, SECRET_FIELDS.test(name) && typeof field === 'string' ? HIDDEN : scrub(field, depth + 1)]),
  );
}

function scrub(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (depth >= DEEPEST || value instanceof Uint8Array) return HIDDEN;
  if (!Array.isArray(value)) return scrubFields({ ...value }, depth);
  const shown = value.slice(0, MOST_ITEMS).map((item) => scrub(item, depth + 1));
  return value.length > MOST_ITEMS ? [...shown, `and ${value.length - MOST_ITEMS} more`] : shown;
}

/** Tokens of this program and passwords in URLs are cut out of any text. */
export function scrubText(text: string): string {
  const cut = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  return cut.replaceAll(/slw_[A-Za-z0-9_-]{8,}/g, 'slw_…').replaceAll(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{1,512}@/gi, '$1…@');
}
