import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { BASE, build, docker, imageOf, MemoryWorkspace, makeDirectory, removeImage, removeUnnamed } from './build-harness.ts';

const made: string[] = [];

afterEach(async () => {
  for (const image of made.splice(0)) await removeImage(image);
  await removeUnnamed();
});

async function inspect(image: string): Promise<{ Labels: Record<string, string> | null; RepoTags: string[]; Cmd: string[] | null }> {
  const info = await docker.getImage(image).inspect();
  return { Labels: info.Config.Labels, RepoTags: info.RepoTags, Cmd: info.Config.Cmd };
}

/** A line that no earlier run has in its cache. */
const fresh = (): string => `RUN echo ${randomUUID()}`;

describe('flags of a build', () => {
  it('tags the image with every name and returns its id', async () => {
    const tags = ['slipway-test/flags:one', 'slipway-test/flags:two'];
    made.push(...tags);
    const id = imageOf(await build({ dockerfile: `FROM ${BASE}\nLABEL made=here`, spec: { tags } }));
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((await inspect(id)).RepoTags).toEqual(expect.arrayContaining(tags));
  });

  it('passes build arguments, a bare one from the environment of the step', async () => {
    const report = await build({
      dockerfile: `FROM ${BASE}\nARG A\nARG B\nARG C=unset\n${fresh()}\nRUN echo "A=$A B=$B C=$C"`,
      spec: { buildArgs: ['A=one=1', 'B', 'C'], env: ['B=two words'], tags: ['slipway-test/flags:args'] },
    });
    made.push('slipway-test/flags:args');
    imageOf(report);
    expect(report.stdout).toContain('A=one=1 B=two words C=unset');
  });

  it('builds the target stage', async () => {
    made.push('slipway-test/flags:target');
    const id = imageOf(
      await build({
        dockerfile: `FROM ${BASE} AS first\nLABEL stage=first\nFROM ${BASE}\nRUN exit 9`,
        spec: { target: 'first', tags: ['slipway-test/flags:target'] },
      }),
    );
    expect((await inspect(id)).Labels).toMatchObject({ stage: 'first' });
  });

  it('puts only the labels of the author on the image', async () => {
    made.push('slipway-test/flags:labels');
    const id = imageOf(
      await build({
        dockerfile: `FROM ${BASE}`,
        spec: { labels: ['team=a=b', 'empty='], tags: ['slipway-test/flags:labels'] },
        environment: { labels: { 'dev.slipway.run': 'r1' } },
      }),
    );
    expect((await inspect(id)).Labels).toEqual({ team: 'a=b', empty: '' });
  });

  it('runs everything again with --no-cache and nothing without', async () => {
    made.push('slipway-test/flags:cache');
    const dockerfile = `FROM ${BASE}\nRUN echo ${randomUUID()} && cat /proc/sys/kernel/random/uuid > /id`;
    const spec = { tags: ['slipway-test/flags:cache'] };
    const first = imageOf(await build({ dockerfile, spec }));
    const second = await build({ dockerfile, spec });
    const third = imageOf(await build({ dockerfile, spec: { ...spec, noCache: true } }));
    expect(imageOf(second)).toBe(first);
    expect(second.progress.filter((entry) => entry.state === 'cached').map((entry) => entry.name)).toEqual([
      expect.stringMatching(/^\[2\/2\] RUN echo/),
    ]);
    expect(third).not.toBe(first);
  });

  it('gives RUN the hosts and the network that the step asks for', async () => {
    const report = await build({
      dockerfile: `FROM ${BASE}\n${fresh()}\nRUN grep db.test /etc/hosts; echo interfaces: $(ls /sys/class/net)`,
      spec: { addHosts: ['db.test:10.1.2.3', 'six.db.test=[fd00::1]'], network: 'none', tags: ['slipway-test/flags:net'] },
    });
    made.push('slipway-test/flags:net');
    imageOf(report);
    expect(report.stdout).toMatch(/10\.1\.2\.3\s+db\.test/);
    expect(report.stdout).toMatch(/fd00::1\s+six\.db\.test/);
    expect(report.stdout).toContain('interfaces: lo\n');
  });

  it('builds for the platform that is named, and refuses two at once', async () => {
    made.push('slipway-test/flags:platform');
    const id = imageOf(
      await build({ dockerfile: 'FROM scratch\nLABEL a=b', spec: { platforms: ['linux/arm64'], tags: ['slipway-test/flags:platform'] } }),
    );
    expect((await docker.getImage(id).inspect()).Architecture).toBe('arm64');
    await expect(build({ dockerfile: 'FROM scratch', spec: { platforms: ['linux/arm64', 'linux/amd64'] } })).rejects.toMatchObject({
      code: 'engine-too-old',
      message: expect.stringContaining('--platform'),
    });
  });

  it('falls back to the classic builder for limits that only that has', async () => {
    const report = await build({
      dockerfile: `FROM ${BASE}\n${fresh()}\nRUN ulimit -n; df -k /dev/shm | tail -1`,
      spec: { memory: '64m', shmSize: '16m', ulimits: ['nofile=123:456'], tags: ['slipway-test/flags:limits'] },
    });
    made.push('slipway-test/flags:limits');
    imageOf(report);
    expect(report.stdout).toMatch(/^123$/m);
    expect(report.stdout).toMatch(/\b16384\b/);
    expect(report.progress.filter((entry) => entry.state === 'done').map((entry) => entry.name)[0]).toBe(`[1/3] FROM ${BASE}`);
  });

  it.each([
    [{ buildContexts: ['x=docker-image://y'] }, '--build-context'],
    [{ outputs: ['type=oci,dest=x.tar'] }, '--output type=oci'],
    [{ outputs: ['a', 'b'] }, '--output'],
    [{ outputs: ['type=registry'] }, '--output type=registry'],
    [{ cacheTo: ['type=gha'] }, '--cache-to type=gha'],
    [{ cacheFrom: ['type=local,src=x'] }, '--cache-from type=local'],
    [{ secrets: ['id=a,env=A'], env: ['A=1'], squash: true }, '--squash'],
  ])('refuses what this engine has no word for: %j', async (spec, flag) => {
    await expect(build({ dockerfile: 'FROM scratch', spec })).rejects.toMatchObject({
      code: 'engine-too-old',
      message: expect.stringContaining(flag),
    });
  });

  it.each([
    [{ shmSize: 'lots' }, '--shm-size "lots"'],
    [{ ulimits: ['nofile'] }, '--ulimit "nofile"'],
    [{ secrets: ['src=x'] }, 'id=x: there is no file /workspace/x'],
    [{ secrets: ['id=a,env=NOPE'] }, 'no NOPE'],
    [{ secrets: ['id=nothing'] }, 'the run has no secret of that id'],
    [{ ssh: ['default'] }, 'no ssh agent is offered'],
    [{ tags: ['Upper/Case'] }, 'lower-case'],
    [{ platforms: ['not a platform'] }, 'not a platform'],
  ])('reports a value that cannot be read as the mistake of the step: %j', async (spec, message) => {
    const { outcome } = await build({ dockerfile: 'FROM scratch\nLABEL a=b', spec });
    expect(outcome).toMatchObject({ ok: false, canceled: false, message: expect.stringContaining(message) });
  });

  it('writes the image id and the metadata into the workspace', async () => {
    made.push('slipway-test/flags:files');
    const workspace = new MemoryWorkspace();
    const id = imageOf(
      await build({
        dockerfile: 'FROM scratch\nLABEL files=written',
        spec: {
          iidfile: 'out/id.txt',
          metadataFile: '/workspace/meta.json',
          workdir: '/workspace/sub',
          tags: ['slipway-test/flags:files'],
        },
        environment: workspace.context(),
      }),
    );
    expect(workspace.files.get('/workspace/sub/out/id.txt')?.toString()).toBe(id);
    expect(JSON.parse(workspace.files.get('/workspace/meta.json')?.toString() ?? '')).toEqual({
      'containerimage.config.digest': id,
      'containerimage.digest': id,
      'image.name': 'slipway-test/flags:files',
    });
  });

  it('prints nothing but the id when it is quiet, and the output when that fails', async () => {
    made.push('slipway-test/flags:quiet');
    const good = await build({ dockerfile: `FROM ${BASE}\n${fresh()}`, spec: { quiet: true, tags: ['slipway-test/flags:quiet'] } });
    expect(good.stdout).toBe(`${imageOf(good)}\n`);
    expect(good.stderr).toBe('');
    const bad = await build({ dockerfile: `FROM ${BASE}\n${fresh()}\nRUN echo why; exit 4`, spec: { progress: 'quiet' } });
    expect(bad.outcome.ok).toBe(false);
    expect(bad.stderr).toContain('why\n');
  });

  it('writes the files of --output into the workspace, as a directory or as one archive', async () => {
    const directory = makeDirectory({ 'a.txt': 'alpha', 'deep/b.txt': 'beta' });
    const workspace = new MemoryWorkspace();
    try {
      const wanted = {
        dockerfile: 'FROM scratch\nCOPY . /',
        context: { kind: 'directory' as const, path: directory.path },
        environment: workspace.context(),
      };
      const local = await build({ ...wanted, spec: { outputs: ['out'] } });
      expect(local.outcome).toEqual({ ok: true, imageId: '' });
      expect(workspace.files.get('/workspace/out/a.txt')?.toString()).toBe('alpha');
      expect(workspace.files.get('/workspace/out/deep/b.txt')?.toString()).toBe('beta');
      const archive = await build({ ...wanted, spec: { outputs: ['type=tar,dest=built/all.tar'] } });
      expect(archive.outcome.ok).toBe(true);
      expect(workspace.files.get('/workspace/built/all.tar')?.includes('alpha')).toBe(true);
      const broken = await build({
        ...wanted,
        dockerfile: 'FROM scratch\nCOPY nothing /',
        spec: { outputs: ['type=tar,dest=built/all.tar'] },
      });
      expect(broken.outcome.ok).toBe(false);
      expect(workspace.files.get('/workspace/built/all.tar')?.includes('alpha')).toBe(true);
    } finally {
      directory.remove();
    }
  });
});
