import { RIGHTS } from '../../src/forge/api/rights.ts';
import { tableRow } from './table-row.ts';

/** What a token of each forge has to be allowed, as the errors of the program say it. */
export function rightsTable(): string {
  const rows = Object.values(RIGHTS).map(({ name, statuses, hooks }) => tableRow([name, statuses, hooks]));
  return `| forge | for commit statuses | for \`--create\` |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}
