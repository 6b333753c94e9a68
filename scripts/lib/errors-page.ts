import { DIAGNOSTIC_CODES } from '../../src/model/diagnostic-codes.ts';
import { ERROR_CODES } from '../../src/model/error-codes.ts';
import { tableRow } from './table-row.ts';

const INTRODUCTION = `# Errors

This page is made from the program's own catalogues (\`npm run generate\`). Every message ends with its code in brackets.

## Mistakes in files and flags

The program ends with exit code 2 and names the place, what was expected there, and how to mend it. Warnings do not stop it.

| code | meaning | what to do |
| --- | --- | --- |
`;

const ENGINE = `
## Failures of the engine and of what it talks to

The exit code is that of a command that ends so before it has a run. In a run, a code with exit code 3 makes it *Error*, with exit code 3: the engine, or\nwhat it talks to, could not do its work. The others make the step fail, and the run *Failed*, with exit code 1.

| code | exit code | HTTP status | meaning | what to do |
| --- | --- | --- | --- | --- |
`;

/** docs/errors.md: every code with its meaning and its remedy. */
export function errorsPage(): string {
  const diagnostics = Object.entries(DIAGNOSTIC_CODES)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([code, { title, help }]) => tableRow([`\`${code}\``, title, help]));
  const failures = Object.entries(ERROR_CODES).map(([code, { exitCode, httpStatus, title, help }]) =>
    tableRow([`\`${code}\``, String(exitCode), String(httpStatus), title, help]),
  );
  return `${INTRODUCTION}${diagnostics.join('\n')}\n${ENGINE}${failures.join('\n')}\n`;
}
