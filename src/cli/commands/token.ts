import { type Command, Option } from 'commander';
import { ROLES, SCOPES } from '../../model/security.ts';
import { collect } from '../flags/option-values.ts';
import { addIdempotencyKey, addListOutput, addServerFlags } from '../flags/server-flags.ts';
import { parseExpiry } from '../flags/since.ts';
import { repeatable } from '../flags/task-flags.ts';
import type { TokenFlags } from '../remote/administer.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { ListFormat } from '../tables/print-value.ts';
import type { Shell } from './command-parts.ts';

/** `task token create|list|revoke`. */
export function addTokenCommand(program: Command, { io, finish }: Shell): void {
  const group = program.command('token').helpCommand(false).summary('tokens of a daemon').description('Who may do what on a daemon.');
  const create = group
    .command('create')
    .summary('make a token')
    .description('Makes a token and prints it, this once.')
    .argument('<name>', 'whose it is, for lists and the audit')
    .addOption(
      new Option('--role <role>', 'what it may do; each role holds what the one before holds').choices(ROLES).makeOptionMandatory(),
    )
    .addOption(repeatable('--scope <verb>', `only these verbs of the role: ${SCOPES.join(', ')}`, collect))
    .addOption(repeatable('--task <glob>', 'only these tasks; `*` stands for any characters', collect))
    .option('--expires <time>', 'until when: 12h, 30d, or a date (default: it does not expire)', (text) => parseExpiry(text));
  addIdempotencyKey(addListOutput(addServerFlags(create))).action(async (name: string, flags: TokenFlags) => {
    const { createToken } = await import('../remote/administer.ts');
    finish(await createToken(name, flags, io));
  });
  const list = group.command('list').summary('list tokens').description('Lists tokens without their secret part.');
  addListOutput(addServerFlags(list)).action(async (flags: ServerFlags & { readonly output: ListFormat }) => {
    const { listTokens } = await import('../remote/administer.ts');
    finish(await listTokens(flags, io));
  });
  const revoke = group
    .command('revoke')
    .summary('revoke tokens')
    .description('What a revoked token asks for is refused from now on.')
    .argument('<id...>', 'ids of tokens, as `task token list` shows them');
  addServerFlags(revoke).action(async (ids: readonly string[], flags: ServerFlags) => {
    const { revokeTokens } = await import('../remote/administer.ts');
    finish(await revokeTokens(ids, flags, io));
  });
}
