import type { Command } from 'commander';
import { addApplyCommand } from './apply.ts';
import type { Shell } from './command-parts.ts';
import { addCredentialCommand } from './credential.ts';
import { addDaemonCommands } from './daemon.ts';
import { addEventCommand } from './event.ts';
import { addExplainCommands } from './explain.ts';
import { addLoginCommands } from './login.ts';
import { addQueueCommands } from './queue.ts';
import { addRunChangeCommands } from './runs-change.ts';
import { addRunListCommands } from './runs-list.ts';
import { addLogsCommand } from './runs-logs.ts';
import { addSecretCommand } from './secret.ts';
import { addDefinitionCommands } from './task-define.ts';
import { addTaskCommands } from './task-manage.ts';
import { addTimerCommand } from './timer.ts';
import { addTokenCommand } from './token.ts';
import { addTriggerCommand } from './trigger.ts';

const GROUPS = [
  [
    'Tasks of a daemon:',
    [addDefinitionCommands, addTaskCommands, addApplyCommand, addCredentialCommand, addTimerCommand, addTriggerCommand],
  ],
  ['Runs of a daemon:', [addRunListCommands, addLogsCommand, addRunChangeCommands, addQueueCommands, addExplainCommands, addEventCommand]],
  ['Daemon:', [addLoginCommands, addTokenCommand, addSecretCommand, addDaemonCommands]],
] as const;

/** Every command that is only a client of a daemon. Loaded for those alone: what runs here need not wait for their definitions. */
export function addRemoteCommands(program: Command, shell: Shell): void {
  for (const [title, add] of GROUPS) {
    program.commandsGroup(title);
    for (const addCommand of add) addCommand(program, shell);
  }
}
