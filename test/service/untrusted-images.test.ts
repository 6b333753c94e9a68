import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import type { ResolvedReference } from '../../src/model/ports/registry.ts';
import { UntrustedImages } from '../../src/service/untrusted-images.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const { signal } = new AbortController();

/** A registry that answers by reference; the engine has every image there is. */
function images(answers: Readonly<Record<string, EngineError>>, localImages: readonly string[] = []) {
  const asked: string[] = [];
  const untrusted = new UntrustedImages(
    {
      registry: {
        resolve: async (reference): Promise<ResolvedReference | undefined> => {
          asked.push(reference);
          const answer = answers[reference];
          if (answer instanceof EngineError) throw answer;
          return reference.startsWith('public.io/') ? { digest: DIGEST, platformDigest: DIGEST, mediaType: '' } : undefined;
        },
      },
      findImage: async (reference) => ({
        id: `id of ${reference}`,
        tags: [reference],
        repoDigests: [],
        os: 'linux',
        architecture: 'amd64',
      }),
      builtTags: () => new Set(['own.io/tool']),
    },
    { runImage: (tag) => `own-name-of/${tag}`, localImages },
  );
  const step = (reference: string) => untrusted.stepImage({ reference, platform: 'linux/amd64', signal, onNote: () => undefined });
  const base = (reference: string, unresolved = false) =>
    untrusted.resolve({ reference, platform: 'linux/amd64', role: 'runtime', unresolved, words: [] }, { signal });
  return { step, base, asked };
}

describe('an untrusted run', () => {
  it('takes by digest what a registry gives to it, once asked for all steps', async () => {
    const { step, base, asked } = images({});
    expect(await step('public.io/a:1')).toEqual({ reference: `public.io/a@${DIGEST}`, inEngine: false });
    expect(await base('public.io/a:1')).toMatchObject({
      pinned: `public.io/a@${DIGEST}`,
      image: { source: 'registry', indexDigest: DIGEST },
    });
    expect(asked).toEqual(['public.io/a:1']);
    expect(await step(`public.io/a@${DIGEST}`)).toEqual({ reference: `public.io/a@${DIGEST}`, inEngine: false });
  });

  it('takes what its builds made, however it is spelled', async () => {
    const { step, base, asked } = images({});
    expect(await step('own.io/tool:latest')).toEqual({ reference: 'own-name-of/own.io/tool:latest', inEngine: true });
    expect(await base('own.io/tool')).toMatchObject({ pinned: 'own-name-of/own.io/tool', image: { source: 'engine' } });
    expect(await base('scratch')).toMatchObject({ image: { source: 'scratch' } });
    expect(asked).toEqual([]);
  });

  it('takes of the machine what an admin allows, and nothing else', async () => {
    const { step } = images({}, ['busybox:*', 'local.io/tools/**']);
    for (const reference of ['busybox:local', 'busybox', 'local.io/tools/a/b:1'])
      expect(await step(reference)).toEqual({ reference, inEngine: true });
    for (const reference of ['busybox2:local', 'other/busybox:local', 'local.io/secret:1', 'local.io.evil/tools/a:1'])
      await expect(step(reference)).rejects.toMatchObject({
        code: 'policy-refused',
        message: expect.stringContaining('untrustedLocalImages'),
      });
  });

  it('says no to an image behind a login, and does not mistake an outage for that', async () => {
    const denied = new EngineError('registry-denied', 'no access');
    const down = new EngineError('registry-unreachable', 'nobody answers', { transient: true });
    const { step, base } = images({ 'private.io/a:1': denied, 'down.io/a:1': down });
    await expect(step('private.io/a:1')).rejects.toMatchObject({ code: 'policy-refused', message: expect.stringContaining('no access') });
    await expect(base('down.io/a:1')).rejects.toMatchObject({ code: 'registry-unreachable', transient: true });
    await expect(base('$BASE', true)).rejects.toMatchObject({ code: 'policy-refused' });
    // An id of an image is no name of one.
    await expect(step('0123456789ab')).rejects.toMatchObject({ code: 'policy-refused' });
  });
});
