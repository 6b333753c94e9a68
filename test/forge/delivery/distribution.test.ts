import { describe, expect, it } from 'vitest';
import { DIGEST, read } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('CNCF Distribution', () => {
  it('tells the one tag of a push of several platforms, under the name of the hook', async () => {
    expect(await read('distribution', { body: fixture('distribution/multi-platform-push') })).toEqual({
      kind: 'happenings',
      deliveryId: expect.stringMatching(/^sha256-[0-9a-f]{64}$/),
      happenings: [
        {
          kind: 'image',
          image: { registry: 'registry.example.com', repository: 'team/base', tag: '1.4' },
          digest: expect.stringMatching(DIGEST),
        },
      ],
    });
  });

  it('ignores deletions', async () => {
    expect(await read('distribution', { body: fixture('distribution/delete') })).toMatchObject({ kind: 'ignored' });
    expect(await read('distribution', { body: '{"events":[]}' })).toMatchObject({ kind: 'ignored' });
  });

  it('tells each tag once, with its last digest', async () => {
    const event = (tag: string, digit: string) => ({
      action: 'push',
      target: {
        mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json',
        digest: `sha256:${digit.repeat(64)}`,
        repository: 'a',
        tag,
      },
    });
    const body = JSON.stringify({ events: [event('1', 'a'), event('2', 'b'), event('1', 'c')] });
    expect(await read('distribution', { body })).toMatchObject({
      happenings: [
        { image: { tag: '2' }, digest: `sha256:${'b'.repeat(64)}` },
        { image: { tag: '1' }, digest: `sha256:${'c'.repeat(64)}` },
      ],
    });
  });

  it('leaves out names that no image has, so that the envelope is not sent for ever', async () => {
    const target = { mediaType: 'application/vnd.oci.image.index.v1+json', repository: 'ok', tag: '1' };
    const odd = [
      { tag: 'a b' },
      { tag: '' },
      { tag: 5 },
      { tag: 'x@sha256:1' },
      { repository: '../etc' },
      { repository: 'UPPER' },
      { repository: null },
      { repository: 'a:b' },
      { repository: 'evil.example/x:1@' },
    ];
    const events = [...odd, {}].map((change) => ({ action: 'push', target: { ...target, ...change } }));
    expect(await read('distribution', { body: JSON.stringify({ events }) })).toMatchObject({
      happenings: [{ image: { registry: 'registry.example.com', repository: 'ok', tag: '1' } }],
    });
    const digest = await read('distribution', {
      body: JSON.stringify({ events: [{ action: 'push', target: { ...target, digest: 'sha256:zz' } }] }),
    });
    expect(digest).not.toHaveProperty('happenings.0.digest');
  });

  it('tells a thousand tags at most', async () => {
    const events = Array.from({ length: 1500 }, (_, index) => ({
      action: 'push',
      target: { mediaType: 'application/vnd.oci.image.index.v1+json', repository: 'a', tag: `t${index}` },
    }));
    expect(Object(await read('distribution', { body: JSON.stringify({ events }) })).happenings).toHaveLength(1000);
  });

  it('refuses what is no envelope', async () => {
    for (const body of ['{}', '{"events":{}}', '{"events":[1]}', '{"events":[{"target":[]}]}']) {
      expect(await read('distribution', { body })).toMatchObject({
        kind: 'refused',
        status: 400,
        because: expect.stringContaining('expected'),
      });
    }
  });
});
