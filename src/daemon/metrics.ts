import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RunStatus } from '../model/run-event.ts';
import { type RunRecord, triggerWord } from '../model/run-record.ts';

/** What the HTTP server tells. */
export interface HttpMetrics {
  /** `route` is the path of the table, never that of the request: few values. */
  answered(request: { readonly method: string; readonly route: string; readonly status: number; readonly seconds: number }): void;
  refusedProof(): void;
  /** A delivery to a hook was answered: `taken`, `known`, `ping`, `ignored`, `refused`, `failed`. */
  delivered(result: string): void;
}

/** Metrics of one daemon, under names `slipway_…`. Each daemon of a process has its own. */
export interface Metrics extends HttpMetrics {
  /** A run has reached its end: counts it, its wait and the times of its steps. */
  runEnded(run: RunRecord): void;
  /** Something was decided on an event of this kind, so long after it was received. */
  decided(kind: string, seconds: number): void;
  /** A repository or an image was looked at. */
  looked(what: 'git' | 'image', ok: boolean): void;
  /** The bytes that the log of an ended run has. */
  logged(bytes: number): void;
  text(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Asked when somebody reads the metrics. */
export interface MetricSources {
  queue(): Promise<{ readonly queued: number; readonly running: number; readonly paused: boolean }>;
  runs(): Promise<Readonly<Record<RunStatus, number>>>;
  agents(): Promise<readonly { readonly id: string; readonly slots: number; readonly runs: readonly string[] }[]>;
  streams(): number;
  events(): Promise<Readonly<Record<'pending' | 'settled' | 'failed', number>>>;
}

const WAIT_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600];
const RUN_BUCKETS = [0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 28_800];
const HTTP_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  // Each measurement of the event loop's delay wakes the process: at the default of 10 ms that alone is one percent of a processor.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  addGauges(registry, sources);
  const registers = [registry];
  const runs = new Counter({
    name: 'slipway_runs_total',
    help: 'Ended runs by status, trigger and type.',
    labelNames: ['status', 'trigger', 'type'],
    registers,
  });
  const waits = new Histogram({
    name: 'slipway_queue_wait_seconds',
    help: 'Time from the creation of a run to its start.',
    buckets: WAIT_BUCKETS,
    registers,
  });
  const runSeconds = new Histogram({
    name: 'slipway_run_duration_seconds',
    help: 'Time from the start of a run to its end.',
    labelNames: ['status'],
    buckets: RUN_BUCKETS,
    registers,
  });
  const stepSeconds = new Histogram({
    name: 'slipway_step_duration_seconds',
    help: 'Duration of steps by kind and status.',
    labelNames: ['kind', 'status'],
    buckets: RUN_BUCKETS,
    registers,
  });
  const requests = new Histogram({
    name: 'slipway_http_request_duration_seconds',
    help: 'Time to answer a request; of streams, to their end.',
    labelNames: ['method', 'route', 'status'],
    buckets: HTTP_BUCKETS,
    registers,
  });
  const refused = new Counter({ name: 'slipway_http_refused_proofs_total', help: 'Requests without a valid token.', registers });
  const deliveries = new Counter({
    name: 'slipway_hook_deliveries_total',
    help: 'Deliveries of webhooks by how they were answered.',
    labelNames: ['result'],
    registers,
  });
  const decisions = new Histogram({
    name: 'slipway_event_decision_seconds',
    help: 'Time from the receipt of an event to the decisions on it.',
    labelNames: ['kind'],
    buckets: WAIT_BUCKETS,
    registers,
  });
  const looks = new Counter({
    name: 'slipway_looks_total',
    help: 'Looks at repositories and images.',
    labelNames: ['what', 'result'],
    registers,
  });
  const logBytes = new Counter({ name: 'slipway_log_bytes_total', help: 'Bytes in the logs of ended runs.', registers });
  return {
    answered: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    refusedProof: () => refused.inc(),
    delivered: (result) => deliveries.inc({ result }),
    decided: (kind, seconds) => decisions.observe({ kind }, seconds),
    looked: (what, ok) => looks.inc({ what, result: ok ? 'ok' : 'failed' }),
    logged: (bytes) => logBytes.inc(bytes),
    runEnded: (run) => {
      const { status, request, createTime, startTime, finishTime } = run;
      runs.inc({ status, trigger: triggerWord(request.causes), type: request.runType });
      waits.observe(secondsBetween(createTime, startTime ?? finishTime));
      if (startTime !== undefined) runSeconds.observe({ status }, secondsBetween(startTime, finishTime));
      for (const step of run.steps) {
        if (step.durationMs !== undefined) stepSeconds.observe({ kind: step.kind, status: step.status }, step.durationMs / 1000);
      }
    },
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function secondsBetween(from: string, to: string | undefined): number {
  return to === undefined ? 0 : Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

function addGauges(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  new Gauge({
    name: 'slipway_queue_depth',
    help: 'Runs that wait.',
    registers,
    async collect() {
      this.set((await sources.queue()).queued);
    },
  });
  new Gauge({
    name: 'slipway_queue_paused',
    help: '1 while the queue is paused.',
    registers,
    async collect() {
      this.set((await sources.queue()).paused ? 1 : 0);
    },
  });
  new Gauge({
    name: 'slipway_runs',
    help: 'Stored runs by status.',
    labelNames: ['status'],
    registers,
    async collect() {
      for (const [status, count] of Object.entries(await sources.runs())) this.set({ status }, count);
    },
  });
  const slots = { labelNames: ['agent'] as const, registers };
  new Gauge({
    name: 'slipway_agent_slots',
    help: 'Runs that an agent takes at once.',
    ...slots,
    async collect() {
      this.reset();
      for (const agent of await sources.agents()) this.set({ agent: agent.id }, agent.slots);
    },
  });
  new Gauge({
    name: 'slipway_agent_slots_used',
    help: 'Runs that an agent holds.',
    ...slots,
    async collect() {
      this.reset();
      for (const agent of await sources.agents()) this.set({ agent: agent.id }, agent.runs.length);
    },
  });
  new Gauge({
    name: 'slipway_events',
    help: 'Stored trigger events by status; `pending` is the backlog.',
    labelNames: ['status'],
    registers,
    async collect() {
      for (const [status, count] of Object.entries(await sources.events())) this.set({ status }, count);
    },
  });
  new Gauge({
    name: 'slipway_http_streams',
    help: 'Open streams of events and logs.',
    registers,
    collect() {
      this.set(sources.streams());
    },
  });
}
