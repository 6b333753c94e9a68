import type { OutputStream, Paint } from '../terminal/paint.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { textTable } from '../terminal/text-table.ts';
import { textWidth, truncateText } from '../terminal/text-width.ts';
import { wrapText } from '../terminal/wrap-text.ts';

const GAP = 2;
const INDENT = '  ';
const NARROWEST = 8;

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** What stands there instead where the terminal is too narrow for the table; columns to the left are shortened first. */
  readonly short?: (row: Row) => string;
  /** May be cut where the terminal is too narrow; wide ones are cut first. */
  readonly shrinks?: boolean;
  /** Where the terminal is too narrow for the table it goes on lines of its own below the row, whole. */
  readonly below?: boolean;
  /** Left out when every cell is empty. */
  readonly optional?: boolean;
  readonly style?: (row: Row) => Parameters<Paint>[0] | undefined;
}

/**
 * Rows under titles, each cell made safe for a terminal. On a terminal that is too narrow some columns go below their rows, others are shortened
 * and then cut; elsewhere nothing is, so that programs read whole values.
 */
export function fitTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], stream: OutputStream, paint: Paint): string {
  const full = rows.map((row) => columns.map((column) => printable(column.cell(row))));
  const shown = columns
    .map((_, index) => index)
    .filter((index) => columns[index]?.optional !== true || full.some((row) => row[index] !== ''));
  const titles = columns.map(({ title }) => title);
  const available = stream.isTTY === true ? stream.columns || 80 : Number.POSITIVE_INFINITY;
  const natural = naturalWidths(titles, full);
  const below = totalWidth(natural, shown) > available ? shown.filter((index) => columns[index]?.below === true) : [];
  const beside = shown.filter((index) => !below.includes(index));
  const { cells, widths: wanted } = shortened({ columns, rows, titles, full, natural }, beside, available);
  const widths = shrunk(wanted, beside, columns, available);
  const styledCell = (row: Row, index: number, text: string): string => styled(columns[index], row, text, paint);
  const grid = textTable([
    beside.map((index) => paint('bold', truncateText(titles[index] ?? '', widths[index] ?? 0))),
    ...rows.map((row, number) =>
      beside.map((index) => styledCell(row, index, truncateText(cells[number]?.[index] ?? '', widths[index] ?? 0))),
    ),
  ]);
  const lines = grid.flatMap((line, number) => {
    const row = rows[number - 1];
    if (row === undefined) return [line];
    const under = below.flatMap((index) => {
      const text = cells[number - 1]?.[index] ?? '';
      const label = below.length === 1 ? '' : `${titles[index]?.toLowerCase()}: `;
      return text === '' ? [] : wrapText(`${label}${text}`, available - INDENT.length).map((part) => INDENT + styledCell(row, index, part));
    });
    return [line, ...under];
  });
  return `${lines.join('\n')}\n`;
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

interface Cells<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly titles: readonly string[];
  readonly full: readonly (readonly string[])[];
  readonly natural: readonly number[];
}

/** Columns get their short cells from the left, until the table fits. */
function shortened<Row>({ columns, rows, titles, full, natural }: Cells<Row>, beside: readonly number[], available: number) {
  let [cells, widths] = [full, natural];
  for (const index of beside) {
    const short = columns[index]?.short;
    if (short === undefined) continue;
    if (totalWidth(widths, beside) <= available) break;
    const before = cells;
    cells = rows.map((row, number) => before[number]?.with(index, printable(short(row))) ?? []);
    widths = naturalWidths(titles, cells);
  }
  return { cells, widths };
}

function naturalWidths(titles: readonly string[], cells: readonly (readonly string[])[]): number[] {
  return titles.map((title, index) => Math.max(textWidth(title), ...cells.map((row) => textWidth(row[index] ?? ''))));
}

function totalWidth(widths: readonly number[], shown: readonly number[]): number {
  return shown.reduce((sum, index) => sum + (widths[index] ?? 0) + GAP, -GAP);
}

function shrunk<Row>(natural: readonly number[], shown: readonly number[], columns: readonly Column<Row>[], available: number): number[] {
  const widths = [...natural];
  const candidates = shown.filter((index) => columns[index]?.shrinks === true);
  for (let excess = totalWidth(widths, shown) - available; excess > 0; excess -= 1) {
    const widest = candidates.reduce((best, index) => ((widths[index] ?? 0) > (widths[best] ?? 0) ? index : best), candidates[0] ?? -1);
    const width = widths[widest] ?? 0;
    if (width <= NARROWEST) break;
    widths[widest] = width - 1;
  }
  return widths;
}
