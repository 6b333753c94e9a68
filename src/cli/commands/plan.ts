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
    const { loadForCommand } = await import('../source/load-for-command.ts');
    await using loaded = await loadForCommand(context, flags, io, { purpose: 'preview' });
    if (loaded.failed) {
      finish(EXIT.badInput);
      return;
    }
    if (flags.output === 'json') {
      const { planDocument } = await import('../../task/plan-document.ts');
      io.stdout.write(`${loaded.masker.maskText(JSON.stringify(planDocument(loaded.task), undefined, 2))}\n`);
    } else {
      const { renderPlan } = await import('../plan-output/plan-text.ts');
      io.stdout.write(
        loaded.masker.maskText(renderPlan(loaded.plan, { paint: io.paint, dockerSocket: true, workspace: loaded.task.run.SharedVolume })),
      );
    }
  });
}
