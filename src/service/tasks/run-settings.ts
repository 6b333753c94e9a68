import type { FireOrder } from '../../model/ports/run-starter.ts';
import { SEALED_WITH_RUN } from '../../model/ports/secret-box.ts';
import type { Cause, RunRequest, TrustClass } from '../../model/run-record.ts';
import type { SecretRef } from '../../model/task-definition.ts';
import type { SecretInput, TaskInput } from '../../model/task-input.ts';
import { checkConcurrency, checkPlatform } from './definition-checks.ts';
import type { FieldProblem } from './field-problem.ts';
import type { PlaceSecret } from './secret-places.ts';
import type { TaskDefaults } from './task-defaults.ts';

/** What any request for a run may say. */
export interface RunSettings {
  readonly priority?: number;
  /** Seconds. */
  readonly queueTimeout?: number;
  readonly timeout?: number;
  readonly platform?: TaskInput['platform'];
  readonly concurrency?: TaskInput['concurrency'];
  readonly env?: readonly string[];
  readonly noPush?: boolean;
  readonly keepGoing?: boolean;
  readonly extended?: boolean;
  readonly agentPoolName?: string;
}

export interface RunReason {
  /** Nearest first. */
  readonly causes: readonly Cause[];
  /** Overrides what the causes tell. */
  readonly trust?: TrustClass;
  /** The one who asks holds the scope `admin` (`holds`): the special rights of a task hold for overridden contexts and files too. */
  readonly keepPolicy?: boolean;
  /** The context and commit that a trigger decides, of the task's own repository: its rights stay. */
  readonly source?: FireOrder['source'];
  /** What the task's tracks chose. */
  readonly baseImages?: RunRequest['baseImages'];
  readonly background?: boolean;
}

/** A request to be stored, and the values that came with it by field: the run service seals them with the run. */
export interface MadeRun {
  readonly request: RunRequest;
  readonly secrets: Readonly<Record<string, string>>;
}

/** What is wrong with the settings of a request. */
export function checkSettings(
  settings: RunSettings & { readonly agentConfiguration?: { readonly cpu: number } },
  { timeout }: TaskDefaults,
): FieldProblem[] {
  const seconds = settings.timeout;
  const badTimeout = seconds !== undefined && !(Number.isInteger(seconds) && seconds >= timeout.least && seconds <= timeout.most);
  return [
    ...checkPlatform(settings.platform, 'platform'),
    ...checkConcurrency(settings.concurrency),
    ...(badTimeout
      ? [{ field: 'timeout', message: `is ${seconds}`, expected: `a whole number from ${timeout.least} to ${timeout.most} seconds` }]
      : []),
  ];
}

/** Values that come with a request go into `secrets`, by field. */
export function placeInRun(secrets: Record<string, string>, problems: FieldProblem[]): PlaceSecret {
  return (field: string, input: SecretInput): SecretRef => {
    if ('secret' in input) return { secret: input.secret };
    if ('plain' in input) secrets[field] = input.plain;
    else problems.push({ field, message: 'has no stored value that could stay', help: 'Write `{ secret: NAME }`.' });
    return SEALED_WITH_RUN;
  };
}
