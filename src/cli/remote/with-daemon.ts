import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { createDaemonClient, type DaemonClient } from './client.ts';
import { findServer, type ServerFlags } from './find-server.ts';
import { reportingFlags } from './flag-error.ts';
import { DaemonProblem, type RemoteDiagnostic } from './problem.ts';

/** Runs a command against the daemon that its flags name. What is wrong with single places of a sent file is printed before the error itself. */
export async function withDaemon(
  flags: ServerFlags,
  io: Io,
  use: (client: DaemonClient) => Promise<ExitCode | undefined>,
): Promise<ExitCode> {
  const client = createDaemonClient(await findServer(flags, io), io.environment);
  try {
    return await reportingFlags(io, async () => (await use(client)) ?? EXIT.ok);
  } catch (error) {
    if (error instanceof DaemonProblem) for (const mistake of mistakesBeside(error)) io.stderr.write(mistakeText(mistake, io));
    throw error;
  } finally {
    client.close();
  }
}

/** The mistakes that the error itself does not tell: a single one without a place in a file is its whole message. */
function mistakesBeside({ mistakes, message, help }: DaemonProblem): readonly RemoteDiagnostic[] {
  const [only] = mistakes;
  const told = mistakes.length === 1 && only !== undefined && only.source === undefined && message.includes(only.message);
  return told && [only.expected, only.help].every((part) => part === undefined || help?.includes(part) === true) ? [] : mistakes;
}

/** One mistake or warning with its place, for people. */
export function mistakeText({ severity, code, message, source, line, column, field, expected, help }: RemoteDiagnostic, io: Io): string {
  const place = source === undefined ? (field ?? '') : [source, line, column].filter((part) => part !== undefined).join(':');
  const headline = io.paintError([severity === 'error' ? 'red' : 'yellow', 'bold'], `${severity}:`);
  const lines = [
    `${place === '' ? '' : `${printable(place)}: `}${headline} ${printable(message)} [${printable(code)}]`,
    ...(expected === undefined ? [] : [`  expected: ${printable(expected)}`]),
    ...(help === undefined ? [] : [`  help: ${printable(help)}`]),
  ];
  return `${lines.join('\n')}\n`;
}
