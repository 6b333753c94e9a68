import { err, ok, type Result } from '../util/result.ts';

/** A `--credential` of ACR: how to log in to one registry. */
export type TaskCredential =
  | { readonly kind: 'opaque'; readonly registry: string; readonly username: string; readonly password: string }
  /** A value of a vault part is the URL of a secret; the other is literal. */
  | {
      readonly kind: 'vault';
      readonly registry: string;
      readonly identity: string;
      readonly username: CredentialPart;
      readonly password: CredentialPart;
    }
  | { readonly kind: 'identity'; readonly registry: string; readonly identity: string; readonly aadResourceId: string };

interface CredentialPart {
  readonly from: 'literal' | 'vault';
  readonly value: string;
}

const FIELDS = ['registry', 'username', 'userNameProviderType', 'password', 'passwordProviderType', 'identity', 'aadResourceId'] as const;
type Fields = Record<(typeof FIELDS)[number], string>;

/** Parses the JSON of a `--credential`; names of fields and types count in any case. The error never shows a value. */
export function parseCredential(json: string): Result<TaskCredential, string> {
  const fields = readFields(json);
  if (!fields.ok) return fields;
  const { registry, username, password, identity, aadResourceId } = fields.value;
  const types = [fields.value.userNameProviderType, fields.value.passwordProviderType].map((type) => type.toLowerCase());
  const empty = (name: string): Result<never, string> => err(`the credential's \`${name}\` is empty`);
  if (registry === '') return empty('registry');
  if (types.every((type) => type === 'opaque')) {
    if (username === '') return empty('username');
    return password === '' ? empty('password') : ok({ kind: 'opaque', registry, username, password });
  }
  if (types.includes('vaultsecret') && types.every((type) => type === 'vaultsecret' || type === 'opaque')) {
    if (username === '') return empty('username');
    if (password === '') return empty('password');
    if (identity === '') return empty('identity');
    return ok({ kind: 'vault', registry, identity, username: partOf(types[0], username), password: partOf(types[1], password) });
  }
  if (types.every((type) => type === '')) {
    if (identity === '') return empty('identity');
    return aadResourceId === '' ? empty('aadResourceId') : ok({ kind: 'identity', registry, identity, aadResourceId });
  }
  return err('the provider types of a credential are both `opaque`, `vaultsecret` with `opaque` or itself, or both left out');
}

function partOf(type: string | undefined, value: string): CredentialPart {
  return { from: type === 'vaultsecret' ? 'vault' : 'literal', value };
}

function readFields(json: string): Result<Fields, string> {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    return err('a credential is a JSON object, and this is no JSON');
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return err('a credential is a JSON object');
  const fields: Fields = {
    registry: '',
    username: '',
    userNameProviderType: '',
    password: '',
    passwordProviderType: '',
    identity: '',
    aadResourceId: '',
  };
  for (const [key, value] of Object.entries(document)) {
    const field = FIELDS.find((name) => name.toLowerCase() === key.toLowerCase());
    if (field === undefined || value === null) continue;
    if (typeof value !== 'string') return err(`the credential's \`${field}\` is no text`);
    fields[field] = value;
  }
  return ok(fields);
}
