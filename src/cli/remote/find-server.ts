import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { ADMIN_TOKEN_NAME, dataDirectoryOf, HOLDER_NAME, SOCKET_NAME } from '../../config/data-directory.ts';
import { EngineError } from '../../model/engine-error.ts';
import { classifyAddress } from '../../util/address-policy.ts';
import type { Io } from '../io.ts';
import { readLogin } from './login-file.ts';

/** Flags that say which daemon, and as whom. */
export interface ServerFlags {
  readonly server?: string;
  readonly tokenFile?: string;
}

/** A daemon that was found. */
export interface ServerPlace {
  /** Start of every URL, without a slash at its end. */
  readonly origin: string;
  /** The unix socket that requests go through. */
  readonly socketPath?: string;
  readonly token?: string;
  /** As people write it: `http(s)://…` or `unix:PATH`. */
  readonly name: string;
  /** What named it. */
  readonly from: '--server' | 'task login' | 'SLIPWAY_SERVER' | 'login' | 'this machine';
}

/**
 * The daemon of a command: `--server`, SLIPWAY_SERVER, the saved login, else the socket of this user's daemon. The token of a saved login only goes to its
 * server, that of the data directory only to this machine. Rejects with EngineError when what was named cannot be.
 */
export async function findServer(flags: ServerFlags, io: Io): Promise<ServerPlace> {
  const login = await readLogin(io.environment);
  const variable = io.environment['SLIPWAY_SERVER'];
  const named: [string, ServerPlace['from']] | undefined =
    flags.server !== undefined
      ? [flags.server, '--server']
      : variable !== undefined && variable !== ''
        ? [variable, 'SLIPWAY_SERVER']
        : login !== undefined
          ? [login.server, 'login']
          : undefined;
  const place = named === undefined ? localSocket(io) : parseServer(...named, io);
  const saved = login !== undefined && parseServer(login.server, 'login', io).name === place.name ? login.token : undefined;
  const token = (await givenToken(flags, io)) ?? saved ?? (await localToken(place, io));
  return token === undefined ? place : { ...place, token };
}

/** Whether a command without `--server` would find a daemon: a variable, a login or a socket is there. Asks nobody. */
export async function knowsServer(flags: ServerFlags, io: Io): Promise<boolean> {
  if (flags.server !== undefined || (io.environment['SLIPWAY_SERVER'] ?? '') !== '') return true;
  return (await readLogin(io.environment)) !== undefined || existsSync(socketPath(io));
}

/** Reads `http(s)://host[:port][/path]` or `unix:PATH`. Throws EngineError. */
export function parseServer(text: string, from: ServerPlace['from'], io: Pick<Io, 'directory'>): ServerPlace {
  const path = /^unix:(?:\/\/)?(.+)$/.exec(text)?.[1];
  if (path !== undefined) {
    const absolute = resolve(io.directory, path);
    return { origin: 'http://localhost', socketPath: absolute, name: `unix:${absolute}`, from };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.search !== '' || url.hash !== '') {
    throw badServer(from, text, 'is no address of a daemon');
  }
  if (url.username !== '' || url.password !== '')
    throw badServer(
      from,
      `${url.protocol}//…@${url.host}`,
      'carries a password',
      'Give the token with `--token-file`, SLIPWAY_TOKEN or `task login`.',
    );
  const origin = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  return { origin, name: origin, from };
}

/** Whether what is sent there can be read on the way. */
export function isClearText(place: ServerPlace): boolean {
  return place.socketPath === undefined && place.origin.startsWith('http:') && !isLoopback(place.origin);
}

function badServer(
  from: string,
  text: string,
  problem: string,
  help = 'For example https://builds.example.org, or http://127.0.0.1:7300 for a daemon of this machine.',
): EngineError {
  return new EngineError('invalid-request', `${from}: ${text} ${problem}; expected http(s)://HOST[:PORT] or unix:PATH`, { help });
}

function localSocket(io: Io): ServerPlace {
  const path = socketPath(io);
  return { origin: 'http://localhost', socketPath: path, name: `unix:${path}`, from: 'this machine' };
}

function dataDirectory(io: Io): string {
  return dataDirectoryOf(io.environment, io.directory);
}

function socketPath(io: Io): string {
  return join(dataDirectory(io), SOCKET_NAME);
}

async function givenToken(flags: ServerFlags, io: Io): Promise<string | undefined> {
  if (flags.tokenFile === undefined) return io.environment['SLIPWAY_TOKEN'] || undefined;
  return readTokenFile(resolve(io.directory, flags.tokenFile));
}

export async function readTokenFile(path: string): Promise<string> {
  try {
    const token = (await readFile(path, 'utf8')).trim();
    if (/^[\x21-\x7e]+$/.test(token)) return token;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new EngineError('unauthenticated', `--token-file: ${path} cannot be read (${code})`, { help: 'Name a file that holds a token.' });
  }
  throw new EngineError('unauthenticated', `--token-file: ${path} holds no token`, { help: 'It must hold one line: `slw_…`.' });
}

/** The admin token of this user's daemon, for its own address alone: anybody may listen on another port of loopback. */
async function localToken(place: ServerPlace, io: Io): Promise<string | undefined> {
  // A socket knows its user by itself.
  if (place.socketPath !== undefined || !isLoopback(place.origin)) return undefined;
  const directory = dataDirectory(io);
  const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8').catch(() => '');
  if (!isHolder(await read(HOLDER_NAME), place.origin)) return undefined;
  return (await read(ADMIN_TOKEN_NAME)).trim() || undefined;
}

function isHolder(json: string, origin: string): boolean {
  try {
    const holder: unknown = JSON.parse(json);
    return typeof holder === 'object' && holder !== null && 'url' in holder && holder.url === origin;
  } catch {
    return false;
  }
}

function isLoopback(origin: string): boolean {
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || (isIP(host) !== 0 && classifyAddress(host) === 'loopback');
}
