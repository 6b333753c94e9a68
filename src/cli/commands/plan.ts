import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { addOutputFlag, addTaskFlags, type Output, type TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';

interface PlanFlags extends TaskFlags {
  readonly output: Output;
}

export function addPlanCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('plan')
    .summary('show what would run, in which order, word for word')
    .description('Shows the steps as a tree with their waves and the critical path, and the exact arguments of each.')
    .argument('[context]', 'folder, git or archive URL, oci://…, or /dev/null', '.');
  addOutputFlag(addTaskFlags(command)).action(async (context: string, flags: PlanFlags) => {
    const printed = flags.output === 'json' ? await planJson(context, flags, io) : await planText(context, flags, io);
    if (printed === undefined) finish(EXIT.badInput);
    else io.stdout.write(printed);
  });
}

async function planJson(context: string, flags: PlanFlags, io: Io): Promise<string | undefined> {
  const { planJsonForCommand } = await import('../source/load-for-command.ts');
  return planJsonForCommand(context, flags, io);
}

async function planText(context: string, flags: PlanFlags, io: Io): Promise<string | undefined> {
  const { loadForCommand } = await import('../source/load-for-command.ts');
  await using loaded = await loadForCommand(context, flags, io, {});
  if (loaded.failed) return undefined;
  const { renderPlan } = await import('../plan-output/plan-text.ts');
  const text = renderPlan(loaded.plan, { paint: io.paint, dockerSocket: true, workspace: loaded.task.run.SharedVolume });
  return loaded.masker.maskText(text);
}
