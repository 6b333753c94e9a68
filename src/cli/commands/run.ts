import { type Command, Option } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import {
  addNamedRunFlags,
  addRemoteRunFlags,
  asksForDaemon,
  canBeTaskName,
  daemonFlagsRefusal,
  type NamedRunFlags,
  type RemoteRunFlags,
} from '../flags/remote-run-flags.ts';
import { addRunFlags, type RunFlags } from '../flags/run-flags.ts';
import { addTaskFlags, type TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';

type Flags = TaskFlags & RunFlags & RemoteRunFlags & NamedRunFlags;

const WHERE = `
Where it runs:
  on this machine, unless \`--server\`, \`--remote\`, \`--task\` or SLIPWAY_SERVER ask for a daemon. A folder is then sent (without what .dockerignore
  excludes, without .git, and only when it has changed), a URL is fetched by the daemon. Times of files are not kept.
  \`task run NAME\` runs a task that the daemon knows (\`task create\`), where NAME is no file or folder here and \`-f\` and \`--cmd\` are not given;
  \`--task NAME\` does so whatever is here.
  Ctrl-C asks whether to cancel the run of a daemon or only to leave it; without a terminal it cancels, as it does on this machine.`;

export function addRunCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('run')
    .summary('run a task file, here or on a daemon')
    .description('Runs the steps of a task file in containers. The context is copied into the workspace of the run.')
    .argument(
      '[context]',
      'folder, git or archive URL, oci://…, /dev/null for an empty workspace, or the name of a task of a daemon (default: ".")',
    )
    .addOption(new Option('--no-push', 'leave out push steps (default: they push)').helpGroup('Execution:'))
    .addHelpText('after', WHERE);
  addNamedRunFlags(addRemoteRunFlags(addRunFlags(addTaskFlags(command)))).action(async (context: string | undefined, flags: Flags) => {
    const nameGiven = flags.remote !== false && !flags.dryRun && canBeTaskName(context, flags, io);
    if (nameGiven || asksForDaemon(flags, io)) {
      const { runOnDaemon } = await import('../remote/run-remotely.ts');
      const code = await runOnDaemon(context, flags, io, { command, nameGiven });
      if (code !== undefined) {
        finish(code);
        return;
      }
    }
    const refusal = daemonFlagsRefusal(command);
    if (refusal !== undefined) {
      const { refuseDaemonFlags } = await import('../remote/flag-error.ts');
      finish(refuseDaemonFlags(refusal, io));
      return;
    }
    const { runCommand } = await import('../execution/run-command.ts');
    finish(await runCommand({ flags, io, open: { context: context ?? '.' } }));
  });
}
