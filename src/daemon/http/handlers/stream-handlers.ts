import type { FastifyReply, FastifyRequest } from 'fastify';
import { isTerminal } from '../../../model/run-record.ts';
import { visibleTasks } from '../../../service/security/authorisation.ts';
import type { EventFeed } from '../event-feed.ts';
import { logBytes, logChunks, logLine } from '../log-answer.ts';
import type { HttpLimits } from '../options.ts';
import { untilRunEnds } from '../run-end.ts';
import { parsePlace, runStream } from '../run-stream.ts';
import type { HttpServices } from '../services.ts';
import { streamBody } from '../stream-body.ts';
import type { StreamLimit } from '../stream-limit.ts';
import type { Answer, Call, Handlers, Streamed } from './call.ts';

type StreamRoute = 'runEvents' | 'runLog' | 'events';

export interface Streaming {
  readonly limits: Pick<HttpLimits, 'stallMs' | 'heartbeatMs' | 'proofMs'>;
  readonly isStillKnown: (request: FastifyRequest) => Promise<boolean>;
  readonly streams: StreamLimit;
  readonly feed: EventFeed;
  readonly closing: AbortSignal;
}

const SSE = 'text/event-stream';

export function streamHandlers(services: HttpServices, streaming: Streaming): Handlers<StreamRoute> {
  const { runs, logs, hub } = services;
  return {
    runEvents: async (call) => {
      if (accepts(call.request, SSE)) return streamRun(services, streaming, call);
      const { after, top } = call.query;
      const items = await runs.events(call.run.id, { after, limit: top });
      return {
        status: 200,
        body: {
          items: items.map((event) => ({ ...event })),
          next: items.at(-1)?.seq ?? after,
          finished: isTerminal(call.run) && items.length < top,
        },
      };
    },
    runLog: async (call) => {
      const { query, run, request, reply } = call;
      const total = (await logs.stat(run.id))?.bytes ?? 0;
      const end = query.limit === undefined ? total : Math.min(total, query.offset + query.limit);
      const { step, attempt, since } = query;
      const wanted = {
        ...{ run: run.id, offset: query.offset, end: query.follow ? undefined : end },
        ...(step === undefined ? {} : { step }),
        ...(attempt === undefined ? {} : { attempt }),
        ...(since === undefined ? {} : { since }),
      };
      const asLines = accepts(request, 'application/x-ndjson');
      const isRunOver = async (): Promise<boolean> => {
        return isTerminal(await runs.get(run.id));
      };
      async function* parts(signal: AbortSignal): AsyncGenerator<string | Uint8Array> {
        const over = new AbortController();
        if (query.follow) {
          void untilRunEnds(hub, run.id, isRunOver, AbortSignal.any([signal, over.signal])).then(
            () => over.abort(),
            () => reply.raw.destroy(),
          );
        }
        try {
          const ends = { reader: signal, over: over.signal };
          if (asLines) for await (const chunk of logChunks(logs, wanted, isRunOver, ends)) yield logLine(chunk);
          else yield* logBytes(logs, wanted, isRunOver, ends);
        } finally {
          over.abort();
        }
      }
      return {
        ...stream(streaming, call, asLines ? 'application/x-ndjson; charset=utf-8' : 'text/plain; charset=utf-8', parts, reply),
        headers: {
          'x-log-total': String(total),
          'cache-control': 'no-store',
          ...(query.follow ? {} : { 'x-log-next': String(Math.max(query.offset, end)) }),
        },
      };
    },
    events: async (call) => {
      const visible = visibleTasks(call.principal);
      const only = call.query.task;
      const options = {
        lastId: headerText(call.request.headers['last-event-id']),
        visible: only === undefined ? visible : (task: string) => task === only && visible?.(task) !== false,
        heartbeatMs: streaming.limits.heartbeatMs,
      };
      return stream(streaming, call, SSE, (signal) => streaming.feed.follow(options, signal), call.reply);
    },
  };
}

async function streamRun(services: HttpServices, streaming: Streaming, call: Call<'runEvents'>): Promise<Answer<'runEvents'>> {
  const { runs, logs, hub } = services;
  const { run, query, request } = call;
  const last = parsePlace(headerText(request.headers['last-event-id']) ?? '');
  const options = {
    run: run.id,
    from: last ?? { seq: query.after, logOffset: 0 },
    logs: query.logs,
    heartbeatMs: streaming.limits.heartbeatMs,
  };
  // A reader that comes back to what it knows to the end is told not to come again.
  if (last !== undefined && isTerminal(run) && (await runs.events(run.id, { after: last.seq, limit: 1 })).length === 0)
    return { status: 204 };
  return stream(streaming, call, SSE, (signal) => runStream({ runs, logs, hub }, options, signal), call.reply);
}

function stream(
  streaming: Streaming,
  { principal, request }: Pick<Call<StreamRoute>, 'principal' | 'request'>,
  type: string,
  parts: (signal: AbortSignal) => AsyncIterable<string | Uint8Array>,
  reply: FastifyReply,
): Streamed {
  const { limits, streams, closing } = streaming;
  const onEnd = streams.take(principal.name);
  if (principal.tokenId !== undefined) endWithToken(streaming, request, reply);
  return {
    stream: streamBody(reply, parts, { stallMs: limits.stallMs, closing, breaksOff: type !== SSE, onEnd }),
    type,
    // Proxies shall pass every part on at once.
    headers: { 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  };
}

function endWithToken({ limits, isStillKnown }: Streaming, request: FastifyRequest, reply: FastifyReply): void {
  const looking = setInterval(() => {
    void isStillKnown(request).then((known) => {
      if (!known) reply.raw.destroy();
    });
  }, limits.proofMs);
  reply.raw.once('close', () => clearInterval(looking));
}

function accepts({ headers }: FastifyRequest, type: string): boolean {
  return (headers.accept ?? '').split(',').some((part) => part.split(';')[0]?.trim().toLowerCase() === type);
}

function headerText(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
