import { err, ok, type Result } from '../../util/result.ts';

/**
 * Removes the quoting of an `env` entry as `sh` would: `MSG='a b'` is `MSG=a b`. A blank or an operator outside quotes is
 * part of the value (the peer would cut the command line there), and `$` stays as it is. The error is one sentence.
 */
export function unquoteEnv(entry: string): Result<string, string> {
  let value = '';
  let at = 0;
  while (at < entry.length) {
    const character = entry.charAt(at);
    if (character === "'" || character === '"') {
      const quoted = character === "'" ? singleQuoted(entry, at) : doubleQuoted(entry, at);
      if (quoted === undefined) return err(unterminated(character));
      value += quoted.text;
      at = quoted.end;
    } else if (character === '\\') {
      const next = entry.charAt(at + 1);
      value += next === '' ? '\\' : next === '\n' ? '' : next;
      at += 2;
    } else {
      value += character;
      at += 1;
    }
  }
  return ok(value);
}

function unterminated(quote: string): string {
  const example = quote === "'" ? `"it's"` : `'5" disk'`;
  return `the quote \`${quote}\` is never closed; quote the value the other way round (NAME=${example}) when the character itself is meant`;
}

function singleQuoted(entry: string, at: number): { text: string; end: number } | undefined {
  const end = entry.indexOf("'", at + 1);
  return end === -1 ? undefined : { text: entry.slice(at + 1, end), end: end + 1 };
}

function doubleQuoted(entry: string, at: number): { text: string; end: number } | undefined {
  let text = '';
  for (let index = at + 1; index < entry.length; index += 1) {
    const character = entry.charAt(index);
    if (character === '"') return { text, end: index + 1 };
    const next = entry.charAt(index + 1);
    if (character === '\\' && next === '\n') index += 1;
    else if (character === '\\' && next !== '' && '$`"\\'.includes(next)) {
      text += next;
      index += 1;
    } else text += character;
  }
  return undefined;
}

/** Values by name of unquoted `NAME=value` entries, the last of a name winning; bare names have none. */
export function envValues(entries: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const entry of entries) {
    const equals = entry.indexOf('=');
    if (equals > 0) values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return values;
}
