import { createHash } from 'node:crypto';
import { EngineError } from '../../model/engine-error.ts';
import type { ResolvedSecrets } from '../../model/ports/agent-channel.ts';
import { SEALED_WITH_RUN, SECRET_FIELDS, type SecretBox, taskSecretBinding } from '../../model/ports/secret-box.ts';
import type { RunRecord, RunRequest } from '../../model/run-record.ts';
import type { SecretRef } from '../../model/task-definition.ts';
import type { SecretService } from '../security/secret-service.ts';
import { argumentsOf, secretPlaces } from '../tasks/secret-places.ts';

/** Values that came with a request, by the name of their place (SECRET_FIELDS). */
export type RequestSecrets = Readonly<Record<string, string>>;

/**
 * Seals the values that came with a request: one blob a run, bound to a digest of the whole request (the id of a run is known only once it is
 * stored). A blob moved to another run does not open, and neither does it when the steps, the trust or anything else of the request is
 * changed in the database. Undefined when there are none. Throws EngineError `invalid-request` when a place has no value.
 */
export function sealRequestSecrets(box: SecretBox, request: RunRequest, secrets: RequestSecrets): Uint8Array | undefined {
  const fields = [...secretPlaces(request)].filter(([, ref]) => isWithRun(ref)).map(([field]) => field);
  const values = fields.map((field): [string, string] => {
    const value = Object.hasOwn(secrets, field) ? secrets[field] : undefined;
    if (value === undefined) throw new EngineError('invalid-request', `the request has no value for its secret ${JSON.stringify(field)}`);
    return [field, value];
  });
  return values.length === 0 ? undefined : box.seal(JSON.stringify(Object.fromEntries(values)), bindingOf(request));
}

export function openRequestSecrets(box: SecretBox, request: RunRequest, sealed: Uint8Array | undefined): RequestSecrets {
  return sealed === undefined ? {} : JSON.parse(box.open(sealed, bindingOf(request)).toString('utf8'));
}

/** All values that a run's request refers to, wherever they are. The caller has made sure that the run is trusted. */
export async function resolveRequestSecrets(
  { box, secrets }: { readonly box: SecretBox; readonly secrets: Pick<SecretService, 'resolveNamed'> },
  { id, request }: Pick<RunRecord, 'id' | 'request'>,
  sealed: Uint8Array | undefined,
): Promise<ResolvedSecrets> {
  const places = secretPlaces(request);
  const names = [...places.values()].flatMap((ref) => ('secret' in ref ? [ref.secret] : []));
  const named = await secrets.resolveNamed(names, { task: request.task, trust: request.trust, run: id });
  const own = openRequestSecrets(box, request, sealed);
  const secretAt = (field: string): string => {
    const ref = places.get(field) as SecretRef;
    if ('secret' in ref) return named[ref.secret] ?? '';
    if (isWithRun(ref)) return own[field] ?? '';
    return box.open(Buffer.from(ref.sealed, 'base64'), taskSecretBinding(request.task ?? '', field)).toString('utf8');
  };
  const secretArguments = argumentsOf(request.step).filter(({ isSecret }) => isSecret);
  return {
    values: Object.fromEntries(secretArguments.map(({ name }) => [name, secretAt(SECRET_FIELDS.argument(name))])),
    ...(request.step.contextAccessToken === undefined ? {} : { contextToken: secretAt(SECRET_FIELDS.contextAccessToken) }),
    credentials: request.credentials.map(({ loginServer, userName }) => ({
      loginServer,
      userName: typeof userName === 'string' ? userName : secretAt(SECRET_FIELDS.userName(loginServer)),
      password: secretAt(SECRET_FIELDS.password(loginServer)),
    })),
    named: {},
  };
}

/**
 * The token that fetches the context of an untrusted run, for its agent alone: there is one only where a trigger chose the context, in the
 * repository that the task has the token for.
 */
export async function fetchTokenOf(
  { box, secrets }: { readonly box: SecretBox; readonly secrets: Pick<SecretService, 'resolveNamed'> },
  { id, request }: Pick<RunRecord, 'id' | 'request'>,
): Promise<string | undefined> {
  const { contextAccessToken: ref } = request.step;
  if (ref === undefined || request.pinnedCommit === undefined || isWithRun(ref)) return undefined;
  if ('sealed' in ref) {
    const binding = taskSecretBinding(request.task ?? '', SECRET_FIELDS.contextAccessToken);
    return box.open(Buffer.from(ref.sealed, 'base64'), binding).toString('utf8');
  }
  // It is the task that uses its secret here, not what a stranger wrote.
  return (await secrets.resolveNamed([ref.secret], { task: request.task, trust: 'trusted', run: id }))[ref.secret];
}

function isWithRun(ref: SecretRef): boolean {
  return 'sealed' in ref && 'sealed' in SEALED_WITH_RUN && ref.sealed === SEALED_WITH_RUN.sealed;
}

function bindingOf(request: RunRequest): string {
  return `run:${createHash('sha256').update(canonical(request)).digest('hex')}`;
}

/** JSON with the keys of every object in order, so that a store may keep the request in any order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
