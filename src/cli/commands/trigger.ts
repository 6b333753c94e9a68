import { type Command, Option } from 'commander';
import { REGISTRY_HOOK_KINDS } from '../../model/ports/hook-store.ts';
import { addListOutput, addServerFlags } from '../flags/server-flags.ts';
import type { ServerFlags } from '../remote/find-server.ts';
import type { WebhookFlags } from '../remote/webhooks.ts';
import type { ListFormat } from '../tables/print-value.ts';
import { addTaskName, type Shell, taskNameOf } from './command-parts.ts';

type Named = ServerFlags & { readonly name?: string };
type Printed = Named & { readonly output: ListFormat };
type Switched = Printed & { readonly triggerName?: string; readonly all: boolean; readonly force: boolean };

/** `task trigger list|enable|disable|check|webhook`. */
export function addTriggerCommand(program: Command, shell: Shell): void {
  const { io, finish } = shell;
  const group = program
    .command('trigger')
    .helpCommand(false)
    .summary('what starts a task by itself')
    .description('What starts a task by itself: commits, base images, the clock, other tasks. `task update` changes it.');
  const list = addTaskName(group.command('list'))
    .summary('list what starts a task')
    .description('Lists the triggers of a task: what each follows, when it looked and looks next, and what came of it last.');
  addListOutput(addServerFlags(list)).action(async (name: string | undefined, flags: Printed, self: Command) => {
    const { listTriggers } = await import('../remote/triggers.ts');
    finish(await listTriggers(taskNameOf(name, flags, self), flags, io));
  });
  for (const [verb, status] of [
    ['enable', 'Enabled'],
    ['disable', 'Disabled'],
  ] as const) {
    const command = addTaskName(group.command(verb))
      .summary(`${verb} a trigger of a task`)
      .description(verb === 'enable' ? 'Lets a trigger start the task again.' : 'From now on the trigger starts nothing; the others do.')
      .option('--trigger-name <name>', 'name of the trigger (default: the only one)')
      .option('--all', 'every trigger of the task', false)
      .option('--force', 'also when a file manages the task', false);
    addListOutput(addServerFlags(command)).action(async (name: string | undefined, flags: Switched, self: Command) => {
      const { setTriggerStatus } = await import('../remote/triggers.ts');
      finish(await setTriggerStatus(taskNameOf(name, flags, self), status, flags, io));
    });
  }
  const check = addTaskName(group.command('check'))
    .summary('look now at what a task follows')
    .description(
      'Looks at the repositories and images that a task follows at once, and waits until it is done. What has changed starts it.\n' +
        'The exit code is 1 when one of them could not be looked at.',
    );
  addListOutput(addServerFlags(check)).action(async (name: string | undefined, flags: Printed, self: Command) => {
    const { checkTriggers } = await import('../remote/triggers.ts');
    finish(await checkTriggers(taskNameOf(name, flags, self), flags, io));
  });
  addWebhookCommand(group, shell);
}

function addWebhookCommand(group: Command, { io, finish }: Shell): void {
  const webhook = addTaskName(group.command('webhook'))
    .summary('have a forge or registry tell of pushes')
    .description(
      'Prints the address and the secret of the webhook of a task’s repository, and how to set it up there; with `--create` it is set up through\n' +
        'the API of the forge. With `--registry` it is that of a registry that tells of pushed images. Without one, pushes are found by polling.',
    )
    .option('--trigger-name <name>', 'source trigger whose repository is meant, when the task follows several repositories')
    .option('--create', 'set it up at the forge, with the token of the trigger or `--token`', false)
    .option('--token <source>', 'token for the forge, kept nowhere: env:NAME or file:PATH')
    .option('--rotate', 'give it another secret; the one before is good for another 24 hours', false)
    .option('--registry <host>', 'of this registry, instead of a task')
    .addOption(new Option('--provider <kind>', 'what the registry is').choices(REGISTRY_HOOK_KINDS))
    .option('--list', 'list the webhooks of the daemon, without their secrets', false)
    .option('--remove <id>', 'remove the webhook with this id here; at the forge it stays until it is removed there');
  addListOutput(addServerFlags(webhook)).action(async (name: string | undefined, flags: WebhookFlags & Named, self: Command) => {
    const { listWebhooks, removeWebhook, showWebhook } = await import('../remote/webhooks.ts');
    if (flags.list) finish(await listWebhooks(flags, io));
    else if (flags.remove !== undefined) finish(await removeWebhook(flags.remove, flags, io));
    else finish(await showWebhook(flags.registry === undefined ? taskNameOf(name, flags, self) : (name ?? flags.name), flags, io));
  });
}
