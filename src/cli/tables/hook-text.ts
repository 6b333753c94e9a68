import type { HookResource, HookSecretResource } from '../../api/hook-schema.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { factLines, fitTable } from './fit-table.ts';
import type { TablePlace } from './run-table.ts';
import { timeText } from './time-text.ts';

/** All that is needed to set a webhook up. */
export function hookText(hook: HookSecretResource, rotated: boolean, { paint, now }: TablePlace): string {
  const facts = factLines(
    [
      ['Webhook', hook.id],
      ['Of', sourceText(hook)],
      ['URL', hook.url],
      ['Secret', hook.secret],
      ['Secret before', hook.previousUntil === undefined ? undefined : `good until ${timeText(hook.previousUntil, now)}`],
      ['Last delivery', deliveryText(hook, now) || 'none yet'],
    ],
    paint,
  );
  if (hook.atForge !== undefined) return `${facts}\nIt was ${hook.atForge} at the forge.\n`;
  const steps = hook.instructions.map(({ text, value }, index) => {
    const copied = value?.split('\n').map((line) => `\n   ${printable(line)}`);
    return `${index + 1}. ${printable(text)}${copied?.join('') ?? ''}\n`;
  });
  const title = rotated ? 'Set the new secret there:' : 'How to set it up:';
  return steps.length === 0 ? facts : `${facts}\n${paint('bold', title)}\n${steps.join('')}`;
}

export function hookTable(hooks: readonly HookResource[], { stream, paint, now }: TablePlace): string {
  return fitTable(
    [
      { title: 'ID', cell: (hook: HookResource) => hook.id },
      { title: 'OF', cell: sourceText, below: true },
      { title: 'TASKS', cell: (hook) => hook.tasks.join(', '), shrinks: true },
      { title: 'LAST DELIVERY', cell: (hook) => deliveryText(hook, now) || 'none yet', below: true },
      { title: 'CREATED', cell: (hook) => timeText(hook.createdAt, now), below: true },
      { title: 'BY', cell: (hook) => hook.createdBy, below: true },
    ],
    hooks,
    stream,
    paint,
  );
}

/** As they call themselves; those that are only posted to have no name. */
const FORGE_NAMES: Readonly<Record<string, string>> = { Github: 'GitHub', VisualStudioTeamService: 'Azure DevOps', Generic: 'generic' };

function sourceText({ source }: HookResource): string {
  return source.kind === 'git'
    ? `${source.repositoryUrl} (${FORGE_NAMES[source.forge] ?? source.forge})`
    : `${source.registry} (${source.registryKind})`;
}

function deliveryText({ lastDelivery }: HookResource, now: Date): string {
  return lastDelivery === undefined ? '' : `${timeText(lastDelivery.at, now)}: ${lastDelivery.result}`;
}
