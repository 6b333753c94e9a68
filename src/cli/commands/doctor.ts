import type { Command } from 'commander';
import type { CheckResult } from '../doctor/check.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { collect } from '../flags/option-values.ts';
import { addOutputFlag, type Output, repeatable } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { textTable } from '../terminal/text-table.ts';

interface DoctorFlags {
  readonly fix: boolean;
  readonly registry?: string;
  readonly registryCredential: readonly string[];
  readonly insecureRegistry: readonly string[];
  readonly trustedRealm: readonly string[];
  readonly engine?: string;
  readonly output: Output;
}

const SIGNS = { ok: ['green', '✔'], warning: ['yellow', '!'], failed: ['red', '✘'], skipped: ['dim', '○'] } as const;

export function addDoctorCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('doctor')
    .summary('check what runs need: engine, BuildKit, registry, git, disk, clock')
    .description('Checks what runs need on this machine and says how to mend what is missing. Exit code 3 when a check failed.')
    .option('--fix', 'remove what runs that died left behind (only things with the labels of this program)', false)
    .option('--registry <host>', 'registry to try a push to (default: SLIPWAY_REGISTRY or slipway.yaml)')
    .addOption(repeatable('--registry-credential <host=user:source>', 'credential; the source is env:NAME or file:PATH', collect))
    .addOption(repeatable('--insecure-registry <host>', 'registry that may speak plain HTTP', collect))
    .addOption(repeatable('--trusted-realm <host>', 'token server of another domain that may get credentials', collect))
    .option('--engine <url>', 'container engine (default: DOCKER_HOST, the docker context, the usual sockets)');
  addOutputFlag(command).action(async (flags: DoctorFlags) => {
    const { examine } = await import('../doctor/examine.ts');
    const results = await examine(flags, io);
    if (!results.ok) {
      io.stderr.write(renderDiagnostics(results.error, io.paintError));
      finish(EXIT.badInput);
      return;
    }
    io.stdout.write(flags.output === 'json' ? `${JSON.stringify(results.value, undefined, 2)}\n` : renderResults(results.value, io));
    if (results.value.some(({ status }) => status === 'failed')) finish(EXIT.engineFailed);
  });
}

function renderResults(results: readonly CheckResult[], io: Io): string {
  const rows = results.flatMap(({ code, title, status, message, help }) => {
    const [style, sign] = SIGNS[status];
    const first = [`${io.paint(style, sign)} ${title}`, `${printable(message)} ${io.paint('dim', `[${code}]`)}`];
    return help === undefined || status === 'ok' ? [first] : [first, ['', printable(help)]];
  });
  return `${textTable(rows).join('\n')}\n`;
}
