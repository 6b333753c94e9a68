import { parseBytes } from '../../model/size-words.ts';

/** A value of a build flag that cannot be read; the message names the flag's form. */
export class FlagValueError extends Error {
  override readonly name = 'FlagValueError';
}

/** A size flag in bytes; `-1` stays -1 (no limit). */
export function readSize(text: string, flag: string): number {
  const size = text === '-1' ? -1 : parseBytes(text);
  if (size === undefined) throw new FlagValueError(`${flag} "${text}" is no size: a number with b, k, m or g is expected (64m)`);
  return size;
}

/** `name=soft[:hard]` in the API's words; -1 is unlimited. */
export function parseUlimit(text: string): { readonly Name: string; readonly Soft: number; readonly Hard: number } {
  const match = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(text);
  if (match === null) throw new FlagValueError(`--ulimit "${text}": name=soft[:hard] is expected (nofile=1024:2048)`);
  const soft = Number(match[2]);
  const hard = match[3] === undefined ? soft : Number(match[3]);
  if (hard !== -1 && (soft === -1 || soft > hard)) throw new FlagValueError(`--ulimit "${text}": the soft limit is above the hard one`);
  return { Name: match[1] ?? '', Soft: soft, Hard: hard };
}

/** `key=value,key=value` as docker's flags write it: a CSV record, quotes allowed; a word without `=` has the empty value. */
export function parseKeyValues(text: string, flag: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const field of csvFields(text, flag)) {
    const index = field.indexOf('=');
    if (field === '') throw new FlagValueError(`${flag} "${text}": key=value pairs with commas are expected`);
    fields.set((index < 0 ? field : field.slice(0, index)).trim().toLowerCase(), index < 0 ? '' : field.slice(index + 1));
  }
  return fields;
}

function csvFields(text: string, flag: string): string[] {
  const fields: string[] = [];
  const pattern = /"((?:[^"]|"")*)"(,|$)|([^,"]*)(,|$)/y;
  while (true) {
    const match = pattern.exec(text);
    if (match === null) throw new FlagValueError(`${flag} "${text}": a quote is not closed or stands inside a word`);
    fields.push(match[1] === undefined ? (match[3] ?? '') : match[1].replaceAll('""', '"'));
    if ((match[2] ?? match[4]) === '') return fields;
  }
}
