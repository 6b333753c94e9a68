import { StringDecoder } from 'node:string_decoder';
import type { LogLine } from '../../api/run-log-schema.ts';
import type { RunResource, RunSummaryResource } from '../../api/run-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { isTerminal } from '../../model/run-record.ts';
import { jitteredBackoffMs } from '../../util/backoff.ts';
import { systemClock } from '../../util/clock.ts';
import { HttpError } from '../../util/http-error.ts';
import { nearestName } from '../../util/nearest-name.ts';
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
/** What the log of a run says outside its steps. */
const PREPARATION = 'slipway';

/** `task logs`: the bytes of a log as they are; on a terminal without what could steer it. */
export function printLogs(id: string, flags: LogFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const run = await findRun(client, id, flags);
    checkStep(run, flags.step);
    const write = createWriter(flags, io);
    const say = (sentence: string): void => void io.stderr.write(`${io.paintError('dim', sentence)}\n`);
    let readerGone = false;
    const leaving = new AbortController();
    io.onReaderGone(() => {
      readerGone = true;
      leaving.abort();
    });
    try {
      for await (const line of readLog(client, run.runId, { ...flags, say }, leaving.signal)) await write(line);
      if (!flags.follow && !isTerminal(run)) say(`${run.runId} is ${run.status}, there may be more to come: \`--follow\` waits for it`);
    } catch (error) {
      if (!readerGone) throw error;
    }
    return EXIT.ok;
  });
}

/** Every chunk once, over lost connections: each says where to go on. */
async function* readLog(
  client: DaemonClient,
  run: string,
  { step, since, follow, say }: LogFlags & { readonly say: (sentence: string) => void },
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, undefined> {
  let offset = 0;
  for (let failures = 0; ; failures += 1) {
    try {
      const response = await client.open({
        method: 'GET',
        path: `/runs/${encodeURIComponent(run)}/log`,
        query: { step, since, offset, follow: follow || undefined },
        headers: { accept: 'application/x-ndjson' },
        signal,
        // A step may be silent for as long as it likes.
        ...(follow ? { idleTimeoutMs: 600_000 } : {}),
      });
      if (failures > 0 && follow) say('connected again');
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
      if (failures === 0 && follow) say('the connection to the daemon is lost, trying again');
      await systemClock.sleep(jitteredBackoffMs(failures, Math.random), signal);
    }
  }
}

/** The run that is meant now: `last` may be another one when a lost connection is taken up again. */
async function findRun(client: DaemonClient, id: string, { image, task }: LogFlags): Promise<RunResource> {
  const run = image === undefined ? id : await newestWithImage(client, image, task);
  return (await client.call<RunResource>({ method: 'GET', path: `/runs/${encodeURIComponent(run)}`, query: { task } })).value;
}

/** Rejects a step that the run does not have; before its plan is known any may come. */
function checkStep({ runId, steps, status }: RunResource, step: string | undefined): void {
  if (step === undefined || step === PREPARATION || (steps.length === 0 && !isTerminal({ status }))) return;
  const names = steps.map(({ id }) => id);
  if (names.includes(step)) return;
  const near = nearestName(step, names);
  throw new EngineError('not-found', `the run ${runId} has no step ${JSON.stringify(step)}`, {
    help: `${near === undefined ? '' : `Did you mean "${near}"? `}Its steps: ${names.length === 0 ? 'none' : names.join(', ')}.`,
  });
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
