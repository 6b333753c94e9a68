import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { err, ok, type Result } from '../../util/result.ts';
import type { Assignment } from '../flags/option-values.ts';
import type { Io } from '../io.ts';

/**
 * A value of `env:NAME` or `file:PATH`; any other text stands for itself where `literal` allows it. One LF at the end of a
 * file is an editor's and does not belong to the value.
 */
export async function readSecretValue(
  flag: string,
  { name, value }: Assignment,
  io: Io,
  options: { readonly literal: boolean },
): Promise<Result<string, Diagnostic>> {
  if (value.startsWith('env:')) {
    const variable = value.slice('env:'.length);
    const found = io.environment[variable];
    if (found !== undefined) return ok(found);
    return err({ code: 'flag-value', severity: 'error', message: `${flag} ${name}: the environment has no variable ${variable}` });
  }
  if (value.startsWith('file:')) {
    const path = value.slice('file:'.length);
    try {
      return ok((await readFile(resolve(io.directory, path), 'utf8')).replace(/\r?\n$/, ''));
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      return err({ code: 'file-unreadable', severity: 'error', message: `${flag} ${name}: ${path} cannot be read (${reason})` });
    }
  }
  if (options.literal) return ok(value);
  return err({
    code: 'flag-value',
    severity: 'error',
    message: `${flag} ${name} has a source that is not known`,
    expected: 'env:NAME or file:PATH',
    help: 'a value on the command line would be visible to every user of this machine',
  });
}
