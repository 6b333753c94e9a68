import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import type { EngineImage } from '../../src/model/ports/container-engine.ts';
import type { ResolvedReference } from '../../src/model/ports/registry.ts';
import { BaseImageResolver, type ResolvedBase, substituteBases } from '../../src/service/base-images.ts';

const NEW = `sha256:${'1'.repeat(64)}`;
const OLD = `sha256:${'2'.repeat(64)}`;
const PLATFORM = `sha256:${'3'.repeat(64)}`;

type Registry = Readonly<Record<string, Partial<ResolvedReference> | EngineError>>;

/** A registry and an engine by reference; the registry is a fake because real ones do not go down on demand. */
class World {
  readonly asked: string[] = [];
  readonly notes: string[] = [];
  readonly built = new Set<string>();
  readonly resolver: BaseImageResolver;

  constructor(registry: Registry, engine: Readonly<Record<string, Partial<EngineImage>>> = {}) {
    this.resolver = new BaseImageResolver({
      registry: {
        resolve: async (reference) => {
          this.asked.push(reference);
          const answer = registry[reference];
          if (answer instanceof EngineError) throw answer;
          return answer && { digest: NEW, platformDigest: PLATFORM, mediaType: '', ...answer };
        },
      },
      findImage: async (reference) => {
        const image = engine[reference];
        return image && { id: 'sha256:id', tags: [reference], repoDigests: [], os: 'linux', architecture: 'amd64', ...image };
      },
      builtTags: () => this.built,
    });
  }

  resolve(reference: string, pull: 'auto' | 'always' | 'never' = 'auto', signal = new AbortController().signal): Promise<ResolvedBase> {
    const origin = { reference, platform: 'linux/amd64', role: 'runtime' as const, unresolved: reference.includes('$'), words: [] };
    return this.resolver.resolve(origin, { pull, signal, onNote: (level, message) => this.notes.push(`${level} ${message}`) });
  }
}

const DOWN = new EngineError('registry-unreachable', 'r.io does not answer');

