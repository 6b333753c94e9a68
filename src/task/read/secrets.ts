import type { SourceRange } from '../../model/diagnostic.ts';
import type { SecretReference } from '../../model/task.ts';
import type { DecodedMapping, Located } from '../schema/decode.ts';
import type { Problems } from '../schema/problems.ts';
import type { SECRET_PROPERTIES } from '../schema/task-properties.ts';

type SecretMapping = DecodedMapping<typeof SECRET_PROPERTIES>;

/** The `secrets` of a task, checked. */
export function readSecrets(
  secrets: Located<readonly SecretMapping[]> | undefined,
  whole: SourceRange,
  problems: Problems,
): readonly SecretReference[] {
  const seen = new Map<string, SourceRange | undefined>();
  return (secrets?.value ?? []).map((secret) => {
    const { id, keyvault, clientID } = secret.fields;
    if (!secret.broken) checkSecret(secret, problems);
    checkUnique(secret, seen, problems);
    return { id: id?.value ?? '', keyvault: keyvault?.value ?? '', clientID: clientID?.value ?? '', range: secret.node.range ?? whole };
  });
}

function checkSecret({ fields: { id, keyvault, clientID }, node }: SecretMapping, problems: Problems): void {
  const name = id?.value ?? '';
  if (name === '') problems.error('secret-missing-id', 'This secret has no `id`.', { range: node.range, help: 'Add `id: NAME`.' });
  if (/\p{White_Space}/u.test(name)) {
    problems.error('secret-id-whitespace', `The id of the secret \`${name}\` contains white space.`, { range: id?.node.range });
  }
  if ((keyvault?.value ?? '') === '') {
    problems.error('secret-missing-keyvault', `The secret \`${name}\` does not say where its value comes from.`, {
      range: node.range,
      expected: 'the property `keyvault`',
      help: 'Add `keyvault: env://NAME`, `keyvault: file://PATH` or a vault URL.',
    });
  }
  if (clientID !== undefined && clientID.value !== '' && !isUuid(clientID.value)) {
    problems.error('secret-bad-client-id', `The \`clientID\` of the secret \`${name}\` is no UUID.`, {
      range: clientID.node.range,
      expected: 'a UUID such as `11111111-2222-3333-4444-555555555555`',
    });
  }
}

function checkUnique({ fields: { id } }: SecretMapping, seen: Map<string, SourceRange | undefined>, problems: Problems): void {
  if (id === undefined || id.value === '') return;
  const { range } = id.node;
  if (!seen.has(id.value)) {
    seen.set(id.value, range);
    return;
  }
  const first = seen.get(id.value);
  problems.error('secret-duplicate-id', `Two secrets have the id \`${id.value}\`.`, {
    range,
    related: first === undefined ? undefined : [{ message: 'The first one is here.', range: first }],
  });
}

const UUID = /^(?:urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Canonical, with the prefix `urn:uuid:`, in braces, or 32 hexadecimal digits. */
function isUuid(text: string): boolean {
  if (/^[0-9a-f]{32}$/i.test(text)) return true;
  const braced = /^\{([0-9a-f-]{36})\}$/i.exec(text);
  return UUID.test(braced?.[1] ?? text);
}
