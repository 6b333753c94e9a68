import { SEALED_WITH_RUN, SECRET_FIELDS, type SecretBox, taskSecretBinding } from '../../model/ports/secret-box.ts';
import type { SecretRef, TaskDefinition } from '../../model/task-definition.ts';
import type { SecretInput, TaskInput } from '../../model/task-input.ts';
import { completeTriggers, namedTriggers } from './complete-triggers.ts';
import type { FieldProblem } from './field-problem.ts';
import { type PlaceSecret, placeCredential, placeStep, secretPlaces } from './secret-places.ts';
import { stepTypeOf } from './step-checks.ts';
import type { TaskDefaults } from './task-defaults.ts';
import { triggerFieldOf } from './trigger-places.ts';

/**
 * The definition that an input means: defaults filled in, values sealed to their place in this task. `existing` is the task as it is, for
 * values that stay as they are stored. Problems are left to be reported in `problems`: a `stored` value of which there is none.
 */
export function completeTask(
  input: TaskInput,
  parts: {
    readonly defaults: TaskDefaults;
    readonly box: SecretBox;
    readonly existing: TaskDefinition | undefined;
    readonly problems: FieldProblem[];
  },
): TaskDefinition {
  const { defaults } = parts;
  const place = placeInTask(input, parts);
  const { concurrency, registry, maxParallelRuns, tags } = input;
  return {
    name: input.name,
    status: input.status ?? 'Enabled',
    platform: completePlatform(input.platform, defaults),
    agentConfiguration: { cpu: input.agentConfiguration?.cpu ?? defaults.cpu },
    timeout: input.timeout ?? defaults.timeout.standard,
    step: placeStep(stepTypeOf(input.step), input.step, place),
    ...(registry === undefined ? {} : { registry }),
    credentials: (input.credentials ?? []).map((credential) => placeCredential(credential, place)),
    agentPoolName: input.agentPoolName ?? defaults.agentPoolName,
    priority: input.priority ?? 0,
    ...(maxParallelRuns === undefined ? {} : { maxParallelRuns }),
    ...(concurrency === undefined ? {} : { concurrency: { limit: 1, onConflict: 'queue', ...concurrency } }),
    policy: { privileged: false, hostMounts: false, dockerSocket: false, ...input.policy },
    trigger: completeTriggers(input, place),
    ...(tags === undefined || Object.keys(tags).length === 0 ? {} : { tags }),
  };
}

/** An architecture of its own brings no variant with it, and none is guessed. */
export function completePlatform(
  platform: TaskInput['platform'],
  { platform: standard }: Pick<TaskDefaults, 'platform'>,
): TaskDefinition['platform'] {
  return { os: standard.os, architecture: standard.architecture, ...platform };
}

function placeInTask(input: TaskInput, { box, existing, problems }: Parameters<typeof completeTask>[1]): PlaceSecret {
  const task = input.name;
  const stored = existing === undefined ? new Map<string, SecretRef>() : secretPlaces(existing);
  return (field: string, given: SecretInput): SecretRef => {
    if ('secret' in given) return { secret: given.secret };
    if ('plain' in given) return { sealed: Buffer.from(box.seal(given.plain, taskSecretBinding(task, field))).toString('base64') };
    const ref = stored.get(field);
    if (ref === undefined) {
      const message = `has no stored value in the task ${JSON.stringify(task)} that could stay`;
      problems.push({
        field: fieldOf(input, field),
        message,
        expected: 'the name of a secret of the daemon, or the value itself',
        help: 'Write `{ secret: NAME }`.',
      });
    }
    return ref ?? SEALED_WITH_RUN;
  };
}

/** Where a place of SECRET_FIELDS stands in the input, as its author knows it. */
function fieldOf(input: TaskInput, place: string): string {
  const { step, credentials = [] } = input;
  const lists = { arguments: step.arguments ?? [], values: step.values ?? [] };
  for (const [list, entries] of Object.entries(lists)) {
    const index = entries.findIndex(({ name }) => SECRET_FIELDS.argument(name) === place);
    if (index !== -1) return `step.${list}[${index}].value`;
  }
  for (const [index, { loginServer }] of credentials.entries()) {
    if (SECRET_FIELDS.userName(loginServer) === place) return `credentials[${index}].userName`;
    if (SECRET_FIELDS.password(loginServer) === place) return `credentials[${index}].password`;
  }
  return triggerFieldOf(namedTriggers(input), place) ?? `step.${place}`;
}
