import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDockerEngine } from '../../src/container/docker-engine.ts';
import type { ContainerEngine, RunSpace, TransferIo, TransferProgress } from '../../src/model/ports/container-engine.ts';
import { IMAGE, run, script, withRun } from '../contract/run-spec.ts';
import { type EngineHttp, engineHttp } from '../support/engine-http.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';
import { type OwnPodman, startOwnPodman } from '../support/own-podman.ts';

let registry: LocalRegistry;
let podman: OwnPodman;
beforeAll(async () => {
  registry = await startLocalRegistry();
  podman = await startOwnPodman([IMAGE]);
});
afterAll(async () => {
  await podman.stop();
  await registry.stop();
});

function recorder(): { readonly io: TransferIo; readonly progress: TransferProgress[]; cancel(): void } {
  const controller = new AbortController();
  const progress: TransferProgress[] = [];
  return { io: { signal: controller.signal, onTransfer: (one) => void progress.push(one) }, progress, cancel: () => controller.abort() };
}

async function headDigest(host: string, path: string): Promise<string | null> {
  const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
  return (await fetch(`http://${host}/v2/${path}`, { method: 'HEAD', headers: { accept } })).headers.get('docker-content-digest');
}

describe.each(['Docker', 'Podman'])('transfers through %s', (kind) => {
  let engine: ContainerEngine;
  let http: EngineHttp;
  beforeAll(async () => {
    const socket = kind === 'Docker' ? '/var/run/docker.sock' : podman.socketPath;
    engine = await createDockerEngine({ endpoint: `unix://${socket}` });
    http = engineHttp(socket);
  });
  afterAll(async () => {
    await engine.close();
  });

  const inRun = (use: (space: RunSpace) => Promise<void>): Promise<void> => withRun(engine, {}, use);

  it('pushes, tells the digest of the registry, and pulls what a step needs', async () => {
    const repository = `${registry.host}/${kind.toLowerCase()}/app`;
    await http.json('POST', `/images/${IMAGE}/tag?repo=${encodeURIComponent(repository)}&tag=1`);
    await inRun(async (space) => {
      const push = recorder();
      const pushed = await space.push({ reference: `${repository}:1` }, push.io);
      const digest = await headDigest(registry.host, `${kind.toLowerCase()}/app/manifests/1`);
      expect(pushed).toEqual({ ok: true, digest });
      expect(push.progress.every(({ direction, image }) => direction === 'push' && image === `${repository}:1`)).toBe(true);
      await http.json('DELETE', `/images/${repository}:1`);
      expect(await engine.findImage(`${repository}:1`)).toBeUndefined();
      expect((await run(space, script('a', 'echo pulled', { image: `${repository}:1` }))).stdout).toBe('pulled\n');
      expect(await space.pull({ reference: `${repository}:1` }, recorder().io)).toEqual({ ok: true, digest });
      expect((await engine.findImage(`${repository}:1`))?.repoDigests.join(' ')).toContain(String(digest));
      await http.json('DELETE', `/images/${repository}:1`);
    });
  });

  describe('a tag that the run gave to an image', () => {
    const path = `${kind.toLowerCase()}/own`;
    let tag = '';
    const ids = { mine: '', other: '' };
    const give = (id: string) => http.json('POST', `/images/${id}/tag?repo=${encodeURIComponent(`${registry.host}/${path}`)}&tag=1`);
    const push = (space: RunSpace, imageId: string) => space.push({ reference: tag, imageId }, recorder().io);
    const idIn = async (name: string): Promise<string> => {
      const accept = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';
      const manifest = await fetch(`http://${registry.host}/v2/${path}/manifests/${name}`, { headers: { accept } });
      return ((await manifest.json()) as { config: { digest: string } }).config.digest.replace('sha256:', '');
    };
    const plain = (id: string): string => id.replace('sha256:', '');
    beforeAll(async () => {
      tag = `${registry.host}/${path}:1`;
      const imported = await http.bytes('POST', '/images/create?fromSrc=-', Buffer.alloc(1024));
      ids.other = /[0-9a-f]{64}/.exec(imported.toString())?.[0] ?? imported.toString();
      await give(ids.other);
      ids.mine = (await engine.findImage(IMAGE))?.id ?? '';
      await http.json('POST', `/images/${ids.other}/tag?repo=${encodeURIComponent(`${registry.host}/${path}`)}&tag=kept`);
    });
    afterAll(async () => {
      for (const name of ['1', 'kept']) await http.status('DELETE', `/images/${registry.host}/${path}:${name}`);
    });

    it('is pushed as that image, also when another run has taken the tag', async () => {
      await inRun(async (space) => {
        const moved = await push(space, ids.mine);
        expect(moved).toMatchObject({ ok: true, retagged: true });
        expect(await idIn('1')).toBe(plain(ids.mine));
        const again = await push(space, ids.mine);
        expect(again).toEqual({ ok: true, digest: moved.ok ? moved.digest : '' });
      });
    });

    it('is pushed by two runs one after the other, each its own image', async () => {
      await inRun(async (space) => {
        await inRun(async (second) => {
          const [mine, other] = await Promise.all([push(space, ids.mine), push(second, ids.other)]);
          expect([mine.ok, other.ok]).toEqual([true, true]);
          expect(await idIn(mine.ok ? mine.digest : '')).toBe(plain(ids.mine));
          expect(await idIn(other.ok ? other.digest : '')).toBe(plain(ids.other));
        });
      });
    });

    it('is not pushed at all when its image is gone', async () => {
      await give(ids.other);
      await inRun(async (space) => {
        const gone = await push(space, `sha256:${'0'.repeat(64)}`);
        expect(gone).toMatchObject({ ok: false, permanent: true, message: expect.stringContaining('not in the engine any more') });
      });
    });
  });

  it('does not find what no registry has', async () => {
    const image = `${registry.host}/no/such:image`;
    await inRun(async (space) => {
      expect(await space.pull({ reference: image }, recorder().io)).toMatchObject({ ok: false, permanent: true, canceled: false });
      await expect(run(space, script('a', 'true', { image }))).rejects.toMatchObject({
        code: 'image-not-found',
        message: expect.stringContaining(image),
      });
      const never = script('b', 'true', { image, extra: { pull: 'never' } });
      await expect(run(space, never)).rejects.toMatchObject({ code: 'image-not-found', message: expect.stringContaining('never') });
      expect(await space.push({ reference: image }, recorder().io)).toMatchObject({ ok: false, permanent: true });
    });
  });

  it('may try again when nothing answers', async () => {
    await inRun(async (space) => {
      expect(await space.pull({ reference: '127.0.0.1:9/a:1' }, recorder().io)).toMatchObject({ ok: false, permanent: false });
    });
  });

  it('lets go when it is cancelled', async () => {
    // A registry that takes the call and never answers.
    let asked: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { createServer } = await import('node:http');
    const silent = createServer(() => asked());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    await inRun(async (space) => {
      const pull = recorder();
      const pulling = space.pull({ reference: `127.0.0.1:${port}/a:1` }, pull.io);
      await reached;
      pull.cancel();
      expect(await pulling).toMatchObject({ ok: false, canceled: true });
    });
    silent.closeAllConnections();
    silent.close();
  }, 20_000);
});

