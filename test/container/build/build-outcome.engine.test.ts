import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import Dockerode from 'dockerode';
import { afterAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../support/wait-for.ts';
import { BASE, build, docker, imageOf, makeDirectory, removeImage, removeUnnamed } from './build-harness.ts';

afterAll(async () => {
  for (let index = 0; index < 4; index += 1) await removeImage(`slipway-test/outcome:${index}`);
  await removeUnnamed();
});

/** Commands of this machine's processes that hold the text. */
function running(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes(text) ? [command] : [];
      } catch {
        return [];
      }
    });
}

describe.each([
  ['BuildKit', true],
  ['the classic builder', false],
])('outcomes with %s', (_name, buildkit) => {
  const engine = { buildkit };

  it('names the failing instruction, its exit code and what it printed last', async () => {
    const { outcome, stdout } = await build({
      engine,
      dockerfile: `FROM ${BASE}\nRUN echo ${randomUUID()}\nRUN for i in $(seq 1 30); do echo line $i; done; exit 42`,
    });
    expect(outcome).toMatchObject({ ok: false, canceled: false });
    const message = outcome.ok ? '' : outcome.message;
    expect(message).toMatch(/^\[3\/3\] RUN for i in/);
    expect(message).toMatch(/42/);
    expect(message).toContain('line 30');
    expect(message).not.toContain('line 3\n');
    expect(stdout).toContain('line 1\n');
  });

  it.each([
    ['FROM scratch\nNONSENSE here', 'NONSENSE'],
    ['', 'empty'],
    [`FROM ${BASE}\nCOPY absent.txt /`, 'absent.txt'],
    [`FROM ${BASE}\nRUN --mount=type=nothing true`, buildkit ? 'nothing' : 'mount'],
  ])('takes a Dockerfile that makes no sense for the mistake of its author: %s', async (dockerfile, message) => {
    const { outcome } = await build({ engine, dockerfile });
    expect(outcome).toMatchObject({ ok: false, canceled: false, message: expect.stringContaining(message) });
  });

  it('reports the target that does not exist', async () => {
    const { outcome } = await build({ engine, dockerfile: 'FROM scratch\nLABEL a=b', spec: { target: 'nowhere' } });
    expect(outcome).toMatchObject({ ok: false, message: expect.stringContaining('nowhere') });
  });

  it('lets go of a RUN in the middle when it is cancelled', async () => {
    const mark = `sleep 4${Math.floor(Math.random() * 1e6)}`;
    const controller = new AbortController();
    const { outcome } = await build({
      engine,
      dockerfile: `FROM ${BASE}\nRUN echo ${randomUUID()} && echo begun && ${mark}`,
      signal: controller.signal,
      onOutput: (text) => {
        if (text.includes('begun')) controller.abort();
      },
    });
    expect(outcome).toMatchObject({ ok: false, canceled: true });
    await waitFor(async () => (running(mark).length === 0 ? true : undefined), 10_000);
    const left = async (): Promise<true | undefined> =>
      (await docker.listContainers({ all: true })).some((container) => container.Command.includes(mark)) ? undefined : true;
    await waitFor(left, 10_000);
  });

  it('does nothing when it is cancelled before it begins', async () => {
    const { outcome, progress } = await build({ engine, dockerfile: `FROM ${BASE}`, signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ ok: false, canceled: true });
    expect(progress).toEqual([]);
  });

  it('keeps standard error apart and bytes as they are', async () => {
    const report = await build({
      engine,
      dockerfile: `FROM ${BASE}\nRUN echo ${randomUUID()} >/dev/null; echo out; echo err >&2`,
    });
    imageOf(report);
    expect(report.stdout).toBe('out\n');
    expect(report.stderr).toBe('err\n');
  });
});

describe('several builds', () => {
  it('run side by side without touching each other', async () => {
    const directories = [0, 1, 2, 3].map((index) => makeDirectory({ 'name.txt': `image ${index}` }));
    const reports = await Promise.all(
      directories.map(({ path }, index) =>
        build({
          dockerfile: `FROM ${BASE}\nCOPY . /c\nRUN cat /c/name.txt && echo ${randomUUID()} > /id`,
          context: { kind: 'directory', path },
          spec: { tags: [`slipway-test/outcome:${index}`] },
        }),
      ),
    );
    for (const directory of directories) directory.remove();
    expect(reports.map((report) => report.stdout)).toEqual(['image 0', 'image 1', 'image 2', 'image 3']);
    expect(new Set(reports.map(imageOf)).size).toBe(4);
  });

  it('reports progress of every vertex once started and once ended', async () => {
    const report = await build({ dockerfile: `FROM ${BASE}\nRUN echo ${randomUUID()}` });
    const run = report.progress.filter((entry) => entry.name.startsWith('[2/2] RUN'));
    expect(run.map((entry) => entry.state)).toEqual(['started', 'done']);
    expect(run[1]?.durationMs).toBeGreaterThan(0);
  });

  it('fails as an engine that does not answer when there is none', async () => {
    const nobody = new Dockerode({ socketPath: '/nonexistent/docker.sock' });
    await expect(build({ dockerfile: `FROM ${BASE}`, client: nobody })).rejects.toMatchObject({ code: 'engine-unreachable' });
    await expect(build({ dockerfile: `FROM ${BASE}`, client: nobody, engine: { buildkit: false } })).rejects.toMatchObject({
      code: 'engine-unreachable',
    });
  });
});
