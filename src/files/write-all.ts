import type { FileHandle } from 'node:fs/promises';

/** Writes all the buffers one after another from a position on, however little the system takes at a time. */
export async function writeAll(handle: FileHandle, buffers: readonly Uint8Array[], position: number): Promise<void> {
  let rest: readonly Uint8Array[] = buffers;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev([...rest], at);
    at += bytesWritten;
    rest = withoutFirst(rest, bytesWritten);
  }
}

function withoutFirst(buffers: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [index, buffer] of buffers.entries()) {
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(index + 1)];
    left -= buffer.length;
  }
  return [];
}

/** Exactly `length` bytes from a position on, fewer only where the file ends before. */
export async function readAll(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const target = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(target, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === length ? target : target.subarray(0, filled);
}
