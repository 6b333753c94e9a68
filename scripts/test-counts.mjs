// Prints the closing counts of a test report in one plain line.
import { existsSync, readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const report = file !== undefined && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
process.stdout.write(
  `${report?.numPassedTests ?? 0} passed, ${report?.numFailedTests ?? 0} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
);
