import { crc32 } from 'node:zlib';
import type { ContextEntry, ContextSource } from './context-entry.ts';

/** A flat directory of a few texts held in memory (the Dockerfile and its .dockerignore). Names must be in byte order. */
export function memorySource(files: ReadonlyMap<string, string>): ContextSource {
  const contents = new Map([...files].map(([name, text]) => [name, Buffer.from(text, 'utf8')]));
  return {
    async *entries() {
      for (const [path, content] of contents) yield textEntry(path, content);
    },
    async *read(entry) {
      const content = contents.get(entry.path);
      if (content !== undefined) yield content;
    },
  };
}

/**
 * The engine skips a file whose size and time it has seen under that name, so the time is made of the content: equal
 * texts are not sent again and changed ones always are. A checksum will do: nobody but the same run of builds writes under a context's name, and
 * Node's cryptography would take 7 ms to load while the engine waits.
 */
function textEntry(path: string, content: Buffer): ContextEntry {
  return { path, kind: 'file', mode: 0o644, size: content.length, mtimeNs: BigInt(crc32(content)) * 1_000_000_000n };
}
