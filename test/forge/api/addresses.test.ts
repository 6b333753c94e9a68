import { describe, expect, it } from 'vitest';
import { createForges } from '../../../src/forge/api/forges.ts';
import type { SourceControlType } from '../../../src/model/trigger-definition.ts';
import { createHttpClient } from '../../../src/util/http.ts';
import { reroute, startForge } from '../../fakes/forges.ts';
import { COMMIT, forgeRig, refusal, TOKEN } from './forge-rig.ts';

const CASES: readonly (readonly [SourceControlType, string, string])[] = [
  ['Github', 'https://github.com/acme/shop.git', 'https://api.github.com/repos/acme/shop'],
  ['Github', 'github.com/acme/shop', 'https://api.github.com/repos/acme/shop'],
  ['Github', 'git@github.com:acme/shop.git', 'https://api.github.com/repos/acme/shop'],
  ['Github', 'ssh://git@ssh.github.com:443/acme/shop.git', 'https://api.github.com/repos/acme/shop'],
  ['Github', 'https://user:password@github.com/acme/sh%20op/', 'https://api.github.com/repos/acme/sh op'],
  ['Github', 'https://corp.ghe.com/acme/shop', 'https://api.corp.ghe.com/repos/acme/shop'],
  ['Github', 'https://github.example.com/acme/shop.git', 'https://github.example.com/api/v3/repos/acme/shop'],
  ['Github', 'https://github.example.com:8443/acme/shop.git', 'https://github.example.com:8443/api/v3/repos/acme/shop'],
  ['Github', 'ssh://git@github.example.com:2222/acme/shop.git', 'https://github.example.com/api/v3/repos/acme/shop'],
  ['GitLab', 'https://gitlab.com/group/sub/shop.git', 'https://gitlab.com/api/v4/projects/group%2Fsub%2Fshop'],
  ['GitLab', 'git@gitlab.example.com:group/shop.git', 'https://gitlab.example.com/api/v4/projects/group%2Fshop'],
  ['GitLab', 'ssh://git@altssh.gitlab.com:443/group/shop.git', 'https://gitlab.com/api/v4/projects/group%2Fshop'],
  ['Gitea', 'https://codeberg.org/acme/shop.git', 'https://codeberg.org/api/v1/repos/acme/shop'],
  ['Gitea', 'http://example.com:3000/git/acme/shop', 'http://example.com:3000/git/api/v1/repos/acme/shop'],
  ['Bitbucket', 'https://bitbucket.org/acme/shop', 'https://api.bitbucket.org/2.0/repositories/acme/shop'],
  ['Bitbucket', 'git@bitbucket.org:acme/shop.git', 'https://api.bitbucket.org/2.0/repositories/acme/shop'],
  [
    'VisualStudioTeamService',
    'https://dev.azure.com/acme/Big%20Shop/_git/shop',
    'https://dev.azure.com/acme/Big Shop/_apis/git/repositories/shop',
  ],
  ['VisualStudioTeamService', 'https://acme@dev.azure.com/acme/_git/shop', 'https://dev.azure.com/acme/shop/_apis/git/repositories/shop'],
  [
    'VisualStudioTeamService',
    'https://acme.visualstudio.com/Big/_git/shop',
    'https://acme.visualstudio.com/Big/_apis/git/repositories/shop',
  ],
  [
    'VisualStudioTeamService',
    'https://acme.visualstudio.com/DefaultCollection/Big/_git/shop',
    'https://acme.visualstudio.com/Big/_apis/git/repositories/shop',
  ],
  ['VisualStudioTeamService', 'https://acme.visualstudio.com/_git/shop', 'https://acme.visualstudio.com/shop/_apis/git/repositories/shop'],
  [
    'VisualStudioTeamService',
    'https://dev.azure.com/acme/Big/_git/_full/shop',
    'https://dev.azure.com/acme/Big/_apis/git/repositories/shop',
  ],
  ['VisualStudioTeamService', 'git@ssh.dev.azure.com:v3/acme/Big/shop', 'https://dev.azure.com/acme/Big/_apis/git/repositories/shop'],
  [
    'VisualStudioTeamService',
    'acme@vs-ssh.visualstudio.com:v3/acme/Big/shop',
    'https://acme.visualstudio.com/Big/_apis/git/repositories/shop',
  ],
  [
    'VisualStudioTeamService',
    'https://tfs.example.com/tfs/Main/Big/_git/shop',
    'https://tfs.example.com/tfs/Main/Big/_apis/git/repositories/shop',
  ],
];

it.each(CASES)('%s asks for %s at %s', async (kind, repositoryUrl, api) => {
  await using fake = await startForge(() => ({ status: 201, body: {} }));
  const client = createHttpClient({ addresses: { allowPrivate: true, allowLoopback: true } });
  await using rig = await forgeRig('Github');
  await createForges({ http: reroute(client, fake) })(kind)?.setStatus(rig.status({ repositoryUrl }), rig.access);
  client.close();
  const [asked] = fake.asked;
  expect(`${asked?.base}${asked?.path}`.startsWith(`${api}/`)).toBe(true);
  expect(asked?.path).toContain(COMMIT);
  expect(JSON.stringify(asked?.headers)).not.toContain(Buffer.from('user:password').toString('base64'));
});

describe('a repository that no API can be asked for', () => {
  it.each([
    ['Github', 'file:///srv/git/shop.git'],
    ['Gitea', '/srv/git/shop.git'],
    ['Github', 'https://github.com/acme'],
    ['Github', 'https://user:hunter2@github.com/acme/shop/more'],
    ['Bitbucket', 'https://bitbucket.example.com/scm/acme/shop.git'],
    ['VisualStudioTeamService', 'https://dev.azure.com/acme/Big/shop'],
    ['VisualStudioTeamService', 'git@ssh.dev.azure.com:v2/acme/Big/shop'],
  ] as const)('%s: %s', async (kind, repositoryUrl) => {
    await using rig = await forgeRig(kind);
    const error = await refusal(rig.forge.setStatus(rig.status({ repositoryUrl }), rig.access));
    expect([error.code, error.transient]).toEqual(['forge-failed', false]);
    expect(error.message + error.help).not.toMatch(/hunter2/);
    expect(rig.fake.asked).toEqual([]);
  });

  it('has no forge when the kind is Generic', () => {
    expect(
      createForges({ http: createHttpClient({ addresses: { allowPrivate: false, allowLoopback: false } }) })('Generic'),
    ).toBeUndefined();
  });
});

it('keeps to the address policy', async () => {
  await using rig = await forgeRig('Gitea');
  const forge = createForges({ http: createHttpClient({ addresses: { allowPrivate: false, allowLoopback: false } }) })('Gitea');
  const error = await refusal(forge?.setStatus(rig.status(), rig.access) ?? Promise.resolve());
  expect(error.code).toBe('policy-refused');
  expect(rig.fake.asked).toEqual([]);
  expect(error.message).not.toContain(TOKEN);
});
