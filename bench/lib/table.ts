/** One measured row: `value` and the limits are in the same unit. */
export interface Row {
  readonly work: string;
  readonly against: string;
  readonly ours: string;
  readonly theirs: string;
  readonly value: number;
  readonly must: number;
  readonly aim: number;
  readonly unit: string;
}

/** The rows as a Markdown table, with whether each keeps its limits. */
export function renderTable(rows: readonly Row[]): string {
  const head = ['work', 'against', 'ours', 'theirs', 'measured', 'must', 'aim', ''];
  const cells = rows.map((row) => [
    row.work,
    row.against,
    row.ours,
    row.theirs,
    `${format(row.value)}${row.unit}`,
    `≤ ${format(row.must)}${row.unit}`,
    `≤ ${format(row.aim)}${row.unit}`,
    row.value <= row.aim ? 'aim kept' : row.value <= row.must ? 'must kept' : 'MISSED',
  ]);
  return markdown(head, cells);
}

/** One measured property of the daemon; the cells are texts. */
export interface DaemonRow {
  readonly work: string;
  readonly measured: string;
  readonly must: string;
  readonly aim: string;
  readonly verdict: Verdict;
}

type Verdict = 'aim kept' | 'must kept' | 'MISSED';
type Judged = Pick<DaemonRow, 'must' | 'aim' | 'verdict'>;

interface Limits {
  readonly must: number;
  readonly aim: number;
  readonly unit: string;
}

/** The lower the better. */
export function within(value: number, { must, aim, unit }: Limits): Judged {
  return {
    must: `≤ ${must} ${unit}`,
    aim: `≤ ${aim} ${unit}`,
    verdict: value <= aim ? 'aim kept' : value <= must ? 'must kept' : 'MISSED',
  };
}

/** The higher the better. */
export function atLeast(value: number, { must, aim, unit }: Limits): Judged {
  return {
    must: `≥ ${must} ${unit}`,
    aim: `≥ ${aim} ${unit}`,
    verdict: value >= aim ? 'aim kept' : value >= must ? 'must kept' : 'MISSED',
  };
}

export function renderDaemonTable(rows: readonly DaemonRow[]): string {
  return markdown(
    ['work', 'measured', 'must', 'aim', ''],
    rows.map(({ work, measured, must, aim, verdict }) => [work, measured, must, aim, verdict]),
  );
}

function markdown(head: readonly string[], cells: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
