import type { ReplayResult, TriggerEventDetail, TriggerEventResource } from '../../api/event-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { eventTable, eventText } from '../tables/event-text.ts';
import { type ListFormat, printList, printValue } from '../tables/print-value.ts';
import { defined } from './defined.ts';
import type { ServerFlags } from './find-server.ts';
import { nthPage } from './pages.ts';
import { tablePlace } from './table-place.ts';
import { withDaemon } from './with-daemon.ts';

export interface ListEventsFlags extends ServerFlags {
  readonly task?: string;
  readonly origin?: string;
  readonly kind?: string;
  readonly status?: string;
  readonly since?: string;
  readonly top: number;
  readonly page: number;
  readonly output: ListFormat;
}

export function listEvents(flags: ListEventsFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { task, origin, kind, status, since } = flags;
    const query = defined({ task, origin, kind, status, since });
    const page = await nthPage<TriggerEventResource>(client, '/trigger-events', query, flags);
    const filtered = Object.keys(query).length > 0;
    await printList(io, flags.output, page.items, {
      none: flags.page > 1 ? `There is no page ${flags.page}.` : filtered ? 'No event fits.' : 'Nothing has happened yet.',
      table: (rows) => eventTable(rows, tablePlace(io)),
    });
    if (page.next !== undefined && flags.output === 'table') io.stderr.write(`There are more: --page ${flags.page + 1}\n`);
    return EXIT.ok;
  });
}

export function showEvent(id: string, flags: ServerFlags & { readonly output: ListFormat }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<TriggerEventDetail>({ method: 'GET', path: eventPath(id) });
    await printValue(io, flags.output, value, () => eventText(value, tablePlace(io)));
    return EXIT.ok;
  });
}

/** What was made is printed also when one of the events is refused. */
export function replayEvents(ids: readonly string[], flags: ServerFlags & { readonly output: ListFormat }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const results: ReplayResult[] = [];
    try {
      for (const id of ids) {
        const { value } = await client.call<ReplayResult>({ method: 'POST', path: `${eventPath(id)}/replay`, body: {} });
        results.push(value);
      }
    } finally {
      if (results.length > 0) await printValue(io, flags.output, results, () => replayedText(results));
    }
    return EXIT.ok;
  });
}

function replayedText(results: readonly ReplayResult[]): string {
  return results.map(({ eventId, replayOf }) => `${replayOf} is decided on again as ${eventId}: task event show ${eventId}\n`).join('');
}

function eventPath(id: string): string {
  if (!/^e[1-9]\d{0,15}$/.test(id))
    throw new EngineError('invalid-request', `${JSON.stringify(id)} is no id of an event`, {
      help: 'an id is `e` and a number; `task event list` has them',
    });
  return `/trigger-events/${id}`;
}
