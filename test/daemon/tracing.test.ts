import { expect, test } from 'vitest';
import { createTracing } from '../../src/daemon/tracing.ts';
import type { RunRecord } from '../../src/model/run-record.ts';
import { startHttpServer, type TestServer } from '../support/http-server.ts';

interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number; readonly message?: string };
}

/** A collector that takes OTLP over HTTP as JSON. */
async function startCollector(): Promise<TestServer & { readonly spans: readonly SentSpan[] }> {
  const spans: SentSpan[] = [];
  const server = await startHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body: { resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[] } = JSON.parse(Buffer.concat(chunks).toString());
      for (const { scopeSpans } of body.resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  return { ...server, spans };
}

function recordOf(): RunRecord {
  const step = { kind: 'cmd' as const, needs: [], attempts: 1 };
  return {
    id: 'ra001',
    number: 1,
    request: { task: 'site', runType: 'AutoRun' } as RunRecord['request'],
    status: 'Failed',
    createTime: '2026-01-01T00:00:00.000Z',
    startTime: '2026-01-01T00:00:02.000Z',
    finishTime: '2026-01-01T00:00:09.000Z',
    lastUpdatedTime: '2026-01-01T00:00:09.000Z',
    attempt: 1,
    crashes: 0,
    archived: false,
    steps: [
      {
        ...step,
        id: 'ok',
        status: 'succeeded',
        startTime: '2026-01-01T00:00:03.000Z',
        finishTime: '2026-01-01T00:00:04.000Z',
        exitCode: 0,
      },
      {
        ...step,
        id: 'bad',
        status: 'failed',
        startTime: '2026-01-01T00:00:04.000Z',
        finishTime: '2026-01-01T00:00:09.000Z',
        exitCode: 1,
        reason: 'the command exited with code 1',
      },
      { ...step, id: 'never', status: 'skipped', attempts: 0 },
    ],
    images: [],
    built: [],
    baseImages: [],
    dependencies: [],
    error: { step: 'bad', message: 'the command exited with code 1' },
    lastEvent: 9,
  };
}

function seconds(span: SentSpan | undefined): readonly number[] {
  const from = Date.parse('2026-01-01T00:00:00Z');
  return [span?.startTimeUnixNano, span?.endTimeUnixNano]
    .map((nanos) => Number(BigInt(nanos ?? 0) / 1_000_000n) - from)
    .map((ms) => ms / 1000);
}

test('a run becomes one trace with a span for each step that ran, at the times when they ran', async () => {
  await using collector = await startCollector();
  const before = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url;
  try {
    const tracing = await createTracing(process.env, '1.2.3');
    tracing.runEnded(recordOf());
    await tracing.close();
  } finally {
    if (before === undefined) delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    else process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = before;
  }
  const span = (name: string): SentSpan | undefined => collector.spans.find((sent) => sent.name === name);
  const root = span('run site');
  expect(collector.spans.map(({ name }) => name).toSorted()).toEqual(['cmd bad', 'cmd ok', 'queued', 'run site']);
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect([span('cmd ok')?.parentSpanId, span('queued')?.parentSpanId]).toEqual([root?.spanId, root?.spanId]);
  expect([seconds(root), seconds(span('queued')), seconds(span('cmd bad'))]).toEqual([
    [0, 9],
    [0, 2],
    [4, 9],
  ]);
  expect([root?.status.code, span('cmd ok')?.status.code, span('cmd bad')?.status]).toEqual([
    2,
    0,
    { code: 2, message: 'the command exited with code 1' },
  ]);
});

test('without a collector nothing is loaded and nothing is sent', async () => {
  const tracing = await createTracing({}, '1.2.3');
  tracing.runEnded(recordOf());
  await tracing.close();
});
