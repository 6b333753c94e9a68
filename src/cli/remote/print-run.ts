import type { RunResource } from '../../api/run-schema.ts';
import type { Settings } from '../../config/settings.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { chooseFormat, createReporter, type PrintFlags } from '../execution/choose-reporter.ts';
import { type ExitCode, exitCodeOfRun } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { LogPlaces } from '../reporters/step-logs.ts';
import { printable, TerminalFilter } from '../terminal/terminal-filter.ts';
import type { DaemonClient } from './client.ts';
import { followRun } from './follow-run.ts';
import { listenForLeave } from './leave-or-cancel.ts';

/** Left while the run went on: what became of it is not known. */
const LEFT: ExitCode = 130;
const NO_FILES: LogPlaces = { directory: '', hasFiles: false, fileOf: () => undefined };

/** Prints a run as `task run` does, until its end; the exit code is that of the run. */
export async function printRun(
  client: DaemonClient,
  run: Pick<RunResource, 'runId'>,
  options: { readonly flags: PrintFlags; readonly logs: boolean; readonly settings: Settings; readonly io: Io },
): Promise<ExitCode> {
  const { io, flags } = options;
  const { runId } = run;
  const format = chooseFormat(flags, options.settings, io);
  const reporter = createReporter(format, NO_FILES, flags, io);
  const aside = format === 'json' || format === 'quiet';
  const say = (message: string): void => {
    if (message === '') return;
    if (aside) io.stderr.write(`${printable(message)}\n`);
    else reporter.say(io.paint('dim', printable(message)));
  };
  const unplanned = new UnplannedOutput();
  const leaving = listenForLeave(io, {
    cancel: () => void cancel(client, runId).catch((error: unknown) => say(`the run could not be cancelled: ${(error as Error).message}`)),
    // A drawn region and a question cannot share the last line.
    pauseOutput: () => reporter.close(),
    say,
  });
  try {
    const end = await followRun(client, {
      runId,
      logs: options.logs,
      signal: leaving.left,
      onEvent: async (event) => {
        await leaving.asking;
        const text = format === 'live' || (format === 'plain' && io.stdout.isTTY === true) ? unplanned.textOf(event) : undefined;
        if (text === undefined) await reporter.emit(event);
        else reporter.say(text);
      },
      onWaiting: (sentence) => {
        if (format !== 'quiet') say(sentence);
      },
      onConnection: say,
    });
    if (!end.told) say(`${runId} ${end.status}${end.run?.runErrorMessage == null ? '' : `: ${end.run.runErrorMessage}`}`);
    return exitCodeOfRun(end.status);
  } catch (error) {
    if (!leaving.left.aborted) throw error;
    io.stderr.write(`Follow it again with \`task logs --run ${runId} --follow\`.\n`);
    return LEFT;
  } finally {
    leaving.dispose();
    reporter.close();
  }
}

export async function cancel(client: DaemonClient, runId: string, reason = ''): Promise<void> {
  await client.call({ method: 'POST', path: `/runs/${encodeURIComponent(runId)}/cancel`, body: { reason } });
}

/** What a run says that has no step for it (a task file with errors): shown as it is, made safe for a terminal. */
class UnplannedOutput {
  readonly #steps = new Set<string>();
  readonly #filter = new TerminalFilter();

  textOf(event: RunEvent): string | undefined {
    if (event.type === 'run-started') for (const { id } of event.steps) this.#steps.add(id);
    return event.type === 'step-output' && !this.#steps.has(event.step) ? this.#filter.write(event.text) : undefined;
  }
}
