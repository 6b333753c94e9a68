import { type Command, Option } from 'commander';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import type { ApproveFlags } from '../remote/approve.ts';
import type { DepsFlags } from '../remote/dependencies.ts';
import type { ExplainFlags } from '../remote/explain.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { addRunId, parseTop, type RunIdFlags, runIdOf, type Shell } from './command-parts.ts';

/** `task explain`, `task deps` and `task approve`. */
export function addExplainCommands(program: Command, { io, finish }: Shell): void {
  const explain = program
    .command('explain')
    .summary('why something ran, or did not')
    .description(
      'Of a run: the chain of its causes. Of a task: what starts it, and what came of each event lately, with the reason when it did not run.',
    )
    .argument('[what]', 'id of a run, `last`, or name of a task')
    .option('--run <id>', 'a run, also where a task has this name')
    .option('-n, --task <name>', 'a task, also where a run has this id; with `last` its newest run')
    .option('--top <n>', 'most decisions of a task', parseTop, 20)
    .option('--all', 'also the decisions that a trigger follows other events (`event-off`)', false);
  addListOutput(addServerFlags(explain)).action(async (what: string | undefined, flags: ExplainFlags, command: Command) => {
    if (what === undefined && flags.run === undefined && flags.task === undefined)
      command.error('error: the id of a run or the name of a task is missing', { exitCode: 2 });
    const { explain: explainIt } = await import('../remote/explain.ts');
    finish(await explainIt(what, flags, io));
  });
  const deps = program
    .command('deps')
    .summary('images, and the tasks that build on them')
    .description('Shows which tasks build on which images and push which, what is followed and when it was looked at.')
    .argument('[what]', 'name of a task, or an image: `node`, `node:20`, `registry.example/base:1` (default: everything)')
    .option('-n, --task <name>', 'only what concerns this task')
    .option('--image <image>', 'only what concerns this image')
    .option('--what-if <image>', 'who would rebuild, and in which order, if this image had a new digest')
    .optionsGroup('Output:')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'tree', 'json', 'mermaid']).default('table'));
  addServerFlags(deps).action(async (what: string | undefined, flags: DepsFlags) => {
    const { showDependencies } = await import('../remote/dependencies.ts');
    finish(await showDependencies(what, flags, io));
  });
  const approve = addRunId(program.command('approve'))
    .summary('let a run of a forked pull request go on')
    .description(
      'Lets a run go on that waits for a person’s word, for the very commit that it is of. The run stays untrusted: without secrets and logins.\n' +
        'Look at the changes first: they run on your machines.',
    )
    .option('--commit <sha>', 'the commit that you looked at: refused when the run is of another')
    .option('-y, --yes', 'do not ask', false);
  addListOutput(addServerFlags(approve)).action(
    async (run: string | undefined, flags: ApproveFlags & RunIdFlags & { readonly output: ListFormat }, command: Command) => {
      const { approveRun } = await import('../remote/approve.ts');
      finish(await approveRun(runIdOf(run, flags, command), flags, io));
    },
  );
}
