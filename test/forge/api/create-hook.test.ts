import { describe, expect, it } from 'vitest';
import { AZURE_REPOSITORY } from '../../fakes/cloud-forge-apis.ts';
import type { Kept } from '../../fakes/forge-apis.ts';
import { API_KINDS, forgeRig } from './forge-rig.ts';

function settings(hooks: readonly Kept[]): string {
  return JSON.stringify(hooks.map(({ body }) => body));
}

describe.each(API_KINDS)('the webhook of %s', (kind) => {
  const each = kind === 'VisualStudioTeamService' ? 3 : 1;

  it('is made with its secret for pushes and pull requests', async () => {
    await using rig = await forgeRig(kind);
    const made = await rig.forge.createHook(rig.hook(), rig.access);
    expect(made.created).toBe(true);
    expect(made.id).not.toBe('');
    expect(rig.state.hooks).toHaveLength(each);
    expect(settings(rig.state.hooks)).toContain('secret-of-the-hook');
    expect(settings(rig.state.hooks)).toMatch(/"(?:push|push_events|repo:push|git\.push)"/);
    expect(settings(rig.state.hooks)).toMatch(/pull_request|merge_requests_events":true|pullrequest/);
  });

  it('is brought up to date when there is one with its URL, wherever in the list', async () => {
    await using rig = await forgeRig(kind);
    for (const name of ['a', 'b', 'c']) await rig.forge.createHook(rig.hook({ url: `https://other.example.com/${name}` }), rig.access);
    const first = await rig.forge.createHook(rig.hook(), rig.access);
    const count = rig.state.hooks.length;
    const again = await rig.forge.createHook(rig.hook({ secret: 'rotated-secret' }), rig.access);
    expect(again).toEqual({ id: first.id, created: false });
    expect(rig.state.hooks).toHaveLength(count);
    expect(settings(rig.state.hooks.slice(-each))).toContain('rotated-secret');
    expect(settings(rig.state.hooks.slice(0, -each))).not.toContain('rotated-secret');
  });
});

it('GitHub: another may make the hook between the look and the making', async () => {
  await using rig = await forgeRig('Github');
  const other = await rig.forge.createHook(rig.hook({ secret: 'theirs' }), rig.access);
  rig.fake.fail({ status: 200, body: [] });
  expect(await rig.forge.createHook(rig.hook(), rig.access)).toEqual({ id: other.id, created: false });
  expect(settings(rig.state.hooks)).not.toContain('theirs');
});

it('Azure DevOps: adds what is missing, and leaves the hooks of other repositories alone', async () => {
  await using rig = await forgeRig('VisualStudioTeamService');
  const push = await rig.forge.createHook(rig.hook({ events: ['push'] }), rig.access);
  const [first] = rig.state.hooks;
  if (first !== undefined)
    first.body['publisherInputs'] = { projectId: AZURE_REPOSITORY, repository: '00000000-0000-4000-8000-000000000000' };
  const all = await rig.forge.createHook(rig.hook(), rig.access);
  expect(all.created).toBe(true);
  expect(all.id.split(',')).not.toContain(push.id);
  expect(rig.state.hooks.map(({ body }) => body['eventType'])).toEqual([
    'git.push',
    'git.push',
    'git.pullrequest.created',
    'git.pullrequest.updated',
  ]);
});
