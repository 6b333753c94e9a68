import type { DependencyGraph } from '../../api/dependency-schema.ts';
import type { TaskResource } from '../../api/task-schema.ts';
import { nearestName } from '../../util/nearest-name.ts';
import { dependencyMermaid } from '../dependencies/mermaid.ts';
import { dependencyTable } from '../dependencies/table.ts';
import { dependencyTree } from '../dependencies/tree.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { jsonText } from '../tables/print-value.ts';
import { printable } from '../terminal/terminal-filter.ts';
import type { DaemonClient } from './client.ts';
import { defined } from './defined.ts';
import type { ServerFlags } from './find-server.ts';
import { conflict } from './flag-error.ts';
import { taskPath } from './manage-tasks.ts';
import { listAll } from './pages.ts';
import { DaemonProblem } from './problem.ts';
import { tablePlace } from './table-place.ts';
import { withDaemon } from './with-daemon.ts';

export interface DepsFlags extends ServerFlags {
  readonly task?: string;
  readonly image?: string;
  readonly whatIf?: string;
  readonly output: 'table' | 'tree' | 'json' | 'mermaid';
}

export function showDependencies(what: string | undefined, flags: DepsFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    if (what !== undefined && (flags.task !== undefined || flags.image !== undefined))
      throw conflict('WHAT, `--task` and `--image` exclude each other');
    const query = {
      ...defined({ task: flags.task, image: flags.image, whatIf: flags.whatIf }),
      ...(what === undefined ? {} : await taskOrImage(client, what)),
    };
    const { value } = await client.call<DependencyGraph>({ method: 'GET', path: '/deps', query });
    if (flags.output === 'json') io.stdout.write(jsonText(value));
    else await printGraph(value, flags.output, io, async () => nothingText(client, what));
    return EXIT.ok;
  });
}

async function printGraph(
  graph: DependencyGraph,
  output: 'table' | 'tree' | 'mermaid',
  io: Io,
  nothing: () => Promise<string>,
): Promise<void> {
  const empty = graph.dependencies.length === 0 && graph.outputs.length === 0;
  if (output === 'mermaid') io.stdout.write(dependencyMermaid(graph));
  else if (!empty || graph.whatIf !== undefined)
    io.stdout.write(output === 'table' ? dependencyTable(graph, tablePlace(io)) : dependencyTree(graph, tablePlace(io)));
  if (empty) io.stderr.write(`${printable(await nothing())}\n`);
  const rebuilt = graph.whatIf?.rebuilds.map(({ task }) => task);
  for (const cycle of graph.cycles) {
    if (output === 'table' && rebuilt !== undefined && !cycle.some((task) => rebuilt.includes(task))) continue;
    const [first = ''] = cycle;
    io.stderr.write(
      `${io.paintError(['yellow', 'bold'], 'warning:')} tasks that build on their own output: ${printable([...cycle, first].join(' ← '))}\n`,
    );
  }
  for (const { task, message } of graph.problems)
    io.stderr.write(`${io.paintError(['yellow', 'bold'], 'warning:')} ${printable(`${task}: its images are not known: ${message}`)}\n`);
}

/** A word without `/` and `:` is a task where there is one of that name, else an image. */
async function taskOrImage(client: DaemonClient, what: string): Promise<{ readonly task: string } | { readonly image: string }> {
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(what)) return { image: what };
  try {
    await client.call<TaskResource>({ method: 'GET', path: taskPath(what) });
    return { task: what };
  } catch (error) {
    if (error instanceof DaemonProblem && error.code === 'not-found') return { image: what };
    throw error;
  }
}

async function nothingText(client: DaemonClient, what: string | undefined): Promise<string> {
  if (what === undefined) return 'No task is known to build on an image or to push one yet.';
  const near = nearestName(
    what,
    (await listAll<TaskResource>(client, '/tasks')).map(({ name }) => name),
  );
  const hint = near === undefined || near === what ? '' : ` Did you mean the task ${JSON.stringify(near)}?`;
  return `No task is known to build on ${what} or to push it.${hint}`;
}
