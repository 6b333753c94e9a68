import type { RunHold } from '../model/run-hold.ts';
import type { RunRecord, TrustClass } from '../model/run-record.ts';

/** What the queue knows of a run that has not ended: enough to decide, small enough to keep ten thousand in memory. */
export interface LiveRun {
  readonly id: string;
  /** Grows with the time of creation: the order inside a flow. */
  readonly number: number;
  /** `preparing` until the run has a plan. */
  readonly phase: 'queued' | 'preparing' | 'running';
  readonly attempt: number;
  /** Present while an agent has it. */
  readonly agent?: string;
  /** Whose share of the slots it takes: its task, what is untrusted of its task, or who asked for a quick run. */
  readonly owner: string;
  readonly task?: string;
  readonly priority: number;
  readonly pool: string;
  readonly createdMs: number;
  readonly group?: { readonly name: string; readonly limit: number };
  readonly maxParallelRuns?: number;
  readonly crashes: number;
  readonly trust: TrustClass;
  /** Why it is not to be claimed yet, for people. */
  readonly held?: string;
  /** It is held for a person's word. */
  readonly approval?: boolean;
  /** Counts against the cap of runs that no person or commit asked for. */
  readonly background?: boolean;
}

/** Undefined for a run that has ended. */
export function liveRunOf(record: RunRecord): LiveRun | undefined {
  const phase = phaseOf(record);
  if (phase === undefined) return undefined;
  const { request } = record;
  return {
    id: record.id,
    number: record.number,
    phase,
    attempt: record.attempt,
    ...(phase === 'queued' || record.agent === undefined ? {} : { agent: record.agent }),
    owner: ownerOf(record),
    ...(request.task === undefined ? {} : { task: request.task }),
    priority: request.priority,
    pool: request.agentPoolName,
    createdMs: Date.parse(record.createTime),
    ...(request.concurrency === undefined ? {} : { group: { name: request.concurrency.group, limit: request.concurrency.limit } }),
    ...(request.maxParallelRuns === undefined ? {} : { maxParallelRuns: request.maxParallelRuns }),
    crashes: record.crashes,
    trust: request.trust,
    ...(phase === 'queued' && record.hold !== undefined ? heldOf(record.id, record.hold) : {}),
    ...(request.background === true ? { background: true } : {}),
  };
}

function heldOf(id: string, { because, approval }: RunHold): Pick<LiveRun, 'held' | 'approval'> {
  return approval === undefined ? { held: because } : { held: `${because}, which \`task approve ${id}\` gives`, approval: true };
}

function phaseOf({ status }: RunRecord): LiveRun['phase'] | undefined {
  switch (status) {
    case 'Queued':
      return 'queued';
    case 'Started':
      return 'preparing';
    case 'Running':
      return 'running';
    default:
      return undefined;
  }
}

function ownerOf({ request }: RunRecord): string {
  if (request.task !== undefined) return ownerOfTask(request.task, request.trust);
  const [first] = request.causes;
  return first !== undefined && 'principal' in first ? `quick runs of ${first.principal}` : 'quick runs';
}

/** Runs of untrusted code do not wait in one line with those of trusted code: a flood of them would keep the others back. */
export function ownerOfTask(task: string, trust: TrustClass): string {
  return trust === 'trusted' ? `task ${task}` : `untrusted runs of task ${task}`;
}
