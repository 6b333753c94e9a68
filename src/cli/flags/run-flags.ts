import { type Command, Option } from 'commander';
import { OUTPUT_FORMATS, type OutputFormat } from '../../config/settings.ts';
import { collect, parseDuration, parsePositiveInteger } from './option-values.ts';
import { repeatable } from './task-flags.ts';

/** How a run is executed and printed: what `run` and `build` have in common. */
export interface RunFlags {
  readonly registryCredential: readonly string[];
  readonly insecureRegistry: readonly string[];
  readonly trustedRealm: readonly string[];
  readonly engine?: string;
  readonly push: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly parallel?: number;
  readonly keepGoing: boolean;
  readonly dockerSocket: boolean;
  readonly dryRun: boolean;
  readonly watch: boolean;
  readonly output?: OutputFormat | 'text';
  readonly quiet: boolean;
  /** False with `--no-format`. */
  readonly format: boolean;
  readonly logDir?: string;
}

/** Adds the flags of RunFlags but `push`, whose default differs between the commands. */
export function addRunFlags(command: Command): Command {
  return command
    .optionsGroup('Registry and engine:')
    .addOption(repeatable('--registry-credential <host=user:source>', 'registry credential; the source is env:NAME or file:PATH', collect))
    .addOption(repeatable('--insecure-registry <host>', 'registry that may speak plain HTTP; loopback always may', collect))
    .addOption(repeatable('--trusted-realm <host>', 'token server of another domain that may get the credentials of a registry', collect))
    .option('--engine <url>', 'container engine (default: SLIPWAY_ENGINE, DOCKER_HOST, the docker context, the usual sockets)')
    .option('--no-docker-socket', 'do not mount the engine socket into steps (default: it is mounted)')
    .optionsGroup('Execution:')
    .option('--timeout <duration>', 'end the whole run after this time: seconds, or 90s, 10m, 1h (default: none)', parseDuration)
    .option('--parallel <n>', 'most steps at once (default: no limit on cmd and push, the number of cores on builds)', parsePositiveInteger)
    .option('--keep-going', 'after a failure let the branches that do not depend on it finish', false)
    .option('--dry-run', 'print what would run and touch nothing', false)
    .option('--watch', 'run again when the context or the task file changes', false)
    .optionsGroup('Output:')
    .addOption(
      new Option('--output <format>', 'how to print the run (default: auto: live on a terminal, else plain)').choices([
        ...OUTPUT_FORMATS,
        'text',
      ]),
    )
    .option('-q, --quiet', 'print pushed images and failures only', false)
    .option('--no-format', 'plain lines without drawing (default: drawn on a terminal)')
    .option('--log-dir <dir>', 'folder for the full log of each step (default: a folder of the run in the state directory of the user)');
}
