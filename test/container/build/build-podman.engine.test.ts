import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalRegistry, startLocalRegistry } from '../../support/local-registry.ts';
import { type OwnPodman, startOwnPodman } from '../../support/own-podman.ts';
import { waitFor } from '../../support/wait-for.ts';
import { BASE, type BuildCase, type BuildReport, build, docker, imageOf, makeDirectory, removeImage } from './build-harness.ts';

let podman: OwnPodman;
let registry: LocalRegistry;

beforeAll(async () => {
  registry = await startLocalRegistry();
  podman = await startOwnPodman([BASE]);
});

afterAll(async () => {
  await podman.stop();
  await registry.stop();
});

/** A build on the test's own Podman. */
function onPodman(wanted: BuildCase): Promise<BuildReport> {
  return build({ ...wanted, client: podman.docker, engine: { kind: 'podman', buildkit: false } });
}

describe('builds on Podman', () => {
  it('builds a context with tags, arguments, labels, a target and the pinned Dockerfile', async () => {
    const directory = makeDirectory({ 'a.txt': 'alpha', 'skip/me': 's', Dockerfile: 'FROM nowhere.invalid/x' });
    try {
      const report = await onPodman({
        dockerfile: `FROM ${BASE} AS main\nARG A\nCOPY . /c\nRUN echo A=$A; cd /c; find . -type f | sort\nFROM main\nRUN exit 1`,
        context: { kind: 'directory', path: directory.path },
        ignore: ['skip'],
        spec: { tags: ['localhost/slipway-test:podman'], buildArgs: ['A=1'], labels: ['team=x'], target: 'main' },
      });
      const info = await podman.docker.getImage('localhost/slipway-test:podman').inspect();
      expect(info.Id.replace('sha256:', '')).toBe(imageOf(report).replace('sha256:', ''));
      expect(imageOf(report)).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(info.Config.Labels).toMatchObject({ team: 'x' });
      expect(report.stdout).toBe('A=1\n./Dockerfile\n./a.txt\n');
      expect(report.progress.filter((entry) => entry.state === 'done').map((entry) => entry.name)).toContain('[3/4] COPY . /c');
    } finally {
      directory.remove();
    }
  });

  it('uses its cache when nothing changed', async () => {
    const dockerfile = `FROM ${BASE}\nRUN echo ${randomUUID()}`;
    const first = await onPodman({ dockerfile });
    const second = await onPodman({ dockerfile });
    expect(imageOf(second)).toBe(imageOf(first));
    expect(second.progress.some((entry) => entry.state === 'cached')).toBe(true);
  });

  it('pulls its base image from a registry without TLS', async () => {
    const name = `${registry.host}/base`;
    await docker.getImage(BASE).tag({ repo: name, tag: 'v1' });
    const pushed = await docker.getImage(`${name}:v1`).push({ authconfig: {} });
    for await (const _ of pushed);
    await removeImage(`${name}:v1`);
    const resolved = {
      reference: `${name}:v1`,
      platform: '',
      indexDigest: '',
      platformDigest: '',
      role: 'runtime' as const,
      source: 'registry' as const,
    };
    const dockerfile = `FROM ${name}:v1\nLABEL a=b`;
    imageOf(await onPodman({ dockerfile, spec: { pull: 'always' }, baseImages: [resolved] }));
    // The option holds for all registries of a build: one that must speak TLS keeps it for all.
    const elsewhere = { ...resolved, reference: 'registry.invalid/other:1' };
    const never = `FROM ${registry.host}/never/pulled:v1`;
    await expect(onPodman({ dockerfile: never, baseImages: [resolved, elsewhere] })).rejects.toMatchObject({
      code: 'image-not-found',
      message: expect.stringContaining('HTTPS'),
    });
    await expect(onPodman({ dockerfile: never, baseImages: [resolved] })).rejects.toMatchObject({
      code: 'image-not-found',
      message: expect.not.stringContaining('HTTPS'),
    });
  });

  it('mounts secrets and leaves no trace of them', async () => {
    const value = randomUUID();
    const report = await onPodman({
      dockerfile: `FROM ${BASE}\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token\nCOPY . /c\nRUN ls -A /c`,
      spec: { secrets: ['id=token'], noCache: true },
      secrets: new Map([['token', Buffer.from(value)]]),
    });
    expect(report.stdout).toBe(`${value.length}\n`);
    const image = podman.docker.getImage(imageOf(report));
    expect(JSON.stringify([await image.inspect(), await image.history()])).not.toContain(value);
  });

  it('reports a failing instruction and a bad Dockerfile', async () => {
    const failing = await onPodman({ dockerfile: `FROM ${BASE}\nRUN echo reason; exit 7` });
    expect(failing.outcome).toMatchObject({
      ok: false,
      canceled: false,
      message: expect.stringMatching(/RUN echo reason.*7[\s\S]*reason/),
    });
    const bad = await onPodman({ dockerfile: 'FROM scratch\nNONSENSE' });
    expect(bad.outcome).toMatchObject({ ok: false, canceled: false, message: expect.stringContaining('NONSENSE') });
  });

  it('lets go when it is cancelled', async () => {
    const controller = new AbortController();
    const { outcome } = await onPodman({
      dockerfile: `FROM ${BASE}\nRUN echo ${randomUUID()} begun && sleep 45`,
      signal: controller.signal,
      onOutput: (text) => {
        if (text.includes('begun')) controller.abort();
      },
    });
    expect(outcome).toMatchObject({ ok: false, canceled: true });
    await waitFor(async () => ((await podman.docker.listContainers({ all: true })).length === 0 ? true : undefined), 30_000);
  });
});
