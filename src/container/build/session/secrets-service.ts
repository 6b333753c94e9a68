import { ProtoWriter, readFields } from '../protobuf.ts';
import { GRPC_STATUS, GrpcFailure, type GrpcHandler } from './grpc-call.ts';
import { unary } from './unary.ts';

/** moby.buildkit.secrets.v1.Secrets: values for `RUN --mount=type=secret`, by id. */
export function secretsService(secrets: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, GrpcHandler> {
  return new Map([['/moby.buildkit.secrets.v1.Secrets/GetSecret', unary((request) => answerSecret(secrets, request))]]);
}

function answerSecret(secrets: ReadonlyMap<string, Uint8Array>, request: Uint8Array): Uint8Array {
  let id = '';
  for (const field of readFields(request)) if (field.number === 1) id = Buffer.from(field.bytes).toString('utf8');
  const value = secrets.get(id);
  if (value === undefined) throw new GrpcFailure(GRPC_STATUS.notFound, `secret ${id} is not among the --secret options`);
  return new ProtoWriter().bytes(1, value).finish();
}
