import type { Io } from '../io.ts';

export const LIST_FORMATS = ['table', 'json', 'yaml'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

/** Prints one thing: as data, or the way people read it. */
export async function printValue(io: Io, format: ListFormat, value: unknown, forPeople: () => string): Promise<void> {
  if (format === 'json') io.stdout.write(jsonText(value));
  else if (format === 'yaml') io.stdout.write(await yamlText(value));
  else io.stdout.write(forPeople());
}

/** Prints a list; one without anything in it says so beside the data, so that nobody wonders. */
export async function printList<Row>(
  io: Io,
  format: ListFormat,
  rows: readonly Row[],
  text: { readonly none: string; readonly table: (rows: readonly Row[]) => string },
): Promise<void> {
  if (format === 'table' && rows.length === 0) io.stderr.write(`${text.none}\n`);
  else await printValue(io, format, rows, () => text.table(rows));
}

/** JSON whose strings cannot steer a terminal either: JSON itself leaves DEL and C1 as they are. */
export function jsonText(value: unknown): string {
  const json = JSON.stringify(value, undefined, 2) ?? 'null';
  return `${json.replace(/[\x7f-\x9f]/g, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

/** A value as YAML; strings that look like something else are quoted. */
export async function yamlText(value: unknown): Promise<string> {
  const { dump } = await import('js-yaml');
  return dump(JSON.parse(JSON.stringify(value)), { lineWidth: -1 });
}
