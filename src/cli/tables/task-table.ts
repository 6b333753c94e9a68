import type { CredentialShown, StepShown, TaskResource } from '../../api/task-schema.ts';
import { platformText } from '../remote/platform.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import { type Column, factLines, fitTable } from './fit-table.ts';
import type { TablePlace } from './run-table.ts';
import { timeText } from './time-text.ts';
import { type TriggerLine, triggerLines, triggerWords } from './trigger-words.ts';

/** ACR's columns of `task list`. */
export function taskTable(tasks: readonly TaskResource[], { stream, paint, now }: TablePlace): string {
  const columns: readonly Column<TaskResource>[] = [
    { title: 'NAME', cell: (task) => task.name },
    { title: 'PLATFORM', cell: (task) => platformText(task.platform) },
    { title: 'STATUS', cell: (task) => task.status, style: (task) => (task.status === 'Enabled' ? 'green' : 'yellow') },
    { title: 'SOURCE', cell: (task) => task.step.contextPath ?? '', shrinks: true },
    { title: 'BUILDS', cell: (task) => stepText(task.step), shrinks: true },
    { title: 'TRIGGERS', cell: (task) => triggerWords(task.trigger), shrinks: true },
    { title: 'UPDATED', cell: (task) => timeText(task.lastUpdatedTime, now) },
    { title: 'MANAGED BY', cell: (task) => task.managedBy ?? '', shrinks: true, optional: true },
  ];
  return fitTable(columns, tasks, stream, paint);
}

export function taskText(task: TaskResource, place: TablePlace): string {
  const triggers = triggerLines(task.trigger);
  const facts = taskFacts(task, place);
  return triggers.length === 0 ? facts : `${facts}\n${triggerTable(triggers, place)}`;
}

/** What starts a task, a line for each trigger. */
export function triggerTable(triggers: readonly TriggerLine[], { stream, paint }: TablePlace): string {
  const columns: readonly Column<TriggerLine>[] = [
    { title: 'TRIGGER', cell: ({ name }) => name },
    { title: 'KIND', cell: ({ kind }) => kind },
    { title: 'STATUS', cell: ({ status }) => status, style: ({ status }) => (status === 'Enabled' ? 'green' : 'yellow') },
    { title: 'STARTS AT', cell: ({ starts }) => starts, shrinks: true },
  ];
  return fitTable(columns, triggers, stream, paint);
}

function taskFacts(task: TaskResource, { paint, now }: TablePlace): string {
  const { step, concurrency, policy } = task;
  const allowed = [
    ...(policy.privileged ? ['privileged'] : []),
    ...(policy.hostMounts ? ['host mounts'] : []),
    ...(policy.dockerSocket ? ['docker socket'] : []),
  ];
  return factLines(
    [
      ['Name', task.name],
      ['Status', task.status],
      ['Source', step.contextPath],
      ['Step', `${step.type} ${stepText(step)}`],
      ['Target', step.type === 'Docker' ? step.target : undefined],
      ['Push', step.type === 'Docker' ? (step.isPushEnabled ? 'yes' : 'no') : undefined],
      ['Arguments', argumentText(step)],
      ['Access token', step.contextAccessToken === undefined ? undefined : placeText(step.contextAccessToken)],
      ['Platform', platformText(task.platform)],
      ['Timeout', formatDuration(task.timeout * 1000)],
      ['CPU', String(task.agentConfiguration.cpu)],
      ['Registry', task.registry],
      ['Agent pool', task.agentPoolName],
      ['Priority', String(task.priority)],
      ['Most at once', task.maxParallelRuns === undefined ? undefined : String(task.maxParallelRuns)],
      [
        'Concurrency',
        concurrency === undefined ? undefined : `${concurrency.limit} of ${concurrency.group}, then ${concurrency.onConflict}`,
      ],
      ['Allowed', allowed.join(', ')],
      ['Credentials', task.credentials.map(({ loginServer }) => loginServer).join(', ')],
      [
        'Tags',
        Object.entries(task.tags ?? {})
          .map(([name, value]) => `${name}=${value}`)
          .join(', '),
      ],
      ['Managed by', task.managedBy],
      ['Created', timeText(task.creationDate, now)],
      ['Updated', `${timeText(task.lastUpdatedTime, now)}, version ${task.version}`],
    ],
    paint,
  );
}

export function credentialTable(credentials: readonly CredentialShown[], { stream, paint }: TablePlace): string {
  const columns: readonly Column<CredentialShown>[] = [
    { title: 'REGISTRY', cell: (credential) => credential.loginServer },
    { title: 'USER', cell: ({ userName }) => (typeof userName === 'string' ? userName : placeText(userName)), shrinks: true },
    { title: 'PASSWORD', cell: ({ password }) => placeText(password), shrinks: true },
  ];
  return fitTable(columns, credentials, stream, paint);
}

function stepText(step: StepShown): string {
  switch (step.type) {
    case 'Docker':
      return [step.dockerFilePath, ...step.imageNames].join(' ');
    case 'FileTask':
      return step.taskFilePath;
    case 'EncodedTask':
      return 'stored with the task';
  }
}

function argumentText(step: StepShown): string {
  const list = step.type === 'Docker' ? step.arguments : step.values;
  return list.map(({ name, value, isSecret }) => (isSecret ? `${name} (${placeText(value)})` : `${name}=${value}`)).join(', ');
}

function placeText(place: { readonly secret: string } | { readonly stored: true }): string {
  return 'secret' in place ? `secret ${place.secret}` : 'stored, not shown';
}
