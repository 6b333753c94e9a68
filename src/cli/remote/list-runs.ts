import { randomUUID } from 'node:crypto';
import type { CancelResult, RunResource, RunSummaryResource } from '../../api/run-schema.ts';
import { loadSettings } from '../../config/load-settings.ts';
import type { PrintFlags } from '../execution/choose-reporter.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { jsonText, type ListFormat, printList, printValue } from '../tables/print-value.ts';
import { runTable, runText } from '../tables/run-table.ts';
import type { ServerFlags } from './find-server.ts';
import { FlagError } from './flag-error.ts';
import { nthPage } from './pages.ts';
import { printRun } from './print-run.ts';
import { tablePlace } from './table-place.ts';
import { withDaemon } from './with-daemon.ts';

export interface ListRunsFlags extends ServerFlags {
  readonly task?: string;
  readonly status: readonly string[];
  readonly image?: string;
  readonly branch?: string;
  readonly commit?: string;
  readonly since?: string;
  readonly archived?: boolean;
  readonly top: number;
  readonly page: number;
  readonly output: ListFormat;
}

export function listRuns(flags: ListRunsFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { task, image, branch, since, archived } = flags;
    const query = {
      ...{ task, image, branch, since, archived },
      commit: flags.commit?.toLowerCase(),
      status: flags.status.length === 0 ? undefined : flags.status.join(','),
    };
    const page = await nthPage<RunSummaryResource>(client, '/runs', query, flags);
    const filtered = Object.values(query).some((value) => value !== undefined);
    await printList(io, flags.output, page.items, {
      none: flags.page > 1 ? `There is no page ${flags.page}.` : filtered ? 'No run fits.' : 'There are no runs yet.',
      table: (rows) => runTable(rows, tablePlace(io)),
    });
    if (page.next !== undefined && flags.output === 'table') io.stderr.write(`There are more: --page ${flags.page + 1}\n`);
    return EXIT.ok;
  });
}

export interface RunChoice extends ServerFlags {
  /** For `last`: the newest run of this task. */
  readonly task?: string;
}

export function showRun(id: string, flags: RunChoice & { readonly output: ListFormat }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<RunResource>({ method: 'GET', path: runPath(id), query: { task: flags.task } });
    await printValue(io, flags.output, value, () => runText(value, tablePlace(io)));
    return EXIT.ok;
  });
}

export function cancelRuns(ids: readonly string[], flags: RunChoice & { readonly reason?: string }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    for (const id of ids) {
      const { value } = await client.call<CancelResult>({
        method: 'POST',
        path: `${runPath(id)}/cancel`,
        query: { task: flags.task },
        body: { reason: flags.reason ?? '' },
      });
      io.stdout.write(`${value.runId} ${CANCEL_TEXT[value.outcome]}\n`);
    }
    return EXIT.ok;
  });
}

const CANCEL_TEXT: Readonly<Record<CancelResult['outcome'], string>> = {
  ended: 'canceled before it started',
  asked: 'is being canceled',
  terminal: 'had ended already',
};

export interface RerunFlags extends RunChoice, PrintFlags {
  readonly wait: boolean;
  readonly logs: boolean;
  readonly priority?: number;
  readonly idempotencyKey?: string;
}

export function rerun(id: string, flags: RerunFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const settings = await loadSettings({ directory: io.directory, environment: io.environment });
    if (!settings.ok) throw new FlagError(settings.error);
    const { value } = await client.call<RunResource>({
      method: 'POST',
      path: `${runPath(id)}/rerun`,
      query: { task: flags.task },
      body: flags.priority === undefined ? {} : { priority: flags.priority },
      idempotencyKey: flags.idempotencyKey ?? randomUUID(),
    });
    if (flags.wait) return printRun(client, value, { flags, logs: flags.logs, settings: settings.value, io });
    io.stdout.write(flags.output === 'json' ? jsonText(value) : `${value.runId}\n`);
    return EXIT.ok;
  });
}

export function updateRun(id: string, archive: boolean, flags: RunChoice & { readonly output: ListFormat }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<RunResource>({
      method: 'PATCH',
      path: runPath(id),
      query: { task: flags.task },
      body: { isArchiveEnabled: archive },
    });
    const what = archive ? 'is kept beyond the retention' : 'is removed when its retention is over';
    await printValue(io, flags.output, value, () => `${value.runId} ${what}\n`);
    return EXIT.ok;
  });
}

export function runPath(id: string): string {
  return `/runs/${encodeURIComponent(id)}`;
}
