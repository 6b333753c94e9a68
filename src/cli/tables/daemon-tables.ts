import type { AgentResource } from '../../api/daemon-schema.ts';
import type { QueueResource } from '../../api/queue-schema.ts';
import type { AuditEntryResource, SecretResource, TokenResource } from '../../api/security-schema.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import { fitTable } from './fit-table.ts';
import type { TablePlace } from './run-table.ts';
import { timeText } from './time-text.ts';

export function queueTable(queue: QueueResource, { stream, paint }: TablePlace): string {
  return fitTable(
    [
      { title: '#', cell: (run: QueueResource['waiting'][number]) => String(run.position ?? '') },
      { title: 'RUN ID', cell: (run) => run.runId },
      { title: 'WAITED', cell: (run) => formatDuration(run.queuedMs) },
      { title: 'REASON', cell: (run) => run.reason },
      { title: 'BECAUSE', cell: (run) => run.because, shrinks: true },
    ],
    queue.waiting,
    stream,
    paint,
  );
}

export function tokenTable(tokens: readonly TokenResource[], { stream, paint, now }: TablePlace): string {
  return fitTable(
    [
      { title: 'ID', cell: (token: TokenResource) => token.id },
      { title: 'NAME', cell: (token) => token.name, shrinks: true },
      { title: 'ROLE', cell: (token) => token.role },
      { title: 'SCOPES', cell: (token) => (token.scopes ?? []).join(','), shrinks: true, optional: true },
      { title: 'TASKS', cell: (token) => (token.tasks ?? []).join(','), shrinks: true, optional: true },
      {
        title: 'STATE',
        cell: (token) => tokenState(token, now),
        style: (token) => (tokenState(token, now) === 'valid' ? 'green' : 'yellow'),
      },
      { title: 'EXPIRES', cell: (token) => timeText(token.expiresAt, now), optional: true },
      { title: 'LAST USED', cell: (token) => (token.lastUsedAt === undefined ? 'never' : timeText(token.lastUsedAt, now)) },
      { title: 'CREATED', cell: (token) => timeText(token.createdAt, now) },
    ],
    tokens,
    stream,
    paint,
  );
}

function tokenState(token: TokenResource, now: Date): string {
  if (token.revokedAt !== undefined) return 'revoked';
  return token.expiresAt !== undefined && new Date(token.expiresAt) <= now ? 'expired' : 'valid';
}

export function secretTable(secrets: readonly SecretResource[], { stream, paint, now }: TablePlace): string {
  return fitTable(
    [
      { title: 'NAME', cell: (secret: SecretResource) => secret.name },
      { title: 'TASKS', cell: (secret) => (secret.tasks.length === 0 ? 'all' : secret.tasks.join(',')), shrinks: true },
      { title: 'UPDATED', cell: (secret) => timeText(secret.updatedAt, now) },
      { title: 'BY', cell: (secret) => secret.updatedBy, shrinks: true },
      { title: 'DESCRIPTION', cell: (secret) => secret.description, shrinks: true, optional: true },
    ],
    secrets,
    stream,
    paint,
  );
}

export function auditTable(entries: readonly AuditEntryResource[], { stream, paint, now }: TablePlace): string {
  return fitTable(
    [
      { title: 'WHEN', cell: (entry: AuditEntryResource) => timeText(entry.at, now) },
      { title: 'WHO', cell: (entry) => entry.principal, shrinks: true },
      { title: 'FROM', cell: (entry) => entry.from, shrinks: true },
      { title: 'ACTION', cell: (entry) => entry.action },
      { title: 'TARGET', cell: (entry) => entry.target, shrinks: true },
      { title: 'OUTCOME', cell: (entry) => entry.outcome, style: (entry) => (entry.outcome === 'done' ? 'green' : 'red') },
      {
        title: 'DETAILS',
        cell: (entry) => (Object.keys(entry.details).length === 0 ? '' : JSON.stringify(entry.details)),
        shrinks: true,
        optional: true,
      },
    ],
    entries,
    stream,
    paint,
  );
}

export function agentTable(agents: readonly AgentResource[], { stream, paint, now }: TablePlace): string {
  return fitTable(
    [
      { title: 'AGENT', cell: (agent: AgentResource) => agent.id, shrinks: true },
      { title: 'POOL', cell: (agent) => agent.pool },
      { title: 'PLATFORM', cell: (agent) => `${agent.platform.os}/${agent.platform.architecture}` },
      { title: 'BUSY', cell: (agent) => `${agent.runs.length} of ${agent.slots}` },
      { title: 'RUNS', cell: (agent) => agent.runs.join(','), shrinks: true, optional: true },
      { title: 'STATE', cell: (agent) => (agent.left ? 'left' : 'here') },
      { title: 'VERSION', cell: (agent) => agent.version },
      { title: 'SEEN', cell: (agent) => timeText(agent.lastSeen, now) },
    ],
    agents,
    stream,
    paint,
  );
}
