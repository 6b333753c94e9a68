import type { RunRecord, TrustClass } from '../run-record.ts';
import type { AgentDescription } from './agent-channel.ts';

/**
 * Decides which queued run starts next. Durable rows are the store's; this port orders them. Strict: a limit is never passed, also when
 * several claim at once. Larger priority first; inside a priority fair between tasks (a task with many waiting runs delays another's single
 * run by one slot at most), first in first out inside a task; a run that waited long rises.
 */
export interface RunQueue {
  /** A run has been stored, changed its status or ended: look again. `changed`: the run as it is stored now; without it everything is read anew. */
  notify(changed?: RunRecord): void;
  /** Takes the next run for this agent: already claimed in the store (attempt counted up). Waits up to `waitMs`. */
  claim(agent: AgentDescription, options: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<RunRecord | undefined>;
  /** Every queued run in the order in which they would start, and what each waits for; of a long queue, as it was up to a second ago. */
  waiting(): Promise<readonly WaitingRun[]>;
  /** Runs of a concurrency group that have not ended, oldest first. */
  group(name: string): Promise<readonly GroupMember[]>;
  /** How many runs wait, held ones included; of one task, of one trust. */
  queued(of?: { readonly task?: string; readonly trust?: TrustClass }): Promise<number>;
  pause(reason: string): Promise<void>;
  resume(): Promise<void>;
  state(): Promise<{
    readonly paused: boolean;
    readonly reason?: string;
    readonly since?: string;
    readonly queued: number;
    readonly running: number;
  }>;
  close(): Promise<void>;
}

export interface GroupMember {
  readonly run: string;
  readonly queued: boolean;
  /** Queued, and not to be claimed yet. */
  readonly held: boolean;
  readonly trust: TrustClass;
}

export interface WaitingRun {
  readonly run: string;
  /** From 1; absent for what is not in line: it may not start yet, whatever is before it. */
  readonly position?: number;
  readonly reason: WaitReason;
  /** One sentence for people. */
  readonly because: string;
  readonly queuedMs: number;
}

/** `approval`: a person has to let it go on; `held`: it waits for a time or for other runs. */
export type WaitReason =
  | 'paused'
  | 'group-full'
  | 'task-limit'
  | 'agent-busy'
  | 'no-agent'
  | 'daemon-full'
  | 'held'
  | 'approval'
  | 'starting';
