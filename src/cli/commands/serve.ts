import type { Command } from 'commander';
import { loadSettings } from '../../config/load-settings.ts';
import type { Serve } from '../../config/serve-order.ts';
import type { FlagValue, Settings } from '../../config/settings.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';

/** Flag names as commander gives them, with the setting that each sets. */
const FLAGS = {
  data: 'data',
  listen: 'listen',
  publicUrl: 'publicUrl',
  registry: 'registry',
  engine: 'engine',
  tasks: 'tasksDirectory',
  maxRuns: 'maxRuns',
  logLevel: 'logLevel',
  insecureRegistry: 'insecureRegistries',
} as const satisfies Readonly<Record<string, keyof Settings>>;

type Flags = { readonly [Name in keyof typeof FLAGS]?: string | readonly string[] } & { readonly check: boolean; readonly config?: string };

export function addServeCommand(program: Command, io: Io, finish: (code: ExitCode) => void, load: () => Promise<Serve>): void {
  program
    .command('serve')
    .summary('run the daemon: tasks, runs, queue, API')
    .description(
      'Runs the daemon until SIGTERM or SIGINT. The first start makes the data directory, the database and an admin token.\n' +
        'SIGTERM takes nothing new and waits for runs (gracePeriod); what still runs then goes on in its containers and is taken over by the\n' +
        'next start. A second SIGTERM does not wait.',
    )
    .option('--data <dir>', 'data directory (default: /var/lib/slipway for root, else a folder in the state directory of the user)')
    .option('--listen <address>', 'address and port of the API besides the unix socket in the data directory (default: 127.0.0.1:7300)')
    .option('--registry <host>', 'registry of tasks that name none (default: none)')
    .option('--public-url <url>', 'how clients and webhooks reach the daemon (default: the address it listens on)')
    .option('--engine <url>', 'container engine (default: DOCKER_HOST, the docker context, the usual sockets)')
    .option('--tasks <dir>', 'folder of task definitions that is applied continuously (default: tasks.d in the data directory)')
    .option('--max-runs <n>', 'most runs at once (default: the number of cores)')
    .option('--insecure-registry <host...>', 'registries that may speak plain HTTP; loopback always may (default: none)')
    .option('--log-level <level>', 'debug, info, warn or error (default: info)')
    .option('--config <file>', 'file read instead of slipway.yaml of this folder; `task config show` explains every key')
    .option('--check', 'check the settings, the data directory, the database, the engine and the task folder, and leave', false)
    .action(async (flags: Flags) => {
      const given = Object.entries(FLAGS).flatMap(([flag, name]): FlagValue[] => {
        const value = flags[flag as keyof typeof FLAGS];
        if (value === undefined) return [];
        return [{ name, flag: `--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, texts: [value].flat() }];
      });
      const settings = await loadSettings({ directory: io.directory, environment: io.environment, flags: given, file: flags.config });
      if (!settings.ok) {
        io.stderr.write(renderDiagnostics(settings.error, io.paintError));
        finish(EXIT.badInput);
        return;
      }
      const serve = await load();
      const code = await serve({
        settings: settings.value,
        environment: io.environment,
        directory: io.directory,
        check: flags.check,
        say: (line) => io.stdout.write(`${line}\n`),
        warn: (line) => io.stderr.write(`${io.paintError('yellow', 'warning:')} ${line}\n`),
      });
      finish(code as ExitCode);
    });
}
