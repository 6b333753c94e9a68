import { StringDecoder } from 'node:string_decoder';
import type { LogLine, RunSummaryResource } from '../../api/run-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { jitteredBackoffMs } from '../../util/backoff.ts';
import { systemClock } from '../../util/clock.ts';
import { HttpError } from '../../util/http-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { TerminalFilter } from '../terminal/terminal-filter.ts';
import { type DaemonClient, mayPass } from './client.ts';
import { readLines } from './event-stream.ts';
import type { ServerFlags } from './find-server.ts';
import { withDaemon } from './with-daemon.ts';

export interface LogFlags extends ServerFlags {
  readonly task?: string;
  readonly image?: string;
  readonly step?: string;
  readonly since?: string;
  readonly follow: boolean;
  readonly json: boolean;
  readonly raw: boolean;
}

const MOST_FAILURES = 20;

/** `task logs`: the bytes of a log as they are; on a terminal without what could steer it. */
export function printLogs(id: string, flags: LogFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const run = flags.image === undefined ? id : await newestWithImage(client, flags.image, flags.task);
    const write = createWriter(flags, io);
    let readerGone = false;
    const leaving = new AbortController();
    io.onReaderGone(() => {
      readerGone = true;
      leaving.abort();
    });
    try {
      for await (const line of readLog(client, run, flags, leaving.signal)) await write(line);
    } catch (error) {
      if (!readerGone) throw error;
    }
    return EXIT.ok;
  });
}

/** Every chunk once, over lost connections: each says where to go on. */
async function* readLog(client: DaemonClient, run: string, flags: LogFlags, signal: AbortSignal): AsyncGenerator<LogLine, void, undefined> {
  const { step, since, follow, task } = flags;
  let offset = 0;
  for (let failures = 0; ; failures += 1) {
    try {
      const response = await client.open({
        method: 'GET',
        path: `/runs/${encodeURIComponent(run)}/log`,
        query: { step, since, task, offset, follow: follow || undefined },
        headers: { accept: 'application/x-ndjson' },
        signal,
        // A step may be silent for as long as it likes.
        ...(follow ? { idleTimeoutMs: 600_000 } : {}),
      });
      for await (const text of readLines(response.body)) {
        if (text === '') continue;
        const line = JSON.parse(text) as LogLine;
        failures = 0;
        offset = line.next;
        yield line;
      }
      return;
    } catch (error) {
      if (!mayPass(error) || failures >= MOST_FAILURES) throw error instanceof HttpError ? lost(error, client) : error;
      await systemClock.sleep(jitteredBackoffMs(failures, Math.random), signal);
    }
  }
}

function createWriter(flags: LogFlags, io: Io): (line: LogLine) => Promise<void> {
  const { stdout } = io;
  const write = (data: string | Uint8Array): Promise<void> =>
    stdout.write(data) ? Promise.resolve() : new Promise((resolve) => stdout.once('drain', resolve));
  if (flags.json) return (line) => write(`${JSON.stringify(line).replace(/[\x7f-\x9f]/g, escapeControl)}\n`);
  if (flags.raw || stdout.isTTY !== true) return (line) => write(bytesOf(line));
  // Streams of several steps come in turns: a sequence begun by one must not swallow the words of another.
  const filters = new Map<string, { readonly decoder: StringDecoder; readonly filter: TerminalFilter }>();
  return (line) => {
    const key = `${line.step} ${line.stream}`;
    const known = filters.get(key) ?? { decoder: new StringDecoder('utf8'), filter: new TerminalFilter() };
    filters.set(key, known);
    return write(known.filter.write(known.decoder.write(bytesOf(line))));
  };
}

function bytesOf(line: LogLine): Buffer {
  return line.base64 === undefined ? Buffer.from(line.text ?? '', 'utf8') : Buffer.from(line.base64, 'base64');
}

function escapeControl(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

async function newestWithImage(client: DaemonClient, image: string, task: string | undefined): Promise<string> {
  const { value } = await client.call<{ readonly items: readonly RunSummaryResource[] }>({
    method: 'GET',
    path: '/runs',
    query: { image, task, top: 1 },
  });
  const [run] = value.items;
  if (run === undefined) throw new EngineError('not-found', `no run has pushed ${image}`);
  return run.runId;
}

function lost(error: HttpError, client: DaemonClient): EngineError {
  return new EngineError('daemon-unreachable', `${client.place.name}: ${error.message}`, { cause: error });
}
