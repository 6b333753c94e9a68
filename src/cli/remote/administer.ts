import { randomUUID } from 'node:crypto';
import type { AgentResource, GcResult } from '../../api/daemon-schema.ts';
import type { QueueResource } from '../../api/queue-schema.ts';
import type { AuditEntryResource, CreatedToken, SecretResource, TokenResource } from '../../api/security-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { readStdin } from '../source/find-task-file.ts';
import { readSecretValue } from '../source/secret-values.ts';
import { agentTable, auditTable, queueTable, secretTable, tokenTable } from '../tables/daemon-tables.ts';
import { type ListFormat, printList, printValue } from '../tables/print-value.ts';
import { formatBytes } from '../terminal/format-duration.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { defined } from './defined.ts';
import type { ServerFlags } from './find-server.ts';
import { FlagError } from './flag-error.ts';
import { isConfirmed } from './manage-tasks.ts';
import { listAll, nthPage } from './pages.ts';
import { askHidden, canAsk } from './prompts.ts';
import { tablePlace } from './table-place.ts';

import { withDaemon } from './with-daemon.ts';

interface PrintedFlags extends ServerFlags {
  readonly output: ListFormat;
}

export function showQueue(flags: PrintedFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<QueueResource>({ method: 'GET', path: '/queue' });
    await printValue(io, flags.output, value, () => {
      const paused = value.paused ? `, ${io.paint('yellow', 'paused')}${value.reason ? `: ${printable(value.reason)}` : ''}` : '';
      const summary = `${value.queued} waiting, ${value.running} running${paused}\n`;
      return value.waiting.length === 0 ? summary : `${summary}\n${queueTable(value, tablePlace(io))}`;
    });
    return EXIT.ok;
  });
}

export function pauseQueue(flags: ServerFlags & { readonly reason?: string }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<QueueResource>({ method: 'POST', path: '/queue/pause', body: defined({ reason: flags.reason }) });
    io.stdout.write(`paused: ${value.running} running, ${value.queued} waiting\n`);
    return EXIT.ok;
  });
}

export function resumeQueue(flags: ServerFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<QueueResource>({ method: 'POST', path: '/queue/resume', body: {} });
    io.stdout.write(`resumed: ${value.queued} waiting\n`);
    return EXIT.ok;
  });
}

export interface TokenFlags extends PrintedFlags {
  readonly role: string;
  readonly scope: readonly string[];
  readonly task: readonly string[];
  readonly expires?: string;
  readonly idempotencyKey?: string;
}

/** The token goes to standard output alone, so that it can be piped; what people should know goes beside it. */
export function createToken(name: string, flags: TokenFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const body = {
      name,
      role: flags.role,
      ...(flags.scope.length === 0 ? {} : { scopes: flags.scope }),
      ...(flags.task.length === 0 ? {} : { tasks: flags.task }),
      ...defined({ expiresAt: flags.expires }),
    };
    const { value } = await client.call<CreatedToken>({
      method: 'POST',
      path: '/tokens',
      body,
      idempotencyKey: flags.idempotencyKey ?? randomUUID(),
    });
    if (flags.output === 'table') io.stderr.write(`Token ${value.id} (${value.role}). It is shown this once:\n`);
    await printValue(io, flags.output, value, () => `${value.token}\n`);
    return EXIT.ok;
  });
}

export function listTokens(flags: PrintedFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const tokens = await listAll<TokenResource>(client, '/tokens');
    await printList(io, flags.output, tokens, {
      none: 'There are no tokens. `task token create NAME --role runner` makes one.',
      table: (rows) => tokenTable(rows, tablePlace(io)),
    });
    return EXIT.ok;
  });
}

export function revokeTokens(ids: readonly string[], flags: ServerFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    for (const id of ids) {
      await client.call({ method: 'DELETE', path: `/tokens/${encodeURIComponent(id)}` });
      io.stdout.write(`${id} revoked\n`);
    }
    return EXIT.ok;
  });
}

