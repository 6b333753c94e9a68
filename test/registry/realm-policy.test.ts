import { describe, expect, it } from 'vitest';
import { realmRefusal } from '../../src/registry/realm-policy.ts';

const refusal = (realm: string, host: string, base = `https://${host}`, trusted: string[] = []) =>
  realmRefusal(new URL(realm), { host, base }, trusted);

describe('realmRefusal', () => {
  it.each([
    ['https://auth.docker.io/token', 'docker.io', 'https://registry-1.docker.io'],
    ['https://ghcr.io/token', 'ghcr.io', 'https://ghcr.io'],
    ['https://my.azurecr.io/oauth2/token', 'my.azurecr.io', 'https://my.azurecr.io'],
    ['https://gitlab.com/jwt/auth', 'registry.gitlab.com', 'https://registry.gitlab.com'],
    ['https://git.example.co.uk/jwt/auth', 'registry.example.co.uk', 'https://registry.example.co.uk'],
    ['https://sso.redhat.com/auth', 'registry.redhat.io', 'https://registry.redhat.io'],
    ['https://quay.io:444/token', 'quay.io', 'https://quay.io'],
    ['http://127.0.0.1:5001/token', '127.0.0.1:5000', 'http://127.0.0.1:5000'],
    ['http://reg.lan/token', 'reg.lan', 'http://reg.lan'],
  ])('allows %s for %s', (realm, host, base) => {
    expect(refusal(realm, host, base)).toBeUndefined();
  });

  it.each([
    ['https://evil.example/token', 'registry.gitlab.com'],
    ['https://evil.azurecr.io/token', 'my.azurecr.io'],
    ['https://evil.co.uk/token', 'registry.co.uk'],
    ['https://gitlab.com.evil.example/', 'registry.gitlab.com'],
    ['https://notgitlab.com/', 'registry.gitlab.com'],
    ['http://ghcr.io/token', 'ghcr.io'],
    ['https://u:p@ghcr.io/token', 'ghcr.io'],
    ['https://10.0.0.2/token', '10.0.0.1'],
    ['https://io/token', 'ghcr.io'],
    ['https://auth.docker.io/token', 'ghcr.io'],
    ['http://127.0.0.1/token', 'ghcr.io'],
    ['file:///etc/passwd', 'ghcr.io'],
  ])('refuses %s for %s', (realm, host) => {
    expect(refusal(realm, host)).toBeDefined();
  });

  it('allows what the user trusts', () => {
    expect(refusal('https://tokens.example/x', 'ghcr.io', 'https://ghcr.io', ['tokens.example'])).toBeUndefined();
    expect(refusal('http://tokens.example/x', 'ghcr.io', 'https://ghcr.io', ['tokens.example'])).toBeDefined();
  });
});
