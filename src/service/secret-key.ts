import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { EngineError } from '../model/engine-error.ts';
import type { SecretBox } from '../model/ports/secret-box.ts';
import type { SettingStore } from '../model/ports/store.ts';
import { SECRET_KEY_BYTES } from './secret-box.ts';

/** Arguments of `createSecretBox`. */
export interface SecretKeys {
  readonly key: Uint8Array;
  /** Keys before it: they only open. */
  readonly older: readonly Uint8Array[];
  /** For people: the variable or the file. */
  readonly from: string;
}

const LONGEST_FILE = 4096;
const CHECK_SETTING = 'secretKeyCheck';
const CHECK_PLACE = 'setting:secretKeyCheck';

/**
 * The key of secrets: SLIPWAY_SECRET_KEY, else the file that SLIPWAY_SECRET_KEY_FILE names, else `file`, which is made (0600) when it is
 * not there and may be. The text is base64 of 32 bytes; several, separated by white space or commas, are the key and the ones before it (rotation).
 * Rejects with EngineError `data-directory`: a file that others may read, or a text that is no key.
 */
export async function loadSecretKey(options: {
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** False where a database was used with a key before: a new one would not open what is in it. */
  readonly make?: boolean;
}): Promise<SecretKeys> {
  const { SLIPWAY_SECRET_KEY: text, SLIPWAY_SECRET_KEY_FILE: named } = options.environment;
  if (text !== undefined && text !== '') return readKeys(text, 'SLIPWAY_SECRET_KEY');
  if (named !== undefined && named !== '') return readKeys(await readKeyFile(named), named);
  if (options.make !== false) await createKeyFile(options.file);
  return readKeys(await readKeyFile(options.file), options.file);
}

/** Whether a database was ever used with a key: what is sealed in it opens with that one only. */
export async function hasSecretKey(settings: SettingStore): Promise<boolean> {
  return (await settings.get(CHECK_SETTING)) !== undefined;
}

/**
 * Refuses a key that is not the one the database was first used with: without this a lost key file would be made anew and be noticed
 * only when a run needs a secret. Rejects with EngineError `data-directory`.
 */
export async function checkSecretKey(box: SecretBox, settings: SettingStore): Promise<void> {
  const stored = await settings.get(CHECK_SETTING);
  try {
    if (typeof stored === 'string') box.open(Buffer.from(stored, 'base64'), CHECK_PLACE);
  } catch (cause) {
    throw new EngineError('data-directory', 'the secret key is not the one that sealed what is in the database', {
      cause,
      help: 'Give the daemon its key again (`secret.key` of the data directory, SLIPWAY_SECRET_KEY or SLIPWAY_SECRET_KEY_FILE); a new key stands before the old one, separated by a comma.',
    });
  }
  // Sealed anew each time: after a rotation the key before may be taken away without locking the daemon out.
  await settings.set(CHECK_SETTING, Buffer.from(box.seal('slipway', CHECK_PLACE)).toString('base64'));
}

/** Exists afterwards, whoever made it: `wx` lets one of two processes win. */
async function createKeyFile(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return;
    throw unusable(path, `cannot be made (${codeOf(error)})`, error);
  }
  try {
    await file.chmod(0o600);
    await file.writeFile(`${randomBytes(SECRET_KEY_BYTES).toString('base64')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readKeyFile(path: string): Promise<string> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY);
  } catch (error) {
    throw unusable(path, `cannot be read (${codeOf(error)})`, error);
  }
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0)
      throw unusable(path, `may be read by others (mode ${(mode & 0o777).toString(8)})`, undefined, `chmod 600 ${path}`);
    if (size > LONGEST_FILE) throw unusable(path, 'is too long to be a key');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function readKeys(text: string, from: string): SecretKeys {
  const [key, ...older] = text
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map((word) => readKey(word, from));
  if (key === undefined) throw unusable(from, 'holds no key');
  return { key, older, from };
}

/** Buffer.from ignores what is no base64: the round trip does not. */
function readKey(word: string, from: string): Uint8Array {
  const bytes = Buffer.from(word, 'base64');
  const same = bytes.toString('base64').replace(/=+$/, '') === word.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  if (bytes.length !== SECRET_KEY_BYTES || !same) throw unusable(from, `holds something that is no base64 of ${SECRET_KEY_BYTES} bytes`);
  return bytes;
}

function unusable(from: string, what: string, cause?: unknown, help?: string): EngineError {
  return new EngineError('data-directory', `the secret key ${from} ${what}`, {
    cause,
    help: help ?? 'A key is what `head -c 32 /dev/urandom | base64` prints; the file belongs to the user of the daemon and has mode 0600.',
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
