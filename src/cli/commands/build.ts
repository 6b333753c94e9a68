import { type Command, Option } from 'commander';
import type { BuildFlags } from '../build/build-task.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { collect, collectAssignments } from '../flags/option-values.ts';
import { addRemoteRunFlags, asksForDaemon, daemonFlagsRefusal, type RemoteRunFlags } from '../flags/remote-run-flags.ts';
import { addRunFlags, type RunFlags } from '../flags/run-flags.ts';
import { platformOption, repeatable } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';

export function addBuildCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('build')
    .summary('build one image, and push it with --push')
    .description(
      'Builds an image from a folder, a git or archive URL, oci://…, or standard input (-). Tags get the registry of the run in front.',
    )
    .argument('<context>', 'folder, git or archive URL, oci://…, or - for a tar or Dockerfile on standard input')
    .optionsGroup('Build:')
    .addOption(repeatable('-t, --tag <name>', 'name of the image; `{{.Run.ID}}` and the like are rendered', collect))
    .option(
      '-f, --file <file>',
      'Dockerfile, relative to the current directory; in a remote context relative to it (default: Dockerfile of the context)',
    )
    .addOption(repeatable('--build-arg <name[=value]>', 'build argument; without a value the one of the environment', collect))
    .addOption(
      repeatable(
        '--secret-build-arg <name[=value]>',
        'build argument that is masked in all output (the image still records it: prefer --secret)',
        collect,
      ),
    )
    .option('--target <stage>', 'stage to build (default: the last)')
    .addOption(platformOption())
    .option('--no-cache', 'build every instruction anew (default: the cache is used)')
    .option('--pull', 'ask the registry for base images even when the engine has them', false)
    .addOption(repeatable('--label <name=value>', 'label of the image', collect))
    .addOption(repeatable('--secret <spec>', 'secret of the build: id=NAME,src=PATH or id=NAME,env=VARIABLE', collect))
    .addOption(repeatable('--ssh <spec>', 'agent or keys for RUN --mount=type=ssh: default or ID=PATH', collect))
    .addOption(repeatable('--add-host <host:ip>', 'extra host name for RUN instructions', collect))
    .addOption(repeatable('--cache-from <ref>', 'image or cache to start from', collect))
    .addOption(repeatable('--cache-to <ref>', 'where to export the cache', collect))
    .addOption(
      new Option(
        '--isolation <technology>',
        'isolation of RUN instructions; engines on Linux know `default` only (default: that of the engine)',
      ).choices(['default', 'process', 'hyperv']),
    )
    .option('--network <mode>', 'network of RUN instructions (default: that of the engine)')
    .option('--iidfile <file>', 'write the image id to a file of the workspace (default: none)')
    .option('--metadata-file <file>', 'write metadata of the build to a file of the workspace (default: none)')
    .option('--push', 'push every tag; without a tag there is nothing to push', false)
    .addOption(new Option('--no-push', 'do not push (default: nothing is pushed without --push)').default(false))
    .optionsGroup('Templates and registry:')
    .addOption(repeatable('--run <name=value>', 'set a run variable', collectAssignments))
    .addOption(repeatable('--set <name=value>', 'set a template value', collectAssignments))
    .option('--registry <host>', 'registry that tags without one get in front (default: SLIPWAY_REGISTRY or slipway.yaml)')
    .addOption(repeatable('--credential <json>', 'registry credential in the JSON of ACR', collect));
  addRemoteRunFlags(addRunFlags(command)).action(async (context: string, flags: BuildFlags & RunFlags & RemoteRunFlags) => {
    if (asksForDaemon(flags, io)) {
      const { buildOnDaemon } = await import('../remote/run-remotely.ts');
      finish(await buildOnDaemon(context, flags, io, command));
      return;
    }
    const refusal = daemonFlagsRefusal(command, ['target']);
    if (refusal !== undefined) {
      const { refuseDaemonFlags } = await import('../remote/flag-error.ts');
      finish(refuseDaemonFlags(refusal, io));
      return;
    }
    const { makeBuildTask } = await import('../build/build-task.ts');
    const made = await makeBuildTask(context, flags, io);
    if (!made.ok) {
      io.stderr.write(renderDiagnostics(made.error, io.paintError));
      finish(EXIT.badInput);
      return;
    }
    const { runCommand } = await import('../execution/run-command.ts');
    io.stderr.write(renderDiagnostics(made.value.warnings, io.paintError));
    finish(await runCommand({ flags: { ...made.value.taskFlags, ...flags, ...made.value.taskFlags }, io, open: made.value.open }));
  });
}
