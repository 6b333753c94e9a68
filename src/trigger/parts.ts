import type { Clock } from '../model/ports/clock.ts';
import type { GitSource } from '../model/ports/git-source.ts';
import type { Registry } from '../model/ports/registry.ts';
import type { RunStarter } from '../model/ports/run-starter.ts';
import type { Store } from '../model/ports/store.ts';
import type { TaskRecord } from '../model/task-definition.ts';
import type { SourceTrigger } from '../model/trigger-definition.ts';
import type { Happening, NewTriggerEvent, TriggerDecision, TriggerEvent } from '../model/trigger-event.ts';

/** What every kind of trigger works with. */
export interface TriggerParts {
  readonly store: Store;
  readonly runs: RunStarter;
  readonly git: GitSource;
  readonly secrets: TriggerSecrets;
  readonly clock: Clock;
  /** Seconds, unless a trigger says otherwise. */
  readonly settings: TriggerSettings;
  /** Where bare repositories for path filters are kept. */
  readonly gitCache: string;
  /** An event was recorded outside the evaluator: look. */
  notify(): void;
  /** Something that nobody waits for went wrong: for the daemon's own log. */
  onProblem(what: string, error: unknown): void;
}

export interface TriggerSettings {
  /** Between looks at a repository; 0: never. */
  readonly gitPollSeconds: number;
  readonly imagePollSeconds: { readonly least: number; readonly most: number };
  readonly imageWindowSeconds: number;
}

/** Values of secrets that triggers need, opened for one use. They reach no event, decision or message. */
export interface TriggerSecrets {
  /** Reads the repository of a trigger, and speaks to its forge. */
  sourceToken(task: TaskRecord, trigger: SourceTrigger): Promise<string | undefined>;
  /** `default`, or a name that tells tasks with the same credential for the host as one. */
  registryCredential(task: TaskRecord, host: string): string;
  /** A client with that credential. */
  registry(credential: string, host: string): Promise<Registry>;
  updateEndpoint(task: TaskRecord): Promise<string | undefined>;
}

/** What came of an event: stored with it in one transaction. */
export interface Evaluation {
  readonly decisions: readonly Omit<TriggerDecision, 'event' | 'at'>[];
  readonly then?: readonly NewTriggerEvent[];
}

type EventOf<Kind extends Happening['kind']> = Omit<TriggerEvent, 'happening'> & {
  readonly happening: Extract<Happening, { readonly kind: Kind }>;
};

/**
 * Decides on events of one kind. It may be called again for an event it has decided on before (after a crash): runs are made through firings,
 * which are used once. An error that is EngineError and `transient` postpones the event; any other counts against it.
 */
export type Handlers = { readonly [Kind in Happening['kind']]?: (event: EventOf<Kind>, signal: AbortSignal) => Promise<Evaluation> };

/** One kind of trigger: git, images, timers, runs. */
export interface TriggerSource {
  readonly handlers: Handlers;
  /** Brings what is derived from tasks in line with them, and begins to look. Resolves when the first is done. */
  start(): Promise<void>;
  /** A task was made, changed or (without a record) deleted. Errors are its own affair. */
  taskChanged(name: string, record: TaskRecord | undefined): Promise<void>;
  /** Looks at once at all that the task follows. */
  check(record: TaskRecord): Promise<void>;
  close(): Promise<void>;
}
