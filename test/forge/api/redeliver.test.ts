import { expect, it } from 'vitest';
import { createForges } from '../../../src/forge/api/forges.ts';
import { createHttpClient } from '../../../src/util/http.ts';
import { type FakeDelivery, forgeState, githubApi } from '../../fakes/forge-apis.ts';
import { startForge } from '../../fakes/forges.ts';
import { API_KINDS, forgeRig } from './forge-rig.ts';

const delivery = (id: string, guid: string, minute: number, status_code: number, event = 'push'): FakeDelivery => ({
  id,
  guid,
  delivered_at: `2026-03-01T12:${String(minute).padStart(2, '0')}:00Z`,
  status_code,
  event,
});

it('asks GitHub for what never arrived, oldest first, by ids beyond the exact numbers', async () => {
  const deliveries = [
    delivery('90071992547409935', 'lost-late', 50, 0),
    delivery('90071992547409934', 'came-at-last', 45, 200),
    delivery('90071992547409933', 'lost-twice', 40, 502),
    delivery('90071992547409932', 'came-at-last', 35, 503),
    delivery('90071992547409931', 'lost-twice', 30, 502),
    delivery('12', 'ping', 25, 500, 'ping'),
    delivery('11', 'too-old', 5, 500),
  ];
  const redelivered: string[] = [];
  await using fake = await startForge(githubApi(forgeState('t', []), deliveries, redelivered));
  const forge = createForges({ http: createHttpClient({ addresses: { allowPrivate: true, allowLoopback: true } }) })('Github');
  const count = await forge?.redeliver(
    { repositoryUrl: `${fake.url}/acme/shop.git`, id: '7', since: '2026-03-01T12:20:00.000Z' },
    { token: 't', signal: AbortSignal.timeout(10_000) },
  );
  expect(count).toBe(2);
  expect(redelivered).toEqual(['90071992547409933', '90071992547409935']);
});

it('stops asking for an event that no attempt brings through', async () => {
  const deliveries = [5, 4, 3, 2, 1].map((number) => delivery(String(number), 'refused', 40 + number, 500));
  const redelivered: string[] = [];
  await using fake = await startForge(githubApi(forgeState('t', []), deliveries, redelivered));
  const forge = createForges({ http: createHttpClient({ addresses: { allowPrivate: true, allowLoopback: true } }) })('Github');
  const hook = { repositoryUrl: `${fake.url}/acme/shop.git`, id: '7', since: '2026-03-01T12:00:00.000Z' };
  expect(await forge?.redeliver(hook, { token: 't', signal: AbortSignal.timeout(10_000) })).toBe(0);
  expect(redelivered).toEqual([]);
});

it.each(API_KINDS.filter((kind) => kind !== 'Github'))('%s has no such thing', async (kind) => {
  await using rig = await forgeRig(kind);
  expect(await rig.forge.redeliver({ repositoryUrl: rig.repositoryUrl, id: '1', since: '2026-03-01T12:00:00Z' }, rig.access)).toBe(0);
  expect(rig.fake.asked).toEqual([]);
});
