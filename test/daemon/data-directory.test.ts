import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataDirectory } from '../../src/daemon/data-directory.ts';
import { EngineError } from '../../src/model/engine-error.ts';

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'slipway-data-'));
});

afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

async function refusal(path: string): Promise<EngineError> {
  const error = await openDataDirectory(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof EngineError)) throw new Error(`expected an EngineError, got ${String(error)}`);
  expect(error.code).toBe('data-directory');
  return error;
}

test('the first start makes the directory for its user alone, whatever the mask', async () => {
  const mask = process.umask(0o000);
  try {
    const data = await openDataDirectory(join(parent, 'a', 'data'));
    expect((await stat(data.path)).mode & 0o777).toBe(0o700);
    await data.release();
  } finally {
    process.umask(mask);
  }
});

test('a directory that others can read is refused, with the command that closes it', async () => {
  await chmod(parent, 0o755);
  expect((await refusal(parent)).help).toContain(`chmod 700 ${parent}`);
});

test('a second process is told who has the directory; a killed one holds nobody up', async () => {
  const path = join(parent, 'data');
  const program = `
    const { openDataDirectory } = await import(${JSON.stringify(new URL('../../src/daemon/data-directory.ts', import.meta.url).href)});
    const data = await openDataDirectory(process.argv[1]);
    await data.describe({ url: 'http://127.0.0.1:1' });
    console.log('open');
    setInterval(() => undefined, 60_000);
  `;
  const other = spawn(process.execPath, ['--input-type=module', '-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface(other.stdout), 'line');
  expect((await refusal(path)).message).toBe(`${path} is in use by another daemon (process ${other.pid}, http://127.0.0.1:1)`);
  other.kill('SIGKILL');
  await once(other, 'exit');
  const data = await openDataDirectory(path);
  await data.describe({ url: 'http://127.0.0.1:2' });
  expect(JSON.parse(await readFile(join(path, 'daemon.json'), 'utf8'))).toMatchObject({ pid: process.pid, url: 'http://127.0.0.1:2' });
  await data.release();
});

test('a file in the place of the directory is refused', async () => {
  await expect(openDataDirectory('/dev/null/data')).rejects.toThrow('cannot be used as a data directory');
});
