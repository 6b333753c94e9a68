import { type Attributes, context, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { RunRecord, StepRecord } from '../model/run-record.ts';

/** Sends a trace of each ended run: a span for the run, a span for its wait in the queue, a span for each step. */
export interface Tracing {
  runEnded(run: RunRecord): void;
  /** Sends what waits. */
  close(): Promise<void>;
}

/** Off unless OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT names a collector; the SDK is loaded only then. */
export async function createTracing(environment: NodeJS.ProcessEnv, version: string): Promise<Tracing> {
  const named = environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? '';
  if (named === '' || environment['OTEL_SDK_DISABLED'] === 'true') return { runEnded: () => undefined, close: () => Promise.resolve() };
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': environment['OTEL_SERVICE_NAME'] ?? 'slipway', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('slipway', version);
  return { runEnded: (run) => traceRun(tracer, run), close: () => provider.shutdown() };
}

/** All spans of a run at its end, from what is stored: so a run that outlived its daemon has a whole trace too. */
function traceRun(tracer: Tracer, run: RunRecord): void {
  if (run.finishTime === undefined) return;
  const attributes: Attributes = {
    'slipway.run': run.id,
    'slipway.run.type': run.request.runType,
    'slipway.run.status': run.status,
    'slipway.run.attempts': run.attempt,
    ...(run.request.task === undefined ? {} : { 'slipway.task': run.request.task }),
    ...(run.source?.commit === undefined ? {} : { 'vcs.ref.head.revision': run.source.commit }),
  };
  const name = run.request.task === undefined ? run.request.runType : `run ${run.request.task}`;
  const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime: new Date(run.createTime), attributes, root: true });
  const within = trace.setSpan(context.active(), span);
  const queued = tracer.startSpan('queued', { startTime: new Date(run.createTime) }, within);
  queued.end(new Date(run.startTime ?? run.finishTime));
  for (const step of run.steps) traceStep(tracer, step, within);
  if (run.status !== 'Succeeded') span.setStatus({ code: SpanStatusCode.ERROR, message: run.error?.message ?? run.status });
  span.end(new Date(run.finishTime));
}

function traceStep(tracer: Tracer, step: StepRecord, within: ReturnType<typeof trace.setSpan>): void {
  if (step.startTime === undefined || step.finishTime === undefined) return;
  const attributes: Attributes = {
    'slipway.step': step.id,
    'slipway.step.kind': step.kind,
    'slipway.step.status': step.status,
    'slipway.step.attempts': step.attempts,
    ...(step.exitCode === undefined ? {} : { 'process.exit.code': step.exitCode }),
  };
  const span = tracer.startSpan(`${step.kind} ${step.id}`, { startTime: new Date(step.startTime), attributes }, within);
  if (step.status === 'failed' || step.status === 'errored') {
    span.setStatus({ code: SpanStatusCode.ERROR, ...(step.reason === undefined ? {} : { message: step.reason }) });
  }
  span.end(new Date(step.finishTime));
}
