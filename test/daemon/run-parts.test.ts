import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { createRunParts } from '../../src/daemon/run-parts.ts';
import { noContextParts } from '../support/context-parts.ts';
import { startRegistry } from '../support/registry-server.ts';

test.each(['trusted', 'untrusted'] as const)('registries of %s runs are asked at allowed addresses only', async (trust) => {
  await using server = await startRegistry();
  const { git, fetcher } = noContextParts();
  const ask = async (allowLoopback: boolean): Promise<unknown> => {
    const parts = createRunParts({
      ...{ git, contexts: fetcher, engine: { findImage: () => Promise.resolve(undefined) }, environment: { HOME: tmpdir() } },
      ...{ addresses: { allowPrivate: false, allowLoopback }, insecureRegistries: [], trustedRealms: [], untrustedLocalImages: [] },
    });
    const { registry } = await parts({
      logins: [],
      trust,
      baseImages: [],
      runImage: (tag) => tag,
      builtTags: () => new Set(),
      onWarning: () => undefined,
    });
    return registry.look(`${server.host}/nothing:1`, { platforms: [] });
  };
  await expect(ask(false)).rejects.toMatchObject({ code: 'policy-refused', help: expect.stringContaining('allowLoopbackAddresses') });
  expect(await ask(true)).toBeUndefined();
});
