/** Why a text is no schedule, for the person who wrote it. */
export interface ScheduleProblem {
  /** One sentence that names the field and what it holds. */
  readonly message: string;
  /** Where it is in the text, from 1. */
  readonly column: number;
  readonly length: number;
  readonly expected: string;
  /** How to mend it. */
  readonly help: string;
}

/** One line for people: what is wrong, where, what was expected, how to mend it. */
export function formatScheduleProblem({ message, column, expected, help }: ScheduleProblem): string {
  return `${message} (column ${column}); expected ${expected}. ${help}`;
}
