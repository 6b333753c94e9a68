import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProcess } from '../../src/util/process.ts';
import { waitFor } from '../support/wait-for.ts';

const env = { PATH: process.env['PATH'] ?? '' };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-process-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const node = (script: string, ...args: string[]) => ({ file: process.execPath, args: ['-e', script, ...args], env });

async function fileContent(name: string): Promise<string> {
  return waitFor(async () => {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    return text === '' ? undefined : text;
  });
}

async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/^\d+ \(.*\) [ZX]/.test(status);
}

describe('runProcess', () => {
  it('returns exit code and both outputs', async () => {
    const outcome = await runProcess(node('process.stdout.write("out\\n"); process.stderr.write("err\\n"); process.exitCode = 7'));
    expect(outcome).toMatchObject({ kind: 'exited', exitCode: 7, stderr: 'err\n' });
    expect(outcome.stdout.toString()).toBe('out\n');
  });

  it('writes the input and gives exactly the environment asked for', async () => {
    const outcome = await runProcess({
      ...node('process.stdin.pipe(process.stdout); process.stderr.write(Object.keys(process.env).sort().join())'),
      env: { ...env, ONLY: '1' },
      input: 'hello',
    });
    expect(outcome.stdout.toString()).toBe('hello');
    expect(outcome.stderr).toBe('ONLY,PATH');
  });

  it('passes arguments without a shell', async () => {
    const hostile = `$(touch ${folder}/pwned); \`id\` "'`;
    const outcome = await runProcess(node('process.stdout.write(process.argv[1])', hostile));
    expect(outcome.stdout.toString()).toBe(hostile);
    expect(await readdir(folder)).not.toContain('pwned');
  });

  it('tells a program that does not exist from one that failed', async () => {
    expect(await runProcess({ file: join(folder, 'none'), args: [], env })).toMatchObject({ kind: 'not-started', reason: 'ENOENT' });
    await writeFile(join(folder, 'plain'), 'x', { mode: 0o644 });
    expect(await runProcess({ file: join(folder, 'plain'), args: [], env })).toMatchObject({ kind: 'not-started', reason: 'EACCES' });
  });

  it('does not start when already cancelled', async () => {
    const outcome = await runProcess({
      ...node(`require('fs').writeFileSync(${JSON.stringify(join(folder, 'ran'))}, 'x')`),
      signal: AbortSignal.abort(),
    });
    expect(outcome.kind).toBe('canceled');
    expect(await readdir(folder)).not.toContain('ran');
  });

  it('cancels with SIGTERM first', async () => {
    const controller = new AbortController();
    const running = runProcess({
      ...node(
        `process.on('SIGTERM', () => { process.stdout.write('bye'); process.exit(0); });
         require('fs').writeFileSync(process.argv[1], 'ready'); setInterval(() => {}, 1000)`,
        join(folder, 'polite'),
      ),
      signal: controller.signal,
    });
    await fileContent('polite');
    controller.abort();
    const outcome = await running;
    expect(outcome.kind).toBe('canceled');
    expect(outcome.stdout.toString()).toBe('bye');
  });

  it('kills a whole group that ignores SIGTERM after the grace', async () => {
    const controller = new AbortController();
    const pidFile = join(folder, 'stubborn');
    const running = runProcess({
      file: '/bin/sh',
      args: [
        '-c',
        `trap '' TERM; sh -c 'trap "" TERM; echo $$ > ${pidFile}; while :; do sleep 0.05; done' & wait; while :; do sleep 0.05; done`,
      ],
      env,
      signal: controller.signal,
      graceMs: 100,
    });
    const grandchild = Number(await fileContent('stubborn'));
    controller.abort();
    expect((await running).kind).toBe('canceled');
    await waitFor(async () => ((await isAlive(grandchild)) ? undefined : true));
  });

  it('ends what takes too long or says too much', async () => {
    expect((await runProcess({ ...node('setInterval(() => {}, 1000)'), timeoutMs: 200 })).kind).toBe('timed-out');
    const flood = await runProcess({
      ...node('const b = Buffer.alloc(65536, 97); (function go() { process.stdout.write(b, go) })()'),
      maxOutput: 1000,
    });
    expect(flood.kind).toBe('too-much-output');
    expect(flood.stdout.length).toBeLessThanOrEqual(1000);
  });
});
