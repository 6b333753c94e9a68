import { setImmediate } from 'node:timers/promises';
import { type ContextEntry, ContextReadError, type ContextSource } from '../context/context-entry.ts';
import { ProtoWriter, readFields } from '../protobuf.ts';
import { GRPC_STATUS, type GrpcCall, GrpcFailure, type GrpcHandler } from './grpc-call.ts';

/** Kinds of the packets of BuildKit's file transfer (tonistiigi/fsutil). */
const PACKET = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

/** Type bits of Go's os.FileMode, and the three bits it keeps elsewhere than the kernel. */
const GO_MODE: Readonly<Record<ContextEntry['kind'], number>> = {
  file: 0,
  directory: 0x8000_0000,
  symlink: 0x0800_0000,
  'block-device': 0x0400_0000,
  'character-device': 0x0420_0000,
  fifo: 0x0200_0000,
};
const GO_SETUID = 0x0080_0000;
const GO_SETGID = 0x0040_0000;
const GO_STICKY = 0x0010_0000;

const BATCH_BYTES = 64 * 1024;

/**
 * moby.filesync.v1.FileSync: the engine compares our listing with what it kept from earlier builds and asks only for
 * the files that differ. `onReadError` hears of files that cannot be read before the engine reports its own view of it.
 */
export function fileSyncService(
  sources: ReadonlyMap<string, ContextSource>,
  onReadError: (error: ContextReadError) => void,
): ReadonlyMap<string, GrpcHandler> {
  return new Map([
    [
      '/moby.filesync.v1.FileSync/DiffCopy',
      async (call) => {
        const name = call.header('dir-name')[0] ?? '';
        const source = sources.get(name);
        if (source === undefined) throw new GrpcFailure(GRPC_STATUS.notFound, `this build has no directory "${name}"`);
        try {
          await new Transfer(call, source).run();
        } catch (error) {
          if (error instanceof ContextReadError) onReadError(error);
          const message = error instanceof Error ? error.message : String(error);
          await call.send(packet(PACKET.error, 0, Buffer.from(message, 'utf8'))).catch(() => undefined);
          throw error;
        }
      },
    ],
  ]);
}

class Transfer {
  readonly #call: GrpcCall;
  readonly #source: ContextSource;
  readonly #files = new Map<number, ContextEntry>();
  readonly #requested: number[] = [];
  #sending: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(call: GrpcCall, source: ContextSource) {
    this.#call = call;
    this.#source = source;
  }

  async run(): Promise<void> {
    const listing = this.#sendListing();
    // A failure of the listing must end the loop below, which waits for the engine's next packet.
    const failed = listing.then(
      () => new Promise<never>(() => undefined),
      (error: unknown) => Promise.reject(error instanceof Error ? error : new Error(String(error))),
    );
    try {
      await Promise.race([this.#answerRequests(), failed]);
      await listing;
    } catch (error) {
      // The engine ends the call when a file fails: the file's error is the cause.
      throw this.#failure === undefined ? error : this.#failure.error;
    }
    await this.#sending;
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#call.send(packet(PACKET.finish, 0));
  }

  async #sendListing(): Promise<void> {
    const selection = {
      followPaths: decodedHeader(this.#call, 'followpaths'),
      includePatterns: decodedHeader(this.#call, 'include-patterns'),
    };
    let batch: Uint8Array[] = [];
    let batchBytes = 0;
    let id = 0;
    for await (const entry of this.#source.entries(selection)) {
      if (entry.kind === 'file' && entry.linkname === undefined) this.#files.set(id, entry);
      id += 1;
      const message = statPacket(entry);
      batch.push(message);
      batchBytes += message.length;
      if (batchBytes < BATCH_BYTES) continue;
      await this.#call.send(...batch);
      batch = [];
      batchBytes = 0;
    }
    await this.#call.send(...batch, packet(PACKET.stat, 0));
  }

  /** Returns when the engine has everything it wants. */
  async #answerRequests(): Promise<void> {
    for await (const message of this.#call.messages) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const { type, id, data } = readPacket(message);
      if (type === PACKET.finish) return;
      if (type === PACKET.error) throw new Error(`the engine could not take the build context: ${data}`);
      if (type !== PACKET.request) continue;
      this.#requested.push(id);
      this.#sending ??= this.#startSending();
    }
    throw new Error('the engine ended the transfer of the build context early');
  }

  async #startSending(): Promise<void> {
    try {
      // What the engine asks for in one go is sent in one go.
      await setImmediate();
      await this.#sendRequested();
    } catch (error) {
      this.#failure ??= { error };
      const message = error instanceof Error ? error.message : String(error);
      // The engine answers an error packet by ending the call, which ends the loop above.
      await this.#call.send(packet(PACKET.error, 0, Buffer.from(message, 'utf8'))).catch(() => undefined);
    } finally {
      this.#sending = undefined;
      if (this.#requested.length > 0 && this.#failure === undefined) this.#sending = this.#startSending();
    }
  }

  /** Sends the requested files one after the other; small ones share a write, which is what many of them cost most. */
  async #sendRequested(): Promise<void> {
    let batch: Uint8Array[] = [];
    let batchBytes = 0;
    const add = async (message: Uint8Array): Promise<void> => {
      batch.push(message);
      batchBytes += message.length;
      if (batchBytes < BATCH_BYTES) return;
      const full = batch;
      batch = [];
      batchBytes = 0;
      await this.#call.send(...full);
    };
    for (let id = this.#requested.shift(); id !== undefined; id = this.#requested.shift()) {
      const entry = this.#files.get(id);
      if (entry === undefined) throw new Error(`the engine asked for the file number ${id}, which is none`);
      this.#files.delete(id);
      for await (const chunk of this.#source.read(entry)) {
        // An empty packet means the end of the file.
        if (chunk.length > 0) await add(packet(PACKET.data, id, chunk));
      }
      await add(packet(PACKET.data, id));
    }
    await this.#call.send(...batch);
  }
}

/** Header values that are not ASCII come query-escaped, marked by a second header. */
function decodedHeader(call: GrpcCall, name: string): readonly string[] {
  const values = call.header(name);
  if (call.header(`${name}-encoded`)[0] !== '1') return values;
  return values.map((value) => decodeURIComponent(value.replaceAll('+', ' ')));
}

function statPacket(entry: ContextEntry): Uint8Array {
  const mode =
    (entry.mode & 0o777) |
    GO_MODE[entry.kind] |
    ((entry.mode & 0o4000) === 0 ? 0 : GO_SETUID) |
    ((entry.mode & 0o2000) === 0 ? 0 : GO_SETGID) |
    ((entry.mode & 0o1000) === 0 ? 0 : GO_STICKY);
  const stat = new ProtoWriter()
    .string(1, entry.path)
    .varint(2, mode >>> 0)
    .varint(5, entry.size)
    .varint(6, entry.mtimeNs)
    .string(7, entry.linkname ?? '')
    .varint(8, entry.deviceMajor ?? 0)
    .varint(9, entry.deviceMinor ?? 0);
  return new ProtoWriter().message(2, stat.finish()).finish();
}

function packet(type: number, id: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new ProtoWriter().varint(1, type).varint(3, id).bytes(4, data).finish();
}

function readPacket(message: Uint8Array): { readonly type: number; readonly id: number; readonly data: string } {
  let type = 0;
  let id = 0;
  let data = '';
  for (const field of readFields(message)) {
    if (field.number === 1) type = Number(field.value);
    else if (field.number === 3) id = Number(field.value);
    else if (field.number === 4) data = Buffer.from(field.bytes).toString('utf8');
  }
  return { type, id, data };
}
