import { describe, expect, it } from 'vitest';
import { parseVaultUrl } from '../../src/service/vault-url.ts';

describe('parseVaultUrl', () => {
  it.each([
    [
      'https://test.vault.azure.cn/secrets/mysecret/',
      { vault: 'https://test.vault.azure.cn', name: 'mysecret', version: '', audience: 'https://vault.azure.cn' },
    ],
    [
      'HTTPS://My.Vault.Azure.Net/Secrets/Name/V1',
      { vault: 'https://my.vault.azure.net', name: 'name', version: 'v1', audience: 'https://vault.azure.net' },
    ],
    ['https://my.vault.azure.net/secrets/name', { url: 'https://my.vault.azure.net/secrets/name', version: '' }],
  ])('reads %s', (text, value) => {
    expect(parseVaultUrl(text)).toMatchObject({ ok: true, value });
  });

  it.each([
    'https://tee',
    'https://tee/',
    'https://tee/secrets/name',
    'tcp://my.vault.azure.net/secrets/name',
    'http://my.vault.azure.net/secrets/name',
    'https://my.vault.azure.net/secrets',
    'https://my.vault.azure.net/secrets/',
    'https://my.vault.azure.net/secrets//',
    'https://my.vault.azure.net/secrets/name//',
    'https://my.vault.azure.net//secrets/name',
    'https://my.vault.azure.net/secrets//name',
    'https://my.vault.azure.net/secrets/name/version/more/again',
    'https://my.vault.azure.net/secrets/name/version/more',
    'https://my.vault.azure.net/keys/name',
    'https://my./secrets/name',
    'https://u:p@my.vault.azure.net/secrets/name',
    'https://my.vault.azure.net/secrets/name?x',
    'my.vault.azure.net/secrets/name',
    'https://',
    '',
  ])('refuses %s', (text) => {
    expect(parseVaultUrl(text).ok).toBe(false);
  });
});
