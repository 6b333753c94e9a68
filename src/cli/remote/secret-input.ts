import type { SecretInput } from '../../api/common.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { err, ok, type Result } from '../../util/result.ts';
import type { Assignment } from '../flags/option-values.ts';
import type { Io } from '../io.ts';
import { readSecretValue } from '../source/secret-values.ts';

/**
 * A secret of a flag: `secret:NAME` is one that the daemon has, `env:NAME` and `file:PATH` are read here and sent to be sealed; other text stands for
 * itself where `literal` allows it.
 */
export async function readSecretInput(
  flag: string,
  assignment: Assignment,
  io: Io,
  options: { readonly literal: boolean },
): Promise<Result<SecretInput, Diagnostic>> {
  const { name, value } = assignment;
  if (value.startsWith('secret:')) {
    const secret = value.slice('secret:'.length);
    if (secret !== '') return ok({ secret });
    return err({ code: 'flag-value', severity: 'error', message: `${flag} ${name}: \`secret:\` names no secret`, expected: 'secret:NAME' });
  }
  const read = await readSecretValue(flag, assignment, io, options);
  if (read.ok) return ok({ plain: read.value });
  return err(read.error.expected === undefined ? read.error : { ...read.error, expected: 'secret:NAME, env:NAME or file:PATH' });
}
