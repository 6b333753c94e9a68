import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BuildRunContext } from '../image-builder.ts';
import type { BuildTarget } from './build-output.ts';
import type { ContextEntry } from './context/context-entry.ts';
import { packSource } from './context-tar.ts';

/** Puts the archive of an `--output` into the workspace: unpacked, or as one file. */
export async function writeOutput(archive: Readable, target: BuildTarget, environment: BuildRunContext): Promise<void> {
  if (target.kind === 'directory') return environment.writeWorkspaceTar(target.path, archive);
  if (target.kind === 'archive') return writeArchive(archive, target.path, environment);
}

/** Writes one file of the workspace. */
export function writeWorkspaceFile(path: string, content: Uint8Array, environment: BuildRunContext): Promise<void> {
  const extra = { path: posix.basename(path), mode: 0o644, content };
  return environment.writeWorkspaceTar(posix.dirname(path), packSource({ entries: noEntries, read: noContent }, [extra]));
}

/** A tar needs the size of its file before the content, so the archive is kept on disk until it is complete. */
async function writeArchive(archive: Readable, path: string, environment: BuildRunContext): Promise<void> {
  const spool = join(tmpdir(), `slipway-output-${randomUUID()}`);
  try {
    await pipeline(archive, createWriteStream(spool, { flags: 'wx', mode: 0o600 }));
    const file = await open(spool, 'r');
    try {
      const { size } = await file.stat();
      const entry: ContextEntry = { path: posix.basename(path), kind: 'file', mode: 0o644, size, mtimeNs: BigInt(Date.now()) * 1_000_000n };
      const source = {
        async *entries() {
          yield entry;
        },
        read: () => file.createReadStream({ autoClose: false, start: 0 }) as AsyncIterable<Uint8Array>,
      };
      await environment.writeWorkspaceTar(posix.dirname(path), packSource(source));
    } finally {
      await file.close();
    }
  } finally {
    await rm(spool, { force: true });
  }
}

async function* noEntries(): AsyncGenerator<ContextEntry> {}

async function* noContent(): AsyncGenerator<Uint8Array> {}
