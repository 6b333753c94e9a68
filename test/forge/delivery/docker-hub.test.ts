import { describe, expect, it } from 'vitest';
import { read, reader } from '../recorded.ts';
import { fixture, sent } from '../sign.ts';

describe('Docker Hub', () => {
  it('reads the tag; there is no digest', async () => {
    expect(await read('dockerhub', { body: fixture('dockerhub/push') })).toEqual({
      kind: 'happenings',
      deliveryId: expect.stringMatching(/^sha256-/),
      happenings: [{ kind: 'image', image: { registry: 'docker.io', repository: 'quayside/base', tag: 'latest' } }],
    });
  });

  it('gives official images their full name', async () => {
    const delivery = sent('dockerhub', { body: '{"push_data":{"tag":"20"},"repository":{"repo_name":"node"}}' });
    for (const registry of ['docker.io', 'index.docker.io', 'registry-1.docker.io']) {
      expect(await reader.read({ ...delivery, source: { kind: 'registry', registryKind: 'dockerhub', registry } })).toMatchObject({
        happenings: [{ image: { registry: 'docker.io', repository: 'library/node', tag: '20' } }],
      });
    }
  });

  it('never calls back', async () => {
    const { fetch } = globalThis;
    const called: unknown[] = [];
    globalThis.fetch = (async (...args: unknown[]) => called.push(args)) as unknown as typeof fetch;
    try {
      expect(await read('dockerhub', { body: fixture('dockerhub/push') })).toMatchObject({ kind: 'happenings' });
    } finally {
      globalThis.fetch = fetch;
    }
    expect(called).toEqual([]);
  });
});
