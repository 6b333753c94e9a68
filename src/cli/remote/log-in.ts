import { resolve } from 'node:path';
import type { MeResource } from '../../api/security-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { readStdin } from '../source/find-task-file.ts';
import { factLines } from '../tables/fit-table.ts';
import { type ListFormat, printValue } from '../tables/print-value.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { createDaemonClient } from './client.ts';
import { isClearText, parseServer, readTokenFile, type ServerFlags, type ServerPlace } from './find-server.ts';
import { FlagError } from './flag-error.ts';
import { readLogin, removeLogin, writeLogin } from './login-file.ts';
import { askHidden, canAsk } from './prompts.ts';
import { withDaemon } from './with-daemon.ts';

/** `task login URL`: tries the token, then keeps both for later commands. */
export async function logIn(server: string, flags: { readonly tokenFile?: string }, io: Io): Promise<ExitCode> {
  const place = parseServer(server, 'task login', io);
  if (isClearText(place)) {
    io.stderr.write(`${io.paintError('yellow', 'warning:')} ${place.name} is plain HTTP: whoever is on the way reads the token\n`);
  }
  const token = await tokenFor(place, flags, io);
  if (token === 'given up') return EXIT.canceled;
  const client = createDaemonClient(token === undefined ? place : { ...place, token }, io.environment);
  try {
    const { value } = await client.call<MeResource>({ method: 'GET', path: '/me' });
    const path = await writeLogin(io.environment, { server: place.name, ...(token === undefined ? {} : { token }) });
    io.stdout.write(`Logged in to ${place.name} as ${printable(value.name)} (${value.role}); kept in ${path}\n`);
    return EXIT.ok;
  } finally {
    client.close();
  }
}

/** A socket knows its user; everywhere else: a file, SLIPWAY_TOKEN, a pipe, or typed without being shown. */
async function tokenFor(place: ServerPlace, flags: { readonly tokenFile?: string }, io: Io): Promise<string | undefined | 'given up'> {
  if (flags.tokenFile !== undefined) return readTokenFile(resolve(io.directory, flags.tokenFile));
  const variable = io.environment['SLIPWAY_TOKEN'];
  if (variable !== undefined && variable !== '') return variable;
  if (place.socketPath !== undefined) return undefined;
  if (canAsk(io)) return (await askHidden(io, `Token for ${place.name}: `)) ?? 'given up';
  const read = await readStdin(io.stdin);
  if (!read.ok) throw new FlagError([read.error]);
  const token = read.value.text.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new EngineError('unauthenticated', `there is no token for ${place.name}`, {
      help: 'Pipe it in, name its file with `--token-file`, or set SLIPWAY_TOKEN.',
    });
  }
  return token;
}

export async function logOut(io: Io): Promise<ExitCode> {
  // A file that cannot be read is removed all the same: that is what was asked for.
  const login = await readLogin(io.environment).catch(() => undefined);
  await removeLogin(io.environment);
  io.stdout.write(
    login === undefined ? 'There was no login\n' : `Logged out of ${printable(login.server)}; the token stays valid until it is revoked\n`,
  );
  return EXIT.ok;
}

export function whoAmI(flags: ServerFlags & { readonly output: ListFormat }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<MeResource>({ method: 'GET', path: '/me' });
    const { place } = client;
    await printValue(io, flags.output, { server: place.name, serverFrom: place.from, ...value }, () =>
      factLines(
        [
          ['Name', value.name],
          ['Role', value.role],
          ['Tasks', value.tasks?.join(', ') ?? 'all'],
          ['May', value.scopes.join(', ')],
          ['From', value.from],
          ['Daemon', `${place.name} (${place.from})`],
        ],
        io.paint,
      ),
    );
    return EXIT.ok;
  });
}
