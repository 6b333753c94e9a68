import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SettingStore } from '../../src/model/ports/store.ts';
import { createSecretBox } from '../../src/service/secret-box.ts';
import { checkSecretKey, loadSecretKey } from '../../src/service/secret-key.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-key-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the key of secrets', () => {
  test('is made once, for its owner alone', async () => {
    const file = join(directory, 'secret.key');
    const made = await loadSecretKey({ file, environment: {} });
    const again = await loadSecretKey({ file, environment: {} });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(again.key).toEqual(made.key);
    expect(again).toMatchObject({ older: [], from: file });
  });

  test('is refused when others may read its file', async () => {
    const file = join(directory, 'secret.key');
    await loadSecretKey({ file, environment: {} });
    await chmod(file, 0o640);
    await expect(loadSecretKey({ file, environment: {} })).rejects.toMatchObject({
      code: 'data-directory',
      message: expect.stringContaining('mode 640'),
      help: `chmod 600 ${file}`,
    });
  });

  test('comes from the environment before any file, and no file is made then', async () => {
    const file = join(directory, 'secret.key');
    const [text, before] = [randomBytes(32), randomBytes(32)];
    const loaded = await loadSecretKey({
      file,
      environment: {
        SLIPWAY_SECRET_KEY: `${text.toString('base64')},${before.toString('base64url')}`,
        SLIPWAY_SECRET_KEY_FILE: '/nowhere',
      },
    });
    expect(Buffer.from(loaded.key).equals(text)).toBe(true);
    expect(loaded.older.map((key) => Buffer.from(key).equals(before))).toEqual([true]);
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('comes from a named file, which is never made', async () => {
    const named = join(directory, 'named.key');
    const environment = { SLIPWAY_SECRET_KEY_FILE: named };
    const file = join(directory, 'secret.key');
    await expect(loadSecretKey({ file, environment })).rejects.toMatchObject({ code: 'data-directory' });
    await writeFile(named, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    expect((await loadSecretKey({ file, environment })).from).toBe(named);
  });

  test.each(['short', 'A'.repeat(43).concat('!'), `${'A'.repeat(60)}`, ' , '])('refuses %j without repeating it', async (text) => {
    const loading = loadSecretKey({ file: join(directory, 'secret.key'), environment: { SLIPWAY_SECRET_KEY: text } });
    const error: unknown = await loading.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'data-directory' });
    if (text.trim().length > 1) expect(String(error)).not.toContain(text);
  });

  test('must be the one that the database knows', async () => {
    const kept = new Map<string, unknown>();
    const settings: SettingStore = {
      get: (key) => Promise.resolve(kept.get(key)),
      set: async (key, value) => {
        kept.set(key, value);
      },
    };
    const [first, second] = [randomBytes(32), randomBytes(32)];
    await checkSecretKey(createSecretBox(first), settings);
    await checkSecretKey(createSecretBox(first), settings);
    await expect(checkSecretKey(createSecretBox(second), settings)).rejects.toMatchObject({ code: 'data-directory' });
    await checkSecretKey(createSecretBox(second, [first]), settings);
    await checkSecretKey(createSecretBox(second), settings);
  });
});
