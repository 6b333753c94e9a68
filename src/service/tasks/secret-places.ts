import { SECRET_FIELDS } from '../../model/ports/secret-box.ts';
import type { SecretRef, TaskArgument, TaskCredential, TaskDefinition, TaskStepDefinition } from '../../model/task-definition.ts';
import type { ArgumentInput, CredentialInput, SecretInput, StepInput } from '../../model/task-input.ts';
import { triggersOf } from '../../model/trigger-definition.ts';
import { triggerSecrets } from './trigger-places.ts';

/** What stands in an answer for a value that is sealed in the store. */
export interface StoredValue {
  readonly stored: true;
}

/** Turns what people wrote for a secret into where its value is. `field` is one of SECRET_FIELDS. */
export type PlaceSecret = (field: string, input: SecretInput) => SecretRef;

/** A step with what differs by kind put in place: the defaults of ACR, secrets through `place`. `type` must be known to fit the fields. */
export function placeStep(type: TaskStepDefinition['type'], step: StepInput, place: PlaceSecret): TaskStepDefinition {
  const { contextPath, contextAccessToken: token } = step;
  const source = {
    ...(contextPath === undefined || contextPath === '' || contextPath === '/dev/null' ? {} : { contextPath }),
    ...(token === undefined ? {} : { contextAccessToken: place(SECRET_FIELDS.contextAccessToken, token) }),
  };
  const values = (given: readonly ArgumentInput[] | undefined): readonly TaskArgument[] =>
    (given ?? []).map((one) => placeArgument(one, place));
  switch (type) {
    case 'Docker':
      return {
        type,
        ...source,
        dockerFilePath: step.dockerFilePath ?? 'Dockerfile',
        imageNames: step.imageNames ?? [],
        isPushEnabled: step.isPushEnabled ?? true,
        noCache: step.noCache ?? false,
        ...(step.target === undefined ? {} : { target: step.target }),
        arguments: values(step.arguments),
      };
    case 'FileTask':
      return {
        type,
        ...source,
        taskFilePath: step.taskFilePath ?? 'acb.yaml',
        ...(step.valuesFilePath === undefined ? {} : { valuesFilePath: step.valuesFilePath }),
        values: values(step.values),
      };
    case 'EncodedTask':
      return {
        type,
        ...source,
        encodedTaskContent: normalBase64(step.encodedTaskContent ?? ''),
        ...(step.encodedValuesContent === undefined ? {} : { encodedValuesContent: normalBase64(step.encodedValuesContent) }),
        values: values(step.values),
      };
  }
}

/** One spelling of each content, so that the same one is seen to be the same. */
function normalBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('base64');
}

export function placeArgument(argument: ArgumentInput, place: PlaceSecret): TaskArgument {
  const { name, value } = argument;
  if (argument.isSecret !== true) return { name, value: argument.value, isSecret: false };
  return { name, value: place(SECRET_FIELDS.argument(name), typeof value === 'string' ? { plain: value } : value), isSecret: true };
}

export function placeCredential({ loginServer, userName, password }: CredentialInput, place: PlaceSecret): TaskCredential {
  return {
    loginServer,
    userName: typeof userName === 'string' ? userName : place(SECRET_FIELDS.userName(loginServer), userName),
    password: place(SECRET_FIELDS.password(loginServer), password),
  };
}

/** A task; or a run, which has no triggers. */
type WithSecrets = Pick<TaskDefinition, 'step' | 'credentials' | 'trigger'>;

/** Every place of a task or run where a value is secret, by its name in SECRET_FIELDS. */
export function secretPlaces({ step, credentials, trigger }: WithSecrets): ReadonlyMap<string, SecretRef> {
  const places = new Map<string, SecretRef>();
  if (step.contextAccessToken !== undefined) places.set(SECRET_FIELDS.contextAccessToken, step.contextAccessToken);
  for (const { name, value } of argumentsOf(step)) if (typeof value !== 'string') places.set(SECRET_FIELDS.argument(name), value);
  for (const { loginServer, userName, password } of credentials) {
    if (typeof userName !== 'string') places.set(SECRET_FIELDS.userName(loginServer), userName);
    places.set(SECRET_FIELDS.password(loginServer), password);
  }
  for (const [place, ref] of trigger === undefined ? [] : triggerSecrets(trigger)) places.set(place, ref);
  return places;
}

export function argumentsOf(step: TaskStepDefinition): readonly TaskArgument[] {
  return step.type === 'Docker' ? step.arguments : step.values;
}

/** Names of the daemon's secrets that a task's definition refers to. */
export function namedSecretsOf(definition: WithSecrets): readonly string[] {
  return [...secretPlaces(definition).values()].flatMap((ref) => ('secret' in ref ? [ref.secret] : []));
}

/** A definition or step for answers: sealed values become `{ stored: true }`, as an input may hold it again. */
export type Shown<Part> = Part extends string | number | boolean | undefined
  ? Part
  : Part extends SecretRef
    ? { readonly secret: string } | StoredValue
    : { readonly [Key in keyof Part]: Shown<Part[Key]> };

/** Without sealed values, which nobody needs to see: fit to be answered, and to be sent back as an input. */
export function shownWithout<Part extends TaskDefinition | TaskStepDefinition | readonly TaskCredential[]>(part: Part): Shown<Part> {
  // The structure is plain JSON and stays as it is but for the sealed references.
  return hideSealed(part) as Shown<Part>;
}

/** A task as its author could have written it: sealed values stay, and a task without triggers keeps none. */
export function inputOf(definition: TaskDefinition): Shown<TaskDefinition> {
  return shownWithout({ ...definition, trigger: triggersOf(definition) });
}

function hideSealed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(hideSealed);
  if (typeof part !== 'object' || part === null) return part;
  const entries = Object.entries(part);
  if (entries.length === 1 && entries[0]?.[0] === 'sealed') return { stored: true };
  // Names and values of tags are anything.
  return Object.fromEntries(entries.map(([name, value]) => [name, name === 'tags' ? value : hideSealed(value)]));
}
