import { describe, expect, it } from 'vitest';
import { DIGEST, read } from '../recorded.ts';
import { fixture } from '../sign.ts';

describe('Azure Container Registry', () => {
  it('reads its single event, and its ping', async () => {
    const { id } = JSON.parse(fixture('acr/push')) as { id: string };
    expect(await read('acr', { body: fixture('acr/push') })).toEqual({
      kind: 'happenings',
      deliveryId: id,
      happenings: [
        {
          kind: 'image',
          image: { registry: 'quayside.azurecr.io', repository: 'hello-world', tag: 'v1' },
          digest: expect.stringMatching(DIGEST),
        },
      ],
    });
    expect(await read('acr', { body: fixture('acr/ping') })).toEqual({ kind: 'ping' });
    expect(await read('acr', { body: fixture('acr/chart-push') })).toMatchObject({ kind: 'ignored' });
  });
});
