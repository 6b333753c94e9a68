import { GRPC_STATUS, GrpcFailure, type GrpcHandler } from './grpc-call.ts';

/** A handler of one request and one response. */
export function unary(respond: (request: Uint8Array) => Promise<Uint8Array> | Uint8Array): GrpcHandler {
  return async (call) => {
    for await (const request of call.messages) {
      await call.send(await respond(request));
      return;
    }
    throw new GrpcFailure(GRPC_STATUS.unknown, 'the call ended without a request');
  };
}
