import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalRepositoryUrl } from '../../src/util/repository-url.ts';

describe('canonicalRepositoryUrl', () => {
  it.each([
    [
      'github.com/octo/hello',
      [
        'https://github.com/octo/hello',
        'https://github.com/Octo/Hello.git',
        'HTTPS://GitHub.com:443/octo/hello.git/',
        'http://github.com/octo//hello/',
        'https://ann:token@github.com/octo/hello.git',
        'https://www.github.com/octo/hello',
        'https://github.com./octo/hello',
        'github.com/octo/hello',
        'git@github.com:octo/hello.git',
        'git@GITHUB.com:/octo/hello',
        'ssh://git@github.com/octo/hello.git',
        'ssh://git@github.com:22/octo/hello.git',
        'ssh://git@ssh.github.com:443/octo/hello.git',
        'git://github.com:9418/octo/hello',
      ],
    ],
    ['gitlab.com/group/sub/app', ['https://gitlab.com/Group/Sub/app.git', 'git@gitlab.com:group/sub/app.git']],
    ['bitbucket.org/team/app', ['https://ann@bitbucket.org/team/app.git', 'ssh://git@altssh.bitbucket.org:443/team/app']],
    [
      'dev.azure.com/fabrikam/my%20project/_git/app',
      [
        'https://dev.azure.com/fabrikam/My%20Project/_git/App',
        'https://fabrikam@dev.azure.com/fabrikam/my%20project/_git/app',
        'https://fabrikam.visualstudio.com/My%20Project/_git/App',
        'https://fabrikam.visualstudio.com/DefaultCollection/My%20Project/_git/App',
        'git@ssh.dev.azure.com:v3/fabrikam/My%20Project/App',
        'fabrikam@vs-ssh.visualstudio.com:v3/fabrikam/My%20Project/App',
      ],
    ],
    ['dev.azure.com/fabrikam/app/_git/app', ['https://dev.azure.com/fabrikam/_git/app', 'https://fabrikam.visualstudio.com/_git/app']],
    [
      'git.example.com/Team/App',
      ['https://git.example.com/Team/App.git', 'git@Git.Example.com:Team/App', 'https://git.example.com/%54eam/App'],
    ],
    ['git.example.com:8443/r', ['https://git.example.com:8443/r.git', 'https://git.example.com:8443/r/']],
    ['[2001:db8::1]/r', ['https://[2001:DB8::1]/r.git', 'git@[2001:db8::1]:r.git', 'ssh://git@[2001:db8::1]:22/r']],
    ['file:///srv/git/r.git', ['file:///srv/git/r.git', '/srv/git/r.git/', 'FILE:///srv//git/r.git']],
  ])('gives %s', (key, spellings) => {
    for (const spelling of spellings) expect(canonicalRepositoryUrl(spelling), spelling).toBe(key);
  });

  it.each([
    ['https://git.example.com/team/app', 'https://git.example.com/Team/App'],
    ['https://git.example.com/app', 'https://git.example.com:8443/app'],
    ['ssh://git@127.0.0.1:2201/srv/r', 'ssh://git@127.0.0.1:2202/srv/r'],
    ['https://git.example.com/a%2Fb', 'https://git.example.com/a/b'],
    ['/srv/r', '/srv/r.git'],
    ['https://github.com/octo/hello', 'https://github.com.evil.example/octo/hello'],
    ['https://github.com/octo/hello', 'https://github.com@evil.example/octo/hello'],
    ['https://dev.azure.com/a/p/_git/r', 'https://dev.azure.com/a/p/_git/r/s'],
  ])('tells %s from %s', (one, other) => {
    expect(canonicalRepositoryUrl(one)).not.toBe(canonicalRepositoryUrl(other));
  });

  it.each([
    '',
    'octo',
    'octo/hello',
    'https://',
    'https://github.com',
    'https://github.com/',
    'https://github.com/octo/hello#main',
    'https://github.com/octo/hello?x=1',
    'https://github.com/octo/he llo',
    'https://github.com/octo/hello\n',
    'https://github.com\\octo\\hello',
    '--upload-pack=x',
    'ext::sh -c id',
    'ext::sh',
    'ftp://host/r',
    'file://host/r',
    '/srv/../etc',
    '/',
    `https://github.com/${'x'.repeat(3000)}`,
  ])('knows no repository in %j', (text) => {
    expect(canonicalRepositoryUrl(text)).toBeUndefined();
  });

  it('never throws, and gives one key for a key written as https', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('https://', 'ssh://', 'github.com', 'dev.azure.com', '/', ':', '@', '.git', '%', '_git', 'v3'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const key = canonicalRepositoryUrl(pieces.join(''));
        if (key === undefined || key.startsWith('file:')) return;
        expect(key).not.toMatch(/[\s\p{Cc}?#]/u);
        expect(key).not.toContain('@');
        expect(key).toMatch(/^[^/]+\/.+/);
      }),
      { numRuns: 5000 },
    );
  });
});
