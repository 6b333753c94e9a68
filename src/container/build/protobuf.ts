/**
 * The few parts of the protobuf wire format that the engine's session and progress messages need
 * (https://protobuf.dev/programming-guides/encoding): varints, fixed widths and length-delimited fields.
 * Written out because the messages are small and a schema compiler costs more to load than a whole build costs.
 */

export interface ProtoField {
  readonly number: number;
  /** Varints and fixed widths; 0 for length-delimited fields. */
  readonly value: bigint;
  /** Length-delimited fields; empty for the others. */
  readonly bytes: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const MAX_VARINT_BYTES = 10;

/** Fields in wire order. Throws RangeError for a truncated or malformed message. */
export function* readFields(message: Uint8Array): Generator<ProtoField> {
  const cursor = { message, offset: 0 };
  while (cursor.offset < message.length) {
    const tag = Number(readVarint(cursor));
    const number = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { number, value: readVarint(cursor), bytes: EMPTY };
        break;
      case 1:
        yield { number, value: readFixed(cursor, 8), bytes: EMPTY };
        break;
      case 2:
        yield { number, value: 0n, bytes: readBytes(cursor, Number(readVarint(cursor))) };
        break;
      case 5:
        yield { number, value: readFixed(cursor, 4), bytes: EMPTY };
        break;
      default:
        throw new RangeError(`protobuf: wire type ${tag & 7} of field ${number} is not known`);
    }
  }
}

interface Cursor {
  readonly message: Uint8Array;
  offset: number;
}

function readVarint(cursor: Cursor): bigint {
  let low = 0;
  // 28 bits fit a number without sign trouble; only what is longer pays for bigint.
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = nextByte(cursor);
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt(low);
  }
  let value = BigInt(low);
  for (let index = 4; index < MAX_VARINT_BYTES; index += 1) {
    const byte = nextByte(cursor);
    value |= BigInt(byte & 0x7f) << BigInt(index * 7);
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw new RangeError('protobuf: a varint is longer than ten bytes');
}

function nextByte(cursor: Cursor): number {
  const byte = cursor.message[cursor.offset];
  if (byte === undefined) throw new RangeError('protobuf: the message ends inside a field');
  cursor.offset += 1;
  return byte;
}

function readBytes(cursor: Cursor, length: number): Uint8Array {
  const end = cursor.offset + length;
  if (end > cursor.message.length) throw new RangeError('protobuf: the message ends inside a field');
  const bytes = cursor.message.subarray(cursor.offset, end);
  cursor.offset = end;
  return bytes;
}

function readFixed(cursor: Cursor, width: 4 | 8): bigint {
  const bytes = readBytes(cursor, width);
  let value = 0n;
  for (let index = width - 1; index >= 0; index -= 1) value = (value << 8n) | BigInt(bytes[index] ?? 0);
  return value;
}

/** Builds one message; fields that hold their default (0, empty) are left out, as proto3 does. */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];

  varint(field: number, value: number | bigint): this {
    if (value === 0 || value === 0n) return this;
    this.#parts.push(encodeVarint(field << 3), encodeVarint(value));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.message(field, value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  /** A nested message, written also when it is empty: its presence is the meaning. */
  message(field: number, value: Uint8Array): this {
    this.#parts.push(encodeVarint((field << 3) | 2), encodeVarint(value.length), value);
    return this;
  }

  finish(): Uint8Array {
    return this.#parts.length === 1 ? (this.#parts[0] ?? EMPTY) : Buffer.concat(this.#parts);
  }
}

function encodeVarint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  if (typeof value === 'number' && value >= 0 && value < 2 ** 31) {
    let rest = value;
    while (rest >= 0x80) {
      bytes.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    bytes.push(rest);
    return Uint8Array.from(bytes);
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
