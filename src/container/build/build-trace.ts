import { readFields } from './protobuf.ts';

/** What the engine says of its build graph since the last message (moby.buildkit.v1.StatusResponse). Times are nanoseconds. */
export interface BuildTrace {
  readonly vertexes: readonly TraceVertex[];
  readonly statuses: readonly TraceStatus[];
  readonly logs: readonly TraceLog[];
  readonly warnings: readonly TraceWarning[];
}

export interface TraceVertex {
  readonly digest: string;
  readonly name: string;
  readonly cached: boolean;
  readonly startedNs: bigint | undefined;
  readonly completedNs: bigint | undefined;
  readonly error: string;
}

/** A part of a vertex that moves bytes. `total` 0 means unknown. */
export interface TraceStatus {
  readonly id: string;
  readonly vertex: string;
  readonly current: number;
  readonly total: number;
}

export interface TraceLog {
  readonly vertex: string;
  /** 1: standard output, 2: standard error. */
  readonly stream: number;
  readonly bytes: Uint8Array;
}

export interface TraceWarning {
  readonly vertex: string;
  readonly message: string;
}

/** Throws RangeError for a malformed message. */
export function decodeBuildTrace(message: Uint8Array): BuildTrace {
  const vertexes: TraceVertex[] = [];
  const statuses: TraceStatus[] = [];
  const logs: TraceLog[] = [];
  const warnings: TraceWarning[] = [];
  for (const { number, bytes } of readFields(message)) {
    if (number === 1) vertexes.push(decodeVertex(bytes));
    else if (number === 2) statuses.push(decodeStatus(bytes));
    else if (number === 3) logs.push(decodeLog(bytes));
    else if (number === 4) warnings.push(decodeWarning(bytes));
  }
  return { vertexes, statuses, logs, warnings };
}

function decodeVertex(message: Uint8Array): TraceVertex {
  const vertex = {
    digest: '',
    name: '',
    cached: false,
    startedNs: undefined as bigint | undefined,
    completedNs: undefined as bigint | undefined,
    error: '',
  };
  for (const { number, value, bytes } of readFields(message)) {
    if (number === 1) vertex.digest = text(bytes);
    else if (number === 3) vertex.name = text(bytes);
    else if (number === 4) vertex.cached = value !== 0n;
    else if (number === 5) vertex.startedNs = timestamp(bytes);
    else if (number === 6) vertex.completedNs = timestamp(bytes);
    else if (number === 7) vertex.error = text(bytes);
  }
  return vertex;
}

function decodeStatus(message: Uint8Array): TraceStatus {
  const status = { id: '', vertex: '', current: 0, total: 0 };
  for (const { number, value, bytes } of readFields(message)) {
    if (number === 1) status.id = text(bytes);
    else if (number === 2) status.vertex = text(bytes);
    else if (number === 4) status.current = Number(value);
    else if (number === 5) status.total = Number(value);
  }
  return status;
}

function decodeLog(message: Uint8Array): TraceLog {
  const log = { vertex: '', stream: 1, bytes: new Uint8Array(0) as Uint8Array };
  for (const { number, value, bytes } of readFields(message)) {
    if (number === 1) log.vertex = text(bytes);
    else if (number === 3) log.stream = Number(value);
    else if (number === 4) log.bytes = bytes;
  }
  return log;
}

function decodeWarning(message: Uint8Array): TraceWarning {
  const warning = { vertex: '', message: '' };
  for (const { number, bytes } of readFields(message)) {
    if (number === 1) warning.vertex = text(bytes);
    else if (number === 3) warning.message = text(bytes);
  }
  return warning;
}

/** google.protobuf.Timestamp in nanoseconds. */
function timestamp(message: Uint8Array): bigint {
  let seconds = 0n;
  let nanos = 0n;
  for (const { number, value } of readFields(message)) {
    if (number === 1) seconds = BigInt.asIntN(64, value);
    else if (number === 2) nanos = BigInt.asIntN(64, value);
  }
  return seconds * 1_000_000_000n + nanos;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
