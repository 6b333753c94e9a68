import { ProtoWriter } from '../protobuf.ts';
import type { GrpcHandler } from './grpc-call.ts';
import { unary } from './unary.ts';

const SERVING = 1;

/** grpc.health.v1.Health: the engine asks every few seconds and drops the session when nobody answers. */
export const healthService: ReadonlyMap<string, GrpcHandler> = new Map([
  ['/grpc.health.v1.Health/Check', unary(() => new ProtoWriter().varint(1, SERVING).finish())],
]);
