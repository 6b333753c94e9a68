import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configDirectory } from '../../config/load-settings.ts';
import { EngineError } from '../../model/engine-error.ts';

/** Where `task login` keeps what later commands need. */
export interface Login {
  /** `http(s)://…` or `unix:PATH`. */
  readonly server: string;
  readonly token?: string;
}

export function loginPath(environment: NodeJS.ProcessEnv): string {
  return join(configDirectory(environment), 'login.json');
}

/** The saved login; undefined when there is none. Rejects with EngineError when the file is broken or open to others. */
export async function readLogin(environment: NodeJS.ProcessEnv): Promise<Login | undefined> {
  const path = loginPath(environment);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
    if (((await stat(path)).mode & 0o077) !== 0) throw unusable(path, 'can be read by other users', `\`chmod 600 ${path}\``);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unusable(path, `cannot be read (${String(code)})`, 'Make it readable, or remove it and log in again.');
  }
  const login = parseLogin(text);
  if (login === undefined) throw unusable(path, 'holds no login', 'Remove it and log in again with `task login URL`.');
  return login;
}

/** Replaces the saved login; readable for this user only. */
export async function writeLogin(environment: NodeJS.ProcessEnv, login: Login): Promise<string> {
  const path = loginPath(environment);
  await mkdir(configDirectory(environment), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, `${JSON.stringify(login, undefined, 2)}\n`, { mode: 0o600 });
  await rename(fresh, path);
  return path;
}

export async function removeLogin(environment: NodeJS.ProcessEnv): Promise<void> {
  await rm(loginPath(environment), { force: true });
}

function parseLogin(text: string): Login | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('server' in value) || typeof value.server !== 'string') return undefined;
  const token = 'token' in value ? value.token : undefined;
  if (token !== undefined && typeof token !== 'string') return undefined;
  return { server: value.server, ...(token === undefined ? {} : { token }) };
}

function unusable(path: string, problem: string, help: string): EngineError {
  return new EngineError('unauthenticated', `${path} ${problem}`, { help });
}
