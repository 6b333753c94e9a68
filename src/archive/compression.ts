import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';

/** What a stream is by its first bytes. `text` has no NUL and is valid UTF-8 as far as seen. */
export type ContentKind = 'tar' | 'gzip' | 'bzip2' | 'xz' | 'zstd' | 'zip' | 'text' | 'empty' | 'unknown';

/** Bytes that `detectContent` wants to see. */
export const MAGIC_LENGTH = 512;

const MAGIC: readonly (readonly [kind: ContentKind, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['zip', [0x50, 0x4b, 0x05, 0x06]],
];

export function detectContent(head: Uint8Array): ContentKind {
  if (head.length === 0) return 'empty';
  const magic = MAGIC.find(([, bytes]) => bytes.every((byte, index) => head[index] === byte));
  if (magic !== undefined) return magic[0];
  if (isTarHeader(head)) return 'tar';
  return isText(head) ? 'text' : 'unknown';
}

/** A header block's checksum counts its own field as blanks; an archive without entries is zeros. */
function isTarHeader(head: Uint8Array): boolean {
  if (head.length < 512) return false;
  const field = Buffer.from(head.subarray(148, 156))
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trim();
  let sum = 8 * 32;
  for (let index = 0; index < 512; index += 1) if (index < 148 || index >= 156) sum += head[index] ?? 0;
  return (/^[0-7]+$/.test(field) && Number.parseInt(field, 8) === sum) || (sum === 8 * 32 && field === '');
}

function isText(head: Uint8Array): boolean {
  if (head.includes(0)) return false;
  try {
    // The last character may be cut.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Unpacks one layer of compression; the stream fails where the data is damaged. Tar passes through. */
export async function decompress(
  kind: 'tar' | 'gzip' | 'bzip2' | 'xz' | 'zstd',
  source: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const readable = Readable.from(source, { objectMode: false });
  switch (kind) {
    case 'tar':
      return readable;
    case 'gzip':
      return piped(readable, createGunzip());
    case 'zstd':
      return piped(readable, createZstdDecompress());
    case 'bzip2': {
      const { bunzip2 } = await import('./bunzip2.ts');
      return bunzip2(readable);
    }
    case 'xz': {
      // A CommonJS package whose names node does not see.
      const { default: xz } = await import('xz-decompress');
      return Readable.fromWeb(new xz.XzReadableStream(Readable.toWeb(readable)));
    }
  }
}

function piped(source: Readable, transform: NodeJS.ReadWriteStream & Readable): Readable {
  source.on('error', (error) => transform.destroy(error));
  transform.on('close', () => source.destroy());
  source.pipe(transform);
  return transform;
}
