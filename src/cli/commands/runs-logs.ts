import type { Command } from 'commander';
import { addServerFlags } from '../flags/server-flags.ts';
import { parseSince } from '../flags/since.ts';
import type { LogFlags } from '../remote/print-logs.ts';
import { addRunId, type RunIdFlags, runIdOf, type Shell } from './command-parts.ts';

export function addLogsCommand(program: Command, { io, finish }: Shell): void {
  const command = addRunId(program.command('logs'), 'last')
    .summary('print the log of a run')
    .description(
      'Prints the output of the steps of a run, in the order in which it came. Into a pipe or file the bytes are exactly those of the log; on a terminal\n' +
        'sequences that could steer it are left out.',
    )
    .option('--image <image>', 'the newest run that pushed this image')
    .option('--step <id>', 'of this step only')
    .option('--since <time>', 'since: 30s, 5m, 2h, or a time', (text) => parseSince(text))
    .option('-f, --follow', 'go on until the run ends', false)
    .option('--json', 'one JSON object a chunk: step, attempt, stream, time, text or base64', false)
    .option('--raw', 'every byte, on a terminal too', false);
  addServerFlags(command).action(async (run: string | undefined, flags: LogFlags & RunIdFlags, self: Command) => {
    const { printLogs } = await import('../remote/print-logs.ts');
    finish(await printLogs(runIdOf(run, flags, self, 'last'), flags, io));
  });
}
