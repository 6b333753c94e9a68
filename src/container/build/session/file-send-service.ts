import type { Writable } from 'node:stream';
import { writeDrained } from '../drained.ts';
import { readFields } from '../protobuf.ts';
import type { GrpcHandler } from './grpc-call.ts';

/** moby.filesync.v1.FileSend: the engine sends the archive of an `--output`. `target` is ended when all of it is there. */
export function fileSendService(target: Writable): ReadonlyMap<string, GrpcHandler> {
  return new Map([
    [
      '/moby.filesync.v1.FileSend/DiffCopy',
      async (call) => {
        try {
          for await (const message of call.messages) {
            for (const field of readFields(message)) {
              if (field.number === 1) await writeDrained(target, field.bytes);
            }
          }
          target.end();
        } catch (error) {
          target.destroy(error instanceof Error ? error : new Error(String(error)));
          throw error;
        }
      },
    ],
  ]);
}
