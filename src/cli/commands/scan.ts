import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { collect } from '../flags/option-values.ts';
import { addOutputFlag, type Output, platformOption, repeatable } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';

export interface ScanFlags {
  readonly file?: string;
  readonly tag: readonly string[];
  readonly buildArg: readonly string[];
  readonly target?: string;
  readonly platform?: string;
  readonly credential: readonly string[];
  readonly registryCredential: readonly string[];
  readonly insecureRegistry: readonly string[];
  readonly trustedRealm: readonly string[];
}

export function addScanCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('scan')
    .summary('list the images that a build depends on')
    .description('Lists the base images of a Dockerfile without building. No registry is asked.')
    .argument('<context>', 'folder, git or archive URL, oci://…, or -')
    .option(
      '-f, --file <file>',
      'Dockerfile, relative to the current directory; in a remote context relative to it (default: Dockerfile of the context)',
    )
    .addOption(repeatable('-t, --tag <name>', 'name of the image', collect))
    .addOption(repeatable('--build-arg <name[=value]>', 'build argument', collect))
    .option('--target <stage>', 'stage that would be built (default: the last)')
    .addOption(platformOption())
    .addOption(repeatable('--credential <json>', 'registry credential in the JSON of ACR, for oci:// contexts', collect))
    .addOption(repeatable('--registry-credential <host=user:source>', 'registry credential; the source is env:NAME or file:PATH', collect))
    .addOption(repeatable('--insecure-registry <host>', 'registry that may speak plain HTTP', collect))
    .addOption(repeatable('--trusted-realm <host>', 'token server of another domain that may get credentials', collect));
  addOutputFlag(command).action(async (context: string, flags: ScanFlags & { readonly output: Output }) => {
    const { scanForCommand } = await import('../build/scan-build.ts');
    const scanned = await scanForCommand(context, flags, io);
    if (!scanned.ok) {
      io.stderr.write(renderDiagnostics(scanned.error, io.paintError));
      finish(EXIT.badInput);
      return;
    }
    const { value, warnings } = scanned.value;
    io.stderr.write(renderDiagnostics(warnings, io.paintError));
    if (flags.output === 'json') io.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    else {
      const { renderDependencies } = await import('../build/dependencies-text.ts');
      io.stdout.write(renderDependencies(value, io.paint));
    }
  });
}
