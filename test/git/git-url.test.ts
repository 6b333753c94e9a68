import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskCredentials, parseGitUrl } from '../../src/git/git-url.ts';
import { HOSTILE_URLS } from './hostile-corpus.ts';

const parse = (text: string, allowFile = false) => parseGitUrl(text, { allowFile });

describe('parseGitUrl', () => {
  it.each([
    ['https://github.com/o/r.git', 'https', 'github.com', 443, 'https://github.com/o/r.git'],
    ['HTTPS://GitHub.com/o/r', 'https', 'github.com', 443, 'https://github.com/o/r'],
    ['https://host:8443/r.git', 'https', 'host', 8443, 'https://host:8443/r.git'],
    ['http://host/r.git', 'http', 'host', 80, 'http://host/r.git'],
    ['github.com/o/r', 'https', 'github.com', 443, 'https://github.com/o/r'],
    ['https://dev.azure.com/o/p/_git/r', 'https', 'dev.azure.com', 443, 'https://dev.azure.com/o/p/_git/r'],
    ['ssh://git@host:2222/o/r.git', 'ssh', 'host', 2222, 'ssh://git@host:2222/o/r.git'],
    ['git@github.com:o/r.git', 'ssh', 'github.com', 22, 'git@github.com:o/r.git'],
    ['git@github.com:~ann/r.git', 'ssh', 'github.com', 22, 'git@github.com:~ann/r.git'],
    ['git://host/r.git', 'git', 'host', 9418, 'git://host/r.git'],
    ['https://[2001:db8::1]/r.git', 'https', '2001:db8::1', 443, 'https://[2001:db8::1]/r.git'],
    ['https://host/with%2Fescape/r.git', 'https', 'host', 443, 'https://host/with%2Fescape/r.git'],
  ])('reads %s', (text, scheme, host, port, remote) => {
    expect(parse(text)).toEqual({ ok: true, value: { scheme, host, port, remote } });
  });

  it('takes a lone user name as a token and keeps credentials out of the remote', () => {
    expect(parse('https://TOKEN@host/r.git')).toMatchObject({
      value: { remote: 'https://host/r.git', credentials: { username: 'dummy', password: 'TOKEN' } },
    });
    expect(parse('https://ann:p%40ss@host/r.git')).toMatchObject({
      value: { remote: 'https://host/r.git', credentials: { username: 'ann', password: 'p@ss' } },
    });
  });

  it.each(HOSTILE_URLS)('refuses %j', (text) => {
    expect(parse(text).ok).toBe(false);
  });

  it('never lets through what git, ssh or a terminal could misread', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('-', '--upload-pack=', 'ext::', 'ssh://', 'https://', '@', ':', '\n', '\0', ' ', '%0a', '$(id)'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const result = parse(pieces.join(''));
        if (!result.ok) return;
        expect(result.value.remote).toMatch(/^(?:https?|ssh|git):\/\/[^-]|^[A-Za-z0-9_[]/);
        expect(result.value.remote).not.toMatch(/[\p{Cc}\s]|::.*::|^-/u);
        expect(result.value.host).not.toMatch(/^-/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('maskCredentials', () => {
  it.each([
    ["fatal: unable to access 'https://dummy:ABC@github.com/o/r/'", "fatal: unable to access 'https://<REDACTED>@github.com/o/r/'"],
    ['https://TOKEN@h/x and http://u:p@h/y', 'https://<REDACTED>@h/x and http://<REDACTED>@h/y'],
    ['https://host/a@b', 'https://host/a@b'],
    ['git@github.com:o/r.git', 'git@github.com:o/r.git'],
  ])('%s', (text, masked) => {
    expect(maskCredentials(text)).toBe(masked);
  });
});
