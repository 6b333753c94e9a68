import { describe, expect, it } from 'vitest';
import { read, reader } from '../recorded.ts';
import { fixture, sent } from '../sign.ts';

describe('Quay', () => {
  it('reads the updated tags, in the present form and the old one', async () => {
    const image = { registry: 'quay.io', repository: 'quayside/base' };
    expect(await read('quay', { body: fixture('quay/push') })).toMatchObject({
      happenings: [{ image: { ...image, tag: 'latest' } }, { image: { ...image, tag: '1.4' } }],
    });
    expect(await read('quay', { body: fixture('quay/push-tags-with-images') })).toMatchObject({
      happenings: [{ image: { ...image, tag: 'latest' } }],
    });
    expect(await read('quay', { body: '{"repository":"a/b","updated_tags":[]}' })).toMatchObject({ kind: 'ignored' });
    expect(await read('quay', { body: '{"repository":"a/b","updated_tags":"x"}' })).toMatchObject({ status: 400 });
  });

  it('takes the second push of a tag, which has the same bytes, for another', async () => {
    const delivery = sent('quay', { body: fixture('quay/push') });
    const first = await reader.read(delivery);
    const second = await reader.read({ ...delivery, receivedAt: '2026-03-02T10:00:01.000Z' });
    expect(Object(first).deliveryId).not.toBe(Object(second).deliveryId);
  });
});