describe('credentials', () => {
  it('go to their registry', async () => {
    const seen = new Set<string>();
    const proxy = await startFaultProxy(registry.host, (call) => {
      const { authorization } = call.headers;
      if (authorization === undefined) return { status: 401, headers: { 'www-authenticate': 'Basic realm="test"' } };
      seen.add(authorization);
      return undefined;
    });
    const engine = await createDockerEngine();
    const image = `${proxy.host}/private/app:1`;
    const http = engineHttp('/var/run/docker.sock');
    await http.json('POST', `/images/${IMAGE}/tag?repo=${encodeURIComponent(`${proxy.host}/private/app`)}&tag=1`);
    const credentials = {
      forHost: async (host: string) => (host === proxy.host ? ({ kind: 'basic', username: 'me', password: 'p/+ä' } as const) : undefined),
      explicitHosts: () => [],
    };
    await withRun(engine, { credentials }, async (space) => {
      expect(await space.push({ reference: image }, recorder().io)).toMatchObject({ ok: true });
    });
    await withRun(engine, {}, async (space) => {
      expect(await space.push({ reference: image }, recorder().io)).toMatchObject({ ok: false, permanent: true });
    });
    expect([...seen]).toEqual([`Basic ${Buffer.from('me:p/+ä').toString('base64')}`]);
    await http.json('DELETE', `/images/${image}`);
    await engine.close();
    await proxy.stop();
  });
});
