import type { OutputStream, Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { textTable } from '../terminal/text-table.ts';
import { textWidth, truncateText } from '../terminal/text-width.ts';

const GAP = 2;
const NARROWEST = 8;

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** May be cut where the terminal is too narrow; wide ones are cut first. */
  readonly shrinks?: boolean;
  /** Left out when every cell is empty. */
  readonly optional?: boolean;
  readonly style?: (row: Row) => Parameters<Paint>[0] | undefined;
}

/**
 * Rows under titles, each cell made safe for a terminal. On a terminal columns that may shrink do so until a row fits; elsewhere nothing is cut,
 * so that programs read whole values.
 */
export function fitTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], stream: OutputStream, paint: Paint): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.cell(row))));
  const shown = columns
    .map((_, index) => index)
    .filter((index) => columns[index]?.optional !== true || cells.some((row) => row[index] !== ''));
  const titles = columns.map(({ title }) => title);
  const natural = columns.map((_, index) => Math.max(textWidth(titles[index] ?? ''), ...cells.map((row) => textWidth(row[index] ?? ''))));
  const widths = stream.isTTY === true ? shrunk(natural, shown, columns, stream.columns || 80) : natural;
  const cut = (text: string, index: number): string => truncateText(text, widths[index] ?? 0);
  const lines = [
    shown.map((index) => paint('bold', cut(titles[index] ?? '', index))),
    ...cells.map((row, number) =>
      shown.map((index) => {
        const text = cut(row[index] ?? '', index);
        const source = rows[number];
        return source === undefined ? text : styled(columns[index], source, text, paint);
      }),
    ),
  ];
  return `${textTable(lines).join('\n')}\n`;
}

/** `name  value` lines; pairs without a value are left out. */
export function factLines(facts: readonly (readonly [string, string | undefined])[], paint: Paint): string {
  const rows = facts.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[paint('bold', name), printable(value)]]));
  return textTable(rows)
    .map((line) => `${line}\n`)
    .join('');
}

function styled<Row>(column: Column<Row> | undefined, row: Row, text: string, paint: Paint): string {
  const style = column?.style?.(row);
  return style === undefined ? text : paint(style, text);
}

function shrunk<Row>(natural: readonly number[], shown: readonly number[], columns: readonly Column<Row>[], available: number): number[] {
  const widths = [...natural];
  const total = (): number => shown.reduce((sum, index) => sum + (widths[index] ?? 0) + GAP, -GAP);
  const candidates = shown.filter((index) => columns[index]?.shrinks === true);
  for (let excess = total() - available; excess > 0; excess -= 1) {
    const widest = candidates.reduce((best, index) => ((widths[index] ?? 0) > (widths[best] ?? 0) ? index : best), candidates[0] ?? -1);
    const width = widths[widest] ?? 0;
    if (width <= NARROWEST) break;
    widths[widest] = width - 1;
  }
  return widths;
}
