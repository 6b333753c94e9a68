import type { SourceText } from '../../model/diagnostic.ts';

/**
 * The one-step task of `--cmd TEXT`. Aliases are on, so that `$Registry/…` and `acr …` work as in ACR's quick tasks; the
 * text stands in the file as it was given, templates in it are rendered.
 */
export function cmdTask(text: string): SourceText {
  const body = text
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
  return { name: '--cmd', text: `version: v1.1.0\nsteps:\n  - cmd: |2-\n${body}\n    disableWorkingDirectoryOverride: true\n` };
}
