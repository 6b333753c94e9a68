import { Fields, MalformedDelivery } from './fields.ts';

const DEEPEST = 64;
const MOST_VALUES = 1_000_000;

/** Reads a body in UTF-8 as one JSON object. Depth and number of values are bounded before anything is built from it. */
export function readJsonBody(body: Uint8Array): Fields {
  return readJsonText(decodeText(body));
}

/** The `payload` field of a form (`application/x-www-form-urlencoded`). */
export function readFormBody(body: Uint8Array): Fields {
  const payload = new URLSearchParams(decodeText(body)).get('payload');
  if (payload === null) throw new MalformedDelivery('the form has no field "payload"');
  return readJsonText(payload);
}

function decodeText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new MalformedDelivery('the body is not UTF-8');
  }
}

function readJsonText(text: string): Fields {
  checkExtent(text);
  return Fields.of(parse(text));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedDelivery('the body is not JSON');
  }
}

/** Counts brackets and commas outside of strings: what a parser would have to nest and to keep. */
function checkExtent(text: string): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x7b || code === 0x5b) {
      depth++;
      values++;
    } else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x2c) values++;
    if (depth > DEEPEST) throw new MalformedDelivery(`the body is nested deeper than ${DEEPEST} levels`);
    if (values > MOST_VALUES) throw new MalformedDelivery(`the body has more than ${MOST_VALUES} values`);
  }
}

function endOfString(text: string, start: number): number {
  let end = start + 1;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === 0x22) return end;
    if (code === 0x5c) end++;
  }
  return end;
}
