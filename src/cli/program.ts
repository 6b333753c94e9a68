import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import type { Serve } from '../config/serve-order.ts';
import { EngineError } from '../model/engine-error.ts';
import { packageFile } from '../util/package-file.ts';
import { addBuildCommand } from './commands/build.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addConfigCommand } from './commands/config.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addGraphCommand } from './commands/graph.ts';
import { addInitCommand } from './commands/init.ts';
import { addLintCommand } from './commands/lint.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addRenderCommand } from './commands/render.ts';
import { addRunCommand } from './commands/run.ts';
import { addScanCommand } from './commands/scan.ts';
import { addServeCommand } from './commands/serve.ts';
import { EXIT, type ExitCode, exitCodeOfError } from './exit-codes.ts';
import { type Io, processIo } from './io.ts';
import { printable } from './terminal/terminal-filter.ts';

const EXAMPLES = `
Examples:
  task init multi-service              write an example to start from
  task run                             run task.yaml, acr-task.yaml or acb.yaml of this folder
  task run -f acr-task.yaml --set tag=1 --registry localhost:5000 .
  task run --cmd "busybox echo hello" /dev/null
  task build -t app:1 --registry localhost:5000 --push .
  task plan                            show what would run, and in which order
  task run --server https://builds.example.org .      the same on a daemon
  task create web -c https://github.com/me/web.git -t web:{{.Run.ID}}; task run web

Exit codes: 0 succeeded, 1 a step failed, 2 bad input, 3 engine or registry could not do its work,
            124 timed out, 130 cancelled`;

/** Runs the program and sets the exit code of the process. `loadServe` brings the daemon. Never rejects. */
export async function runProgram(argv: readonly string[], loadServe: () => Promise<Serve>): Promise<void> {
  const io = processIo();
  try {
    const finish = (code: ExitCode): void => {
      process.exitCode = code;
    };
    const program = createProgram(argv[0], { io, finish, loadServe });
    if (askedCommand(argv[0]) === undefined) {
      const { addRemoteCommands } = await import('./commands/remote-commands.ts');
      addRemoteCommands(program, { io, finish });
    }
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = reportError(error, io);
  }
}

interface CommandPlace {
  readonly io: Io;
  readonly loadServe: () => Promise<Serve>;
  finish(code: ExitCode): void;
}

type AddCommand = (program: Command, io: Io, finish: (code: ExitCode) => void, loadServe: () => Promise<Serve>) => void;

const COMMANDS: Readonly<Record<string, AddCommand>> = {
  run: addRunCommand,
  build: addBuildCommand,
  render: addRenderCommand,
  plan: addPlanCommand,
  graph: addGraphCommand,
  lint: addLintCommand,
  scan: addScanCommand,
  init: addInitCommand,
  doctor: addDoctorCommand,
  config: addConfigCommand,
  serve: addServeCommand,
  completion: addCompletionCommand,
};

/** The one command that needs to be known; undefined when all do, also those of daemons. */
function askedCommand(asked: string | undefined): AddCommand | undefined {
  return asked === undefined || asked === 'completion' || !Object.hasOwn(COMMANDS, asked) ? undefined : COMMANDS[asked];
}

/** With the command that is asked for; with all of this machine for help, for what is no command, and for the words of shells. */
function createProgram(asked: string | undefined, { io, finish, loadServe }: CommandPlace): Command {
  const program = new Command('task')
    .description('Runs multi-step container build tasks (ACR task files) on your own machine.')
    .version(readVersion(), '-V, --version', 'print the version')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(`--help` lists every flag with its default)')
    .exitOverride()
    .enablePositionalOptions()
    .helpCommand(false)
    .commandsGroup('On this machine:');
  const only = askedCommand(asked);
  for (const addCommand of only === undefined ? Object.values(COMMANDS) : [only]) addCommand(program, io, finish, loadServe);
  return program;
}

function reportError(error: unknown, io: Io): number {
  // Commander has printed its own text already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
  if (error instanceof EngineError) {
    io.stderr.write(
      `${io.paintError(['red', 'bold'], 'error:')} ${printable(error.message)} [${error.code}]\n  help: ${printable(error.help)}\n`,
    );
    return exitCodeOfError(error);
  }
  io.stderr.write(`${io.paintError(['red', 'bold'], 'error:')} a defect of this program [internal]\n`);
  io.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return exitCodeOfError(error);
}

function readVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));
  return manifest.version;
}
