import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect, collectAssignments, parseDuration, parsePlatform, parsePositiveInteger } from '../flags/option-values.ts';
import { parsePriority } from '../flags/remote-run-flags.ts';
import { addIdempotencyKey, addListOutput, addServerFlags } from '../flags/server-flags.ts';
import { repeatable } from '../flags/task-flags.ts';
import { addTriggerFlags } from '../flags/trigger-flags.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { TaskDefinitionFlags } from '../remote/task-flags.ts';
import { UNSET_NAMES, unsetPath } from '../remote/unset-fields.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { addTaskName, type Shell, taskNameOf } from './command-parts.ts';

const CONFLICTS = ['queue', 'cancel-pending', 'cancel-running', 'skip'];
const RIGHTS = [
  ['privileged', 'steps may be privileged'],
  ['host-mounts', 'steps may mount folders of the machine'],
  ['docker-socket', 'steps get the socket of the engine'],
] as const;

type Flags = TaskDefinitionFlags & ServerFlags & { readonly name?: string; readonly output: ListFormat; readonly idempotencyKey?: string };

/** `task create` and `task update`. */
export function addDefinitionCommands(program: Command, { io, finish }: Shell): void {
  const create = addTaskName(program.command('create'))
    .summary('define a task on a daemon')
    .description(
      'Defines a task: what to build or run, from where, and with which limits. `--file` decides the kind: a task file (.yaml and the like) or a\n' +
        'Dockerfile of the context. Without a context the task file is read here and stored with the task.',
    );
  addIdempotencyKey(addListOutput(addServerFlags(addDefinitionFlags(create, 'create')))).action(
    async (name: string | undefined, flags: Flags, command: Command) => {
      const { createTask } = await import('../remote/manage-tasks.ts');
      finish(await createTask(taskNameOf(name, flags, command), flags, io));
    },
  );
  const update = addTaskName(program.command('update'))
    .summary('change a task of a daemon')
    .description(
      'Changes what is named and nothing else. Arguments, values, tags and timers change by name; images and globs are replaced as a whole.',
    )
    .addOption(repeatable('--unset <field>', `back to the default, or empty: ${UNSET_NAMES.join(', ')}`, collectField))
    .option('--force', 'also when a file manages the task: the file wins again when it is next applied', false);
  addListOutput(addServerFlags(addDefinitionFlags(update, 'update'))).action(
    async (name: string | undefined, flags: Flags & { readonly unset: readonly string[]; readonly force: boolean }, command: Command) => {
      const { updateTask } = await import('../remote/manage-tasks.ts');
      finish(await updateTask(taskNameOf(name, flags, command), flags, io));
    },
  );
}

function collectField(field: string, previous: readonly string[]): readonly string[] {
  const path = unsetPath(field);
  if (path !== undefined) return [...previous, path];
  throw new InvalidArgumentError(`Expected one of ${UNSET_NAMES.join(', ')}.`);
}

/** ACR's flags of a task. What `create` takes for granted stands in its help; `update` leaves alone what is not named. */
function addDefinitionFlags(command: Command, kind: 'create' | 'update'): Command {
  const otherwise = (text: string): string => (kind === 'create' ? ` (default: ${text})` : '');
  command
    .optionsGroup('Source:')
    .option('-c, --context <url>', `git or archive URL, oci://…, or /dev/null for none${otherwise('none')}`)
    .addOption(
      repeatable(
        '--branch <name>',
        `branch, tag or commit of a git context; globs and further ones say what commits start it${kind === 'update' ? '; with `--source-trigger-name` all say what commits that trigger follows, and nothing of the context' : ''}`,
        collect,
      ),
    )
    .option('--git-access-token <source>', 'token for the context: secret:NAME of the daemon, env:NAME or file:PATH')
    .option(
      '-f, --file <file>',
      `Dockerfile or task file, relative to the context${otherwise('Dockerfile')}; without a context, or as \`-\`, it is stored with the task`,
    )
    .option('--cmd <text>', 'one container instead of a file: "image arguments"')
    .optionsGroup('Dockerfile:')
    .addOption(repeatable('-t, --image <name>', 'name of the image', collect))
    .addOption(repeatable('--arg <name[=value]>', 'build argument; without a value the one of the environment', collect))
    .addOption(
      repeatable(
        '--secret-arg <name[=value]>',
        'secret build argument; secret:NAME, env:NAME and file:PATH keep it off the command line',
        collect,
      ),
    )
    .option('--target <stage>', `stage to build${otherwise('the last')}`);
  // The positive ones first: a negative one alone would count as given when it is not.
  if (kind === 'update') command.option('--push', 'push again').option('--cache', 'use the cache again');
  command
    .option('--no-push', `do not push${otherwise('it is pushed')}`)
    .option('--no-cache', `build every instruction anew${otherwise('the cache is used')}`);
  command
    .optionsGroup('Task file:')
    .option('--values <file>', 'YAML file of template values, from where the task file is')
    .addOption(repeatable('--set <name=value>', 'template value', collectAssignments))
    .addOption(
      repeatable(
        '--set-secret <name=value>',
        'secret template value; secret:NAME, env:NAME and file:PATH keep it off the command line',
        collectAssignments,
      ),
    )
    .optionsGroup('Runs:')
    .addOption(
      new Option('--status <status>', `Disabled: nothing but a person starts it${otherwise('Enabled')}`).choices(['Enabled', 'Disabled']),
    )
    .option('--platform <os/arch>', `platform${otherwise('linux/amd64')}`, parsePlatform)
    .option('--timeout <duration>', `most time of one run${otherwise('3600s')}`, parseDuration)
    .option('--cpu <n>', `cores of one run${otherwise('2')}`, parsePositiveInteger)
    .option('--registry <host>', `registry of its runs${otherwise('that of the daemon')}`)
    .option('--agent-pool <name>', `agents that take its runs${otherwise('those of the daemon')}`)
    .option('--priority <n>', `larger ones start first: -100 to 100${otherwise('0')}`, parsePriority)
    .option('--max-parallel <n>', `most runs of the task at once${otherwise('no limit')}`, parsePositiveInteger)
    .option('--concurrency-group <name>', 'runs of one group exclude one another; ${branch} and the like are replaced')
    .option('--concurrency-limit <n>', `most runs of the group at once${otherwise('1')}`, parsePositiveInteger)
    .addOption(new Option('--on-conflict <what>', `when the group is full${otherwise('queue')}`).choices(CONFLICTS))
    .addOption(repeatable('--label <name=value>', 'a word of your own about the task', collectAssignments));
  addTriggerFlags(command, kind).optionsGroup('Rights:');
  for (const [right, meaning] of RIGHTS) {
    command.option(`--allow-${right}`, `${meaning}; only an admin may allow it`);
    if (kind === 'update') command.option(`--no-allow-${right}`, 'no longer');
  }
  return command;
}
