import type { RunResource } from '../../api/run-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { type ListFormat, printValue } from '../tables/print-value.ts';
import { causeText } from '../tables/run-table.ts';
import { printable } from '../terminal/terminal-filter.ts';
import type { RunChoice } from './list-runs.ts';
import { runPath } from './list-runs.ts';
import { isConfirmed } from './manage-tasks.ts';
import { withDaemon } from './with-daemon.ts';

export interface ApproveFlags extends RunChoice {
  readonly commit?: string;
  readonly yes: boolean;
  readonly output: ListFormat;
}

/** What is approved is the commit that was shown: when the run is of another by now the daemon refuses. */
export function approveRun(id: string, flags: ApproveFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value: run } = await client.call<RunResource>({ method: 'GET', path: runPath(id), query: { task: flags.task } });
    const waits = run.hold?.approval;
    if (waits === undefined)
      throw new EngineError('conflict', `${run.runId} does not wait for an approval: ${stateText(run)}`, {
        help: '`task list-runs --status Queued` shows what waits',
      });
    const commit = flags.commit ?? waits.commit;
    if (!waits.commit.startsWith(commit.toLowerCase()))
      throw new EngineError('conflict', `${run.runId} is of the commit ${waits.commit}, and not of ${commit}`, {
        help: 'a newer push has a run of its own: `task list-runs`',
      });
    const question = `Let ${run.runId}${run.task === null ? '' : ` of ${run.task}`} run ${waits.commit} (${run.causes.map(causeText).join(' ← ')})?`;
    if (flags.commit === undefined && !(await isConfirmed(printable(question), flags, io))) return EXIT.canceled;
    const { value } = await client.call<RunResource>({
      method: 'POST',
      path: `${runPath(run.runId)}/approve`,
      body: { commit: waits.commit },
    });
    await printValue(io, flags.output, value, () => `${value.runId} approved for ${waits.commit}\n`);
    return EXIT.ok;
  });
}

function stateText({ status, approval, hold }: RunResource): string {
  if (approval !== undefined) return `${approval.by} approved it`;
  return hold === undefined ? `it is ${status}` : `it ${hold.because}`;
}
