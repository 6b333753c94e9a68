interface DiagnosticCodeEntry {
  readonly title: string;
  readonly help: string;
}

/** Every code a Diagnostic can carry, with the lines that docs/errors.md prints. Codes are stable: they are never renamed. */
export const DIAGNOSTIC_CODES = {
  'yaml-syntax': {
    title: 'The text is not valid YAML.',
    help: 'Mend the text at the place the message names. The text is read after templates: `task render` shows it.',
  },
  'yaml-too-big': {
    title: 'A YAML text exceeds a limit of size, depth or number of nodes.',
    help: 'Split the file, or move generated parts out of it.',
  },
  'yaml-anchor': {
    title: 'A YAML alias names no anchor, or stands inside the node it names.',
    help: 'Define `&name` before `*name`, outside of it.',
  },
  'yaml-merge': {
    title: 'A merge key `<<` has a value that is no mapping.',
    help: 'Write `<<: *name` or `<<: [*a, *b]`, where each name is the anchor of a mapping.',
  },
} as const satisfies Record<string, DiagnosticCodeEntry>;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;
