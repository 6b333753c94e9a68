import { type Command, Option } from 'commander';
import { LIST_FORMATS } from '../tables/print-value.ts';

/** `--server` and `--token-file`, for every command that speaks to a daemon. */
export function addServerFlags(command: Command): Command {
  return command
    .optionsGroup('Daemon:')
    .option(
      '--server <url>',
      'daemon: http(s)://HOST[:PORT] or unix:PATH (default: SLIPWAY_SERVER, the saved login, the daemon of this user on this machine)',
    )
    .option('--token-file <file>', 'file that holds the token (default: SLIPWAY_TOKEN, the saved login)');
}

/** `--output table|json|yaml`. */
export function addListOutput(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(LIST_FORMATS).default('table'));
}

export function addIdempotencyKey(command: Command): Command {
  return command.option(
    '--idempotency-key <key>',
    'repeating the command with the same key does nothing twice (default: a new key for each command)',
  );
}