describe('BaseImageResolver', () => {
  it("takes the registry's current digest over a stale local copy", async () => {
    const world = new World({ 'r.io/base:1': {} }, { 'r.io/base:1': { repoDigests: [`r.io/base@${OLD}`] } });
    expect(await world.resolve('r.io/base:1')).toEqual({
      pinned: `r.io/base@${NEW}`,
      image: {
        reference: 'r.io/base:1',
        platform: 'linux/amd64',
        role: 'runtime',
        source: 'registry',
        indexDigest: NEW,
        platformDigest: PLATFORM,
      },
    });
    expect(world.notes).toEqual([]);
  });

  it('keeps to the engine with --pull never', async () => {
    const world = new World({ 'r.io/base:1': {} }, { 'r.io/base:1': { id: 'sha256:mine', repoDigests: [`r.io/base@${OLD}`] } });
    const { image, pinned } = await world.resolve('r.io/base:1', 'never');
    expect(image).toMatchObject({ source: 'engine', imageId: 'sha256:mine', indexDigest: OLD });
    expect(pinned).toBeUndefined();
    expect(world.asked).toEqual([]);
  });

  it('lets nobody fetch what the engine lacks with --pull never', async () => {
    const world = new World({ 'r.io/base:1': {} });
    await expect(world.resolve('r.io/base:1', 'never')).rejects.toMatchObject({
      code: 'image-not-found',
      message: expect.stringContaining('r.io/base:1'),
    });
    expect(world.asked).toEqual([]);
  });

  it('takes the tag that a track chose, and says which, and when nobody could look for a newer one', async () => {
    const world = new World({ 'r.io/base:1.2': {}, 'r.io/base:1': {}, 'r.io/other:1': {} });
    const chosen = [
      { reference: 'r.io/base:1', use: 'r.io/base:1.2' },
      { reference: 'r.io/other:1', use: 'r.io/other:1', unchecked: 'r.io is down' },
    ];
    const bases = substituteBases(world.resolver, chosen);
    const resolve = (reference: string): Promise<ResolvedBase> =>
      bases.resolve(
        { reference, platform: 'linux/amd64', role: 'runtime', unresolved: false, words: [{ start: 5, end: 9 }] },
        { pull: 'auto', signal: new AbortController().signal, onNote: (level, message) => world.notes.push(`${level} ${message}`) },
      );
    expect((await resolve('r.io/base:1')).image).toMatchObject({ reference: 'r.io/base:1', used: 'r.io/base:1.2', indexDigest: NEW });
    expect((await resolve('r.io/other:1')).image).not.toHaveProperty('used');
    expect(world.asked).toEqual(['r.io/base:1.2', 'r.io/other:1']);
    expect(world.notes).toEqual([
      'info The base image r.io/base:1 is taken as r.io/base:1.2, the newest that the task follows.',
      expect.stringMatching(/^warning .* newer tag than r\.io\/other:1 .*\(r\.io is down\)/),
    ]);
  });

  it('uses what the run itself built, whatever a registry says', async () => {
    const world = new World({ 'r.io/base:latest': {}, 'r.io/base': {} }, { 'r.io/base': { id: 'sha256:built' } });
    world.built.add('r.io/base:latest');
    expect((await world.resolve('r.io/base')).image).toMatchObject({ source: 'engine', imageId: 'sha256:built' });
    expect(world.asked).toEqual([]);
  });

  it('uses an image that exists only in the engine', async () => {
    const world = new World({}, { 'r.io/mine:1': { id: 'sha256:a' }, 'busybox:local': { id: 'sha256:b' } });
    expect((await world.resolve('r.io/mine:1')).image).toMatchObject({ source: 'engine', imageId: 'sha256:a' });
    expect((await world.resolve('busybox:local')).image).toMatchObject({ source: 'engine', imageId: 'sha256:b' });
    expect(world.asked).toEqual(['r.io/mine:1']);
    expect(world.notes).toEqual([]);
  });

  it('asks Docker Hub for an image that came from there, and always with --pull', async () => {
    const world = new World({ 'node:20': {}, 'busybox:local': {} }, { 'node:20': { repoDigests: [`node@${OLD}`] }, 'busybox:local': {} });
    expect((await world.resolve('node:20')).pinned).toBe(`node@${NEW}`);
    expect((await world.resolve('busybox:local', 'always')).pinned).toBe(`busybox@${NEW}`);
  });

  it('falls back to the engine, with a warning, when the registry cannot be asked', async () => {
    const world = new World({ 'r.io/base:1': DOWN }, { 'r.io/base:1': { repoDigests: [`r.io/base@${OLD}`] } });
    expect((await world.resolve('r.io/base:1')).image).toMatchObject({ source: 'engine', indexDigest: OLD });
    expect(world.notes).toEqual([expect.stringMatching(/^warning .*r\.io does not answer.*engine's copy/)]);
  });

  it('leaves to the engine, with a warning, what neither has', async () => {
    const world = new World({ 'r.io/down:1': DOWN });
    expect((await world.resolve('r.io/none:1')).image).toMatchObject({ source: 'unresolved', indexDigest: '' });
    expect((await world.resolve('r.io/down:1')).image).toMatchObject({ source: 'unresolved' });
    expect(world.notes).toHaveLength(2);
  });

  it('records scratch, open variables and written digests without pinning', async () => {
    const world = new World({ [`r.io/a:1@${OLD}`]: { digest: OLD } });
    expect((await world.resolve('scratch')).image.source).toBe('scratch');
    expect((await world.resolve('a:$V')).image.source).toBe('unresolved');
    expect(await world.resolve(`r.io/a:1@${OLD}`)).toEqual({ image: expect.objectContaining({ source: 'registry', indexDigest: OLD }) });
    expect(world.asked).toEqual([`r.io/a:1@${OLD}`]);
  });

  it('warns when an index has nothing for the platform', async () => {
    const world = new World({ 'r.io/a:1': { platformDigest: '' } });
    expect((await world.resolve('r.io/a:1')).image.platformDigest).toBe('');
    expect(world.notes).toEqual(['warning The base image r.io/a:1 has nothing for linux/amd64.']);
  });

  it('asks once for builds side by side, and again when the one that asked was cancelled', async () => {
    const world = new World({ 'r.io/a:1': {} });
    await Promise.all([world.resolve('r.io/a:1'), world.resolve('r.io/a:1'), world.resolve('r.io/a:1')]);
    expect(world.asked).toEqual(['r.io/a:1']);

    const controller = new AbortController();
    const asked: AbortSignal[] = [];
    const started = Promise.withResolvers<void>();
    const resolver = new BaseImageResolver({
      registry: {
        resolve: (_reference, { signal } = {}) => {
          if (signal !== undefined) asked.push(signal);
          started.resolve();
          if (signal !== controller.signal) return Promise.resolve({ digest: NEW, platformDigest: PLATFORM, mediaType: '' });
          return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
        },
      },
      findImage: async () => undefined,
      builtTags: () => new Set(),
    });
    const origin = { reference: 'r.io/a:1', platform: 'linux/amd64', role: 'runtime', unresolved: false, words: [] } as const;
    const cancelled = resolver.resolve(origin, { pull: 'auto', signal: controller.signal, onNote: () => undefined });
    const other = resolver.resolve(origin, { pull: 'auto', signal: new AbortController().signal, onNote: () => undefined });
    await started.promise;
    controller.abort();
    await expect(cancelled).rejects.toThrow();
    expect((await other).image.indexDigest).toBe(NEW);
    expect(asked).toHaveLength(2);
  });
});
