import { describe, expect, it } from 'vitest';
import { startForge } from '../../fakes/forges.ts';
import { API_KINDS, type ForgeRig, forgeRig, refusal, TOKEN } from './forge-rig.ts';

const told = (rig: ForgeRig): Promise<void> => rig.forge.setStatus(rig.status(), rig.access);

describe.each(API_KINDS)('%s', (kind) => {
  it.each([
    [401, 'forge-denied', false],
    [403, 'forge-denied', false],
    [404, 'forge-denied', false],
    [400, 'forge-failed', false],
    [422, 'forge-failed', false],
    [429, 'forge-failed', true],
    [500, 'forge-failed', true],
    [503, 'forge-failed', true],
  ])('status %i is %s, transient: %s', async (status, code, transient) => {
    await using rig = await forgeRig(kind);
    rig.fake.failAll({ status, body: { message: `no: ${TOKEN} and secret-of-the-hook`, error: { message: 'no' } } });
    for (const error of [await refusal(told(rig)), await refusal(rig.forge.createHook(rig.hook(), rig.access))]) {
      expect([error.code, error.transient]).toEqual([code, transient]);
      expect(error.message).toContain(String(status));
      expect(error.message).not.toMatch(new RegExp(TOKEN));
      if (code === 'forge-denied') expect(error.help).toMatch(/token .* needs/i);
    }
  });

  it('says that it was asked once, and how long to wait', async () => {
    await using rig = await forgeRig(kind);
    rig.fake.fail({ status: 429, headers: { 'retry-after': '90' }, body: {} });
    const error = await refusal(told(rig));
    expect([error.transient, error.retryAfterMs]).toEqual([true, 90_000]);
    expect(rig.fake.asked).toHaveLength(1);
  });

  it('repeats what only reads', async () => {
    await using rig = await forgeRig(kind);
    rig.fake.fail('drop', { status: 502, body: '<html>Bad gateway</html>' });
    expect((await rig.forge.createHook(rig.hook(), rig.access)).created).toBe(true);
  });

  it('never repeats the secret of a hook', async () => {
    await using rig = await forgeRig(kind);
    const reads = kind === 'VisualStudioTeamService' ? 2 : 1;
    const empty =
      kind === 'Bitbucket' ? { values: [] } : kind === 'VisualStudioTeamService' ? { value: [], id: 'r', project: { id: 'p' } } : [];
    rig.fake.fail(...Array(reads).fill({ status: 200, body: empty }), { status: 400, body: { message: 'bad secret-of-the-hook' } });
    const error = await refusal(rig.forge.createHook(rig.hook(), rig.access));
    expect(error.message).toContain('bad ***');
  });

  it('can be cancelled while the forge hangs', async () => {
    await using rig = await forgeRig(kind);
    rig.fake.failAll('hang');
    const stop = new AbortController();
    const hanging = refusal(rig.forge.setStatus(rig.status(), { token: TOKEN, signal: stop.signal }));
    await rig.fake.came(1);
    stop.abort();
    expect((await hanging).code).toBe('forge-failed');
  });

  it('a dropped connection passes', async () => {
    await using rig = await forgeRig(kind);
    rig.fake.fail('drop');
    const error = await refusal(told(rig));
    expect([error.code, error.transient]).toEqual(['forge-failed', true]);
  });

  it('takes no token and no body to another server', async () => {
    await using rig = await forgeRig(kind);
    await using other = await startForge(() => ({ status: 201, body: {} }));
    for (const status of [301, 302, 307, 308]) {
      rig.fake.fail({ status, headers: { location: `${other.url}/api` } });
      const error = await refusal(told(rig));
      expect([error.code, error.transient]).toEqual(['forge-failed', false]);
      expect(error.message).toContain(other.url);
    }
    expect(other.asked).toEqual([]);
  });

  it('goes along with a redirect within the server, with method and body', async () => {
    await using rig = await forgeRig(kind);
    const api = {
      Github: 'https://api.github.com',
      Bitbucket: 'https://api.bitbucket.org',
      VisualStudioTeamService: 'https://dev.azure.com',
    };
    const base = kind in api ? api[kind as keyof typeof api] : rig.fake.url;
    rig.fake.fail({ status: 307, headers: { location: `${base}/moved` } }, { status: 201, body: {} });
    await told(rig);
    const [first, second] = rig.fake.asked;
    expect(second?.path).toBe('/moved');
    expect([second?.method, second?.body]).toEqual([first?.method, first?.body]);
    expect(second?.headers.authorization).toBe(first?.headers.authorization);
  });

  it('ends a redirect to itself', async () => {
    await using rig = await forgeRig(kind);
    rig.fake.failAll({ status: 307, headers: { location: '?again' } });
    expect((await refusal(told(rig))).message).toContain('without end');
  });

  it('says that an answer is not what the API gives', async () => {
    await using rig = await forgeRig(kind);
    rig.fake.failAll({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>' });
    const error = await refusal(rig.forge.createHook(rig.hook(), rig.access));
    expect([error.code, error.transient]).toEqual(['forge-failed', false]);
  });

  it('reads no list without end', async () => {
    await using rig = await forgeRig(kind);
    const next = kind === 'Bitbucket' ? 'https://api.bitbucket.org/more' : '/more';
    const body = kind === 'Bitbucket' ? { values: [], next } : kind === 'VisualStudioTeamService' ? { value: [] } : [];
    rig.fake.failAll({ status: 200, body, headers: { link: `<${next}>; rel="next"` } });
    await refusal(rig.forge.createHook(rig.hook(), rig.access));
    expect(rig.fake.asked.length).toBeLessThan(30);
  });
});

it('GitHub: a limit that comes as 403 passes', async () => {
  await using rig = await forgeRig('Github');
  const reset = Math.ceil(Date.now() / 1000) + 600;
  rig.fake.fail({
    status: 403,
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) },
    body: { message: 'API rate limit exceeded' },
  });
  const primary = await refusal(told(rig));
  expect([primary.code, primary.transient]).toEqual(['forge-failed', true]);
  expect(primary.retryAfterMs).toBeGreaterThan(590_000);
  rig.fake.fail({ status: 403, headers: { 'retry-after': '60' }, body: { message: 'You have exceeded a secondary rate limit' } });
  expect((await refusal(told(rig))).retryAfterMs).toBe(60_000);
});

