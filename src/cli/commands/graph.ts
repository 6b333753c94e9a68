import { type Command, Option } from 'commander';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { Plan } from '../../model/plan.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { addTaskFlags, type TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';

const FORMATS = ['mermaid', 'dot', 'svg'] as const;
/** More cannot be read in a drawing, and points of long edges grow with the square of the steps. */
const MOST_DRAWN = 1000;

interface GraphFlags extends TaskFlags {
  readonly format: (typeof FORMATS)[number];
}

export function addGraphCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const command = program
    .command('graph')
    .summary('draw the graph of the steps')
    .description('Prints the graph of the steps for Mermaid or Graphviz, or as an SVG picture.')
    .argument('[context]', 'folder, git or archive URL, oci://…, or /dev/null', '.')
    .addOption(new Option('--format <format>', 'language of the drawing').choices(FORMATS).default('mermaid'));
  addTaskFlags(command).action(async (context: string, flags: GraphFlags) => {
    const { loadForCommand } = await import('../source/load-for-command.ts');
    await using loaded = await loadForCommand(context, flags, io, {});
    if (loaded.failed) {
      finish(EXIT.badInput);
    } else if (flags.format === 'svg' && loaded.plan.steps.length > MOST_DRAWN) {
      io.stderr.write(renderDiagnostics([tooManySteps(loaded.plan)], io.paintError));
      finish(EXIT.badInput);
    } else io.stdout.write(await renderGraph(loaded.plan, flags.format));
  });
}

async function renderGraph(plan: Plan, format: GraphFlags['format']): Promise<string> {
  const { renderDot, renderMermaid } = await import('../graph/text-graphs.ts');
  if (format === 'mermaid') return renderMermaid(plan.steps);
  if (format === 'dot') return renderDot(plan.steps, plan.taskName);
  const { renderSvg } = await import('../graph/svg-graph.ts');
  return renderSvg(plan.steps, plan.taskName);
}

function tooManySteps(plan: Plan): Diagnostic {
  return {
    code: 'flag-value',
    severity: 'error',
    message: `--format svg draws at most ${MOST_DRAWN} steps; this task has ${plan.steps.length}`,
    help: '`--format dot` prints the graph for Graphviz, whatever its size',
  };
}
