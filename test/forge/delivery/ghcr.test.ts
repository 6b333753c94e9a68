import { describe, expect, it } from 'vitest';
import { DIGEST, read } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('GitHub Container Registry', () => {
  const image = { registry: 'ghcr.io', repository: 'quayside/harbour', tag: '1.4' };

  it('reads packages under both names of the event', async () => {
    expect(await read('ghcr', { body: fixture('ghcr/package'), event: 'package' })).toEqual({
      kind: 'happenings',
      deliveryId: '6f2b8c1e-72d3-11f0-8c0e-0f1e2d3c4b5a',
      happenings: [{ kind: 'image', image, digest: expect.stringMatching(DIGEST) }],
    });
    const { package: item, ...rest } = JSON.parse(fixture('ghcr/package')) as { package: object };
    const body = JSON.stringify({ ...rest, registry_package: item });
    expect(await read('ghcr', { body, event: 'registry_package' })).toMatchObject({ happenings: [{ image }] });
  });

  it('finds the name without a URL, and ignores what has no tag', async () => {
    const named = {
      name: 'Tools/App',
      owner: { login: 'Quayside' },
      package_version: { container_metadata: { tag: { name: '2', digest: '' } } },
    };
    expect(await read('ghcr', { body: JSON.stringify({ action: 'published', package: named }), event: 'package' })).toMatchObject({
      happenings: [{ image: { repository: 'quayside/tools/app', tag: '2' } }],
    });
    const untagged = fixture('ghcr/package').replaceAll('"name": "1.4"', '"name": ""');
    expect(await read('ghcr', { body: untagged, event: 'package' })).toMatchObject({ kind: 'ignored' });
    const deleted = fixture('ghcr/package').replace('"published"', '"deleted"');
    expect(await read('ghcr', { body: deleted, event: 'package' })).toMatchObject({ kind: 'ignored' });
    expect(await read('ghcr', { body: fixture('ghcr/package'), event: 'push' })).toMatchObject({ kind: 'ignored' });
    expect(await read('ghcr', { body: fixture('github/ping'), event: 'ping' })).toEqual({ kind: 'ping' });
    const npm = JSON.stringify({ action: 'published', package: { name: 'x', package_version: {} } });
    expect(await read('ghcr', { body: npm, event: 'package' })).toMatchObject({ kind: 'ignored' });
  });
});