export interface SecretFlags extends ServerFlags {
  readonly value?: string;
  readonly description?: string;
  readonly task: readonly string[];
}

export function setSecret(name: string, flags: SecretFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const value = await secretValue(name, flags, io);
    if (value === undefined) return EXIT.canceled;
    const { status } = await client.call<SecretResource>({
      method: 'PUT',
      path: `/secrets/${encodeURIComponent(name)}`,
      body: { value, ...defined({ description: flags.description }), ...(flags.task.length === 0 ? {} : { tasks: flags.task }) },
    });
    io.stdout.write(`${name} ${status === 201 ? 'created' : 'set'}\n`);
    return EXIT.ok;
  });
}

/** From `--value env:…|file:…`, from a pipe, or typed without being shown. Undefined when the person gave up. */
async function secretValue(name: string, flags: SecretFlags, io: Io): Promise<string | undefined> {
  if (flags.value !== undefined) {
    const read = await readSecretValue('--value', { name, value: flags.value }, io, { literal: false });
    if (!read.ok) throw new FlagError([read.error]);
    return read.value;
  }
  if (canAsk(io)) return askHidden(io, `Value of ${name}: `);
  const read = await readStdin(io.stdin);
  if (!read.ok) throw new FlagError([read.error]);
  const value = read.value.text.replace(/\r?\n$/, '');
  if (value === '')
    throw new EngineError('invalid-request', 'standard input holds no value', {
      help: `pipe it in, or name where it is: \`task secret set ${name} --value env:NAME\``,
    });
  return value;
}

export function listSecrets(flags: PrintedFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const secrets = await listAll<SecretResource>(client, '/secrets');
    await printList(io, flags.output, secrets, {
      none: 'There are no secrets. `task secret set NAME` stores one.',
      table: (rows) => secretTable(rows, tablePlace(io)),
    });
    return EXIT.ok;
  });
}

export function deleteSecret(name: string, flags: ServerFlags & { readonly yes: boolean }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    if (!(await isConfirmed(`Delete the secret ${name}?`, flags, io))) return EXIT.canceled;
    await client.call({ method: 'DELETE', path: `/secrets/${encodeURIComponent(name)}` });
    io.stdout.write(`${name} deleted\n`);
    return EXIT.ok;
  });
}

export interface AuditFlags extends PrintedFlags {
  readonly action?: string;
  readonly principal?: string;
  readonly target?: string;
  readonly since?: string;
  readonly top: number;
  readonly page: number;
}

export function listAudit(flags: AuditFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { action, principal, target, since } = flags;
    const page = await nthPage<AuditEntryResource>(client, '/audit', { action, principal, target, since }, flags);
    await printList(io, flags.output, page.items, { none: 'No entry fits.', table: (rows) => auditTable(rows, tablePlace(io)) });
    if (page.next !== undefined && flags.output === 'table') io.stderr.write(`There are more: --page ${flags.page + 1}\n`);
    return EXIT.ok;
  });
}

export function collectGarbage(flags: PrintedFlags & { readonly dryRun: boolean }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<GcResult>({ method: 'POST', path: '/gc', body: { dryRun: flags.dryRun }, idleTimeoutMs: 600_000 });
    const { runs, logs, uploads, events, images, engine, bytes } = value;
    const parts = [
      `${runs} runs`,
      `${logs} logs`,
      `${uploads} uploads`,
      `${events} events`,
      `${images} images`,
      `${engine} leftovers in the engine`,
    ];
    const verb = flags.dryRun ? 'would be removed' : 'removed';
    await printValue(io, flags.output, value, () => `${parts.join(', ')} ${verb} (${formatBytes(bytes)})\n`);
    return EXIT.ok;
  });
}

export function listAgents(flags: PrintedFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const agents = await listAll<AgentResource>(client, '/agents');
    await printList(io, flags.output, agents, { none: 'No agent is connected.', table: (rows) => agentTable(rows, tablePlace(io)) });
    return EXIT.ok;
  });
}
