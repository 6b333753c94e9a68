import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Diagnostic, SourceText } from '../model/diagnostic.ts';
import { resolveBelow } from '../util/confined-path.ts';
import { err, ok, type Result } from '../util/result.ts';

/** Bytes; the loader of tasks refuses more. */
const MOST_BYTES = 1024 * 1024;

/** Reads a text file of a context: at most 1 MiB, and nothing that lies outside of the context, whatever links say. */
export async function readContextFile(directory: string, name: string): Promise<Result<SourceText, Diagnostic>> {
  const path = await resolveBelow(directory, name);
  if (path === undefined) return refused('file-unreadable', `${name} leads out of the context`);
  try {
    // A pipe would be waited for without end.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return refused('file-unreadable', `${name} is no file`);
    if (stats.size > MOST_BYTES) return refused('file-too-big', `${name} has ${stats.size} bytes`, `at most ${MOST_BYTES} bytes`);
    return ok({ name, text: await file.readFile('utf8') });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return refused('file-unreadable', code === 'ENOENT' ? `the context has no file ${name}` : `${name} cannot be read (${code})`);
  }
}

function refused(code: Diagnostic['code'], message: string, expected?: string): Result<never, Diagnostic> {
  return err({ code, severity: 'error', message, ...(expected === undefined ? {} : { expected }) });
}
