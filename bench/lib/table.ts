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
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