it('GitLab: a commit that is being worked on passes', async () => {
  await using rig = await forgeRig('GitLab');
  rig.fake.fail({ status: 409, body: { message: '409 Conflict' } });
  expect((await refusal(told(rig))).transient).toBe(true);
});

it.each([
  { status: 203, body: '<html>Sign in</html>' },
  { status: 302, headers: { location: 'https://spsprodcus1.vssps.visualstudio.com/_signin?realm=dev.azure.com' } },
])('Azure DevOps: the page to sign in at is a denial', async (fault) => {
  await using rig = await forgeRig('VisualStudioTeamService');
  rig.fake.failAll(fault);
  expect((await refusal(told(rig))).code).toBe('forge-denied');
});

it.each([
  ['Bitbucket', 'me@example.com:api-token', `Basic ${Buffer.from('me@example.com:api-token').toString('base64')}`],
  ['VisualStudioTeamService', 'eyJhbGci.eyJhdWQi.c2ln', 'Bearer eyJhbGci.eyJhdWQi.c2ln'],
] as const)('%s: another kind of token', async (kind, token, header) => {
  await using rig = await forgeRig(kind);
  rig.fake.fail({ status: 200, body: {} });
  await rig.forge.setStatus(rig.status(), { ...rig.access, token });
  expect(rig.fake.asked[0]?.headers.authorization).toBe(header);
});
