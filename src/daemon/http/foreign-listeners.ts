import { open, readdir, readlink } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Clock } from '../../model/ports/clock.ts';

const LISTENING = '0A';
const MOST_BYTES = 1024 * 1024;
const LOOK_EACH_MS = 60_000;

/** A listening socket as `/proc/net/tcp` has it. */
interface ListeningSocket {
  /** Hexadecimal, in the order of the machine. */
  readonly address: string;
  readonly uid: string;
  readonly inode: string;
}

/** Looks whether others take connections of the same address: sockets of one user may share it. Linux only; elsewhere there is nobody. */
interface ListenerWatch {
  /** What is there that is not this process's, in words. */
  look(): Promise<string | undefined>;
}

/** To be made when the process listens on `port` with all of its sockets: later ones count as foreign. */
export async function watchListeners(port: number): Promise<ListenerWatch> {
  if (process.platform !== 'linux') return { look: async () => undefined };
  const mine = await ownSockets();
  return {
    look: async () => {
      const sockets = await listeningOn(port);
      const own = sockets.filter(({ inode }) => mine.has(inode));
      const addresses = new Set(own.map(({ address }) => address));
      const anyAddress = own.some(({ address }) => /^0+$/.test(address));
      const foreign = sockets.filter(({ inode, address }) => !mine.has(inode) && (anyAddress || addresses.has(address)));
      const [first] = foreign;
      if (first === undefined) return undefined;
      return `another process of user id ${first.uid} listens on port ${port} too (${foreign.length} sockets) and takes requests that are meant for this daemon`;
    },
  };
}

/** Looks at once and every minute until the signal; logs when somebody comes and goes. `refusal` says who was there at the last look. */
export function followListeners(
  port: number,
  {
    clock,
    logger,
    signal,
  }: { readonly clock: Pick<Clock, 'sleep'>; readonly logger: Pick<Logger, 'error' | 'info' | 'debug'>; readonly signal: AbortSignal },
): { refusal(): string | undefined } {
  let seen: string | undefined;
  const follow = async (): Promise<void> => {
    const watch = await watchListeners(port);
    while (!signal.aborted) {
      const there = await watch.look();
      if (there !== undefined && seen === undefined) logger.error({ port }, there);
      if (there === undefined && seen !== undefined) logger.info({ port }, 'no other process listens there any more');
      seen = there;
      await clock.sleep(LOOK_EACH_MS, signal);
    }
  };
  void follow().catch((error: unknown) => logger.debug({ err: error }, 'who else listens cannot be told'));
  return { refusal: () => seen };
}

/** Inodes of the sockets of this process. */
async function ownSockets(): Promise<ReadonlySet<string>> {
  const files = await readdir('/proc/self/fd');
  const targets = await Promise.all(files.map((file) => readlink(`/proc/self/fd/${file}`).catch(() => '')));
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
}

async function listeningOn(port: number): Promise<readonly ListeningSocket[]> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => listeningLines(path).catch(() => [])));
  return tables.flat().flatMap((line) => {
    const [, local = '', , , , , , uid = '', , inode = ''] = line.trim().split(/\s+/);
    return local.endsWith(suffix) ? [{ address: local.slice(0, -suffix.length), uid, inode }] : [];
  });
}

/** The system lists sockets that listen before all others: the thousands of connections of a busy daemon are not read. */
async function listeningLines(path: string): Promise<readonly string[]> {
  await using file = await open(path);
  let text = '';
  const piece = Buffer.alloc(16 * 1024);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, piece.length);
    text += piece.toString('latin1', 0, bytesRead);
    const lines = text.split('\n').slice(1, -1);
    const other = lines.findIndex((line) => line.trim().split(/\s+/)[3] !== LISTENING);
    if (other >= 0) return lines.slice(0, other);
    if (bytesRead === 0 || text.length > MOST_BYTES) return lines;
  }
}
