import { describe, expect, it } from 'vitest';
import { parseCredential } from '../../src/task/credential.ts';

const opaque = { registry: 'r.io', username: 'u', userNameProviderType: 'opaque', password: 'p', passwordProviderType: 'opaque' };

describe('parseCredential', () => {
  it('reads names of fields and types in any case', () => {
    const text =
      '{"REGISTRY":"r.io","UserName":"u","usernameprovidertype":"OPAQUE","password":"p","passwordProviderType":"Opaque","other":1}';
    expect(parseCredential(text)).toEqual({ ok: true, value: { kind: 'opaque', registry: 'r.io', username: 'u', password: 'p' } });
  });

  it('tells the parts of a vault credential apart', () => {
    const credential = { ...opaque, passwordProviderType: 'vaultSecret', password: 'https://v/secrets/p', identity: 'i' };
    expect(parseCredential(JSON.stringify(credential))).toEqual({
      ok: true,
      value: {
        kind: 'vault',
        registry: 'r.io',
        identity: 'i',
        username: { from: 'literal', value: 'u' },
        password: { from: 'vault', value: 'https://v/secrets/p' },
      },
    });
  });

  it.each([
    ['a vault type beside an empty one', { ...opaque, userNameProviderType: 'vaultsecret', passwordProviderType: '', identity: 'i' }],
    ['one type only', { ...opaque, passwordProviderType: undefined }],
    ['an unknown type', { ...opaque, passwordProviderType: 'plain' }],
    ['a field that is no text', { ...opaque, password: 5 }],
    ['an empty registry', { ...opaque, registry: '' }],
  ])('refuses %s', (_what, credential) => {
    expect(parseCredential(JSON.stringify(credential))).toMatchObject({ ok: false });
  });

  it.each(['{"registry":"r","password":"hunter2', '["hunter2"]', '{"registry":"r","password":"hunter2","passwordProviderType":"hunter2"}'])(
    'never shows a value in an error: %s',
    (text) => {
      expect(JSON.stringify(parseCredential(text))).not.toContain('hunter2');
    },
  );
});
