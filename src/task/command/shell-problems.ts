import type { DiagnosticCode } from '../../model/diagnostic-codes.ts';

interface Place {
  readonly start: number;
  readonly end: number;
}

/** Why a text is not one plain command: a part of a Diagnostic, placed by offsets of the text. */
export interface ShellProblem extends Place {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly expected: string;
  readonly help: string;
}

export function operatorProblem(operator: string, place: Place): ShellProblem {
  return {
    code: 'shell-operator',
    message: `\`${operator}\` outside quotes would run on the machine of the engine, not in the container.`,
    expected: 'plain words: no shell runs outside the container',
    help: "Wrap the script in a shell of the container, `IMAGE sh -c '…'`, or put quotes around the word.",
    ...place,
  };
}

export function secondCommandProblem(place: Place): ShellProblem {
  return {
    code: 'shell-second-command',
    message: 'A command ends with its line, and this is a second one.',
    expected: 'one command: an image and its arguments',
    help: "Fold the lines into one command with `cmd: >`, end a line with `\\`, or wrap a script in `sh -c '…'`.",
    ...place,
  };
}

/** `opening` is a quote, `$(` or `${`. */
export function unterminatedProblem(opening: string, place: Place): ShellProblem {
  const closing = opening === '$(' ? ')' : opening === '${' ? '}' : opening;
  return {
    code: 'shell-unterminated',
    message: `\`${opening}\` is never closed.`,
    expected: `a closing \`${closing}\``,
    help: 'Close it, or put a backslash before it when the character itself is meant.',
    ...place,
  };
}

export function tooLongProblem(limit: number, place: Place): ShellProblem {
  return {
    code: 'shell-too-long',
    message: `The variables of this step make more than ${limit} characters of one text.`,
    expected: 'arguments that an engine can take',
    help: 'Hand large values over in a file of the workspace.',
    ...place,
  };
}
