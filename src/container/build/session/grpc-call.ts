/** Status codes of gRPC that the session's services answer with. */
export const GRPC_STATUS = { unknown: 2, notFound: 5, permissionDenied: 7, unimplemented: 12 } as const;

/** Ends a call with a status other than OK. */
export class GrpcFailure extends Error {
  override readonly name = 'GrpcFailure';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One call of the engine, unary or streaming. */
export interface GrpcCall {
  /** Every value of a request header, in order (a header may be repeated). */
  header(name: string): readonly string[];
  /** Ends when the engine has sent its last message; rejects when the call is cancelled. */
  readonly messages: AsyncIterable<Uint8Array>;
  /** Resolves when the transport can take more. Rejects when the call is gone. */
  send(...messages: readonly Uint8Array[]): Promise<void>;
}

export type GrpcHandler = (call: GrpcCall) => Promise<void>;
