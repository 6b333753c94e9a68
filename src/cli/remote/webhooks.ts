import { isIP } from 'node:net';
import type { HookResource, HookSecretResource } from '../../api/hook-schema.ts';
import { classifyAddress } from '../../util/address-policy.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { readSecretValue } from '../source/secret-values.ts';
import { hookTable, hookText } from '../tables/hook-text.ts';
import { type ListFormat, printList, printValue } from '../tables/print-value.ts';
import { printable } from '../terminal/terminal-filter.ts';
import type { DaemonClient } from './client.ts';
import type { ServerFlags } from './find-server.ts';
import { conflict, FlagError, missingFlag } from './flag-error.ts';
import { taskPath } from './manage-tasks.ts';
import { tablePlace } from './table-place.ts';
import { withDaemon } from './with-daemon.ts';

export interface WebhookFlags extends ServerFlags {
  readonly triggerName?: string;
  readonly create: boolean;
  readonly token?: string;
  readonly rotate: boolean;
  readonly registry?: string;
  readonly provider?: string;
  readonly list: boolean;
  readonly remove?: string;
  readonly output: ListFormat;
}

/** Of a task's repository, or with `--registry` of a registry. Shows the secret: whoever may change the task may have it. */
export function showWebhook(task: string | undefined, flags: WebhookFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    refuseMixed(task, flags);
    const atForge = await forgeFields(flags, io);
    const made = flags.registry === undefined ? await ofTask(client, task ?? '', flags, atForge) : await ofRegistry(client, flags);
    if (flags.rotate && made.previousUntil !== undefined && Date.parse(made.previousUntil) > Date.now())
      warn(io, 'it was rotated within the last 24 hours: the secret before that rotation is good no more, only the last two are');
    const value = flags.rotate ? await rotated(client, made, atForge) : made;
    if (isOnlyHere(value))
      warn(io, `${value.url} cannot be reached from elsewhere: set \`publicUrl\` to the address that the forge reaches this daemon at`);
    await printValue(io, flags.output, value, () => hookText(value, flags.rotate, tablePlace(io)));
    return EXIT.ok;
  });
}

function warn(io: Io, text: string): void {
  io.stderr.write(`${io.paintError(['yellow', 'bold'], 'warning:')} ${printable(text)}\n`);
}

/** Forges that are told of by name are elsewhere, wherever their host is; a script for `generic` may be on this machine. */
function isOnlyHere({ url, source }: HookSecretResource): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const kind = host === 'localhost' ? 'loopback' : isIP(host) === 0 ? 'public' : classifyAddress(host);
  if (source.kind === 'git' && source.forge === 'Generic') return false;
  return kind === 'loopback' || (kind === 'private' && isPublicForge(source));
}

function isPublicForge(source: HookSecretResource['source']): boolean {
  const place = source.kind === 'git' ? source.repositoryUrl : source.registry;
  return /(?:^|[/@.])(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org|dev\.azure\.com|visualstudio\.com|ghcr\.io|docker\.io|quay\.io|azurecr\.io)(?:[/:]|$)/i.test(
    place,
  );
}

function refuseMixed(task: string | undefined, { registry, provider, create, token, triggerName }: WebhookFlags): void {
  if (registry === undefined) {
    if (provider !== undefined) throw missingFlag('`--provider` needs a `--registry`');
  } else {
    if (task !== undefined) throw conflict('a task and `--registry` exclude each other', 'a webhook is of a repository or of a registry');
    if (provider === undefined)
      throw missingFlag('`--registry` needs a `--provider`', 'it says what the registry is: distribution, acr, harbor, …');
    if (create || triggerName !== undefined)
      throw conflict('`--create` and `--trigger-name` are for repositories', 'the webhook of a registry is set up there by hand');
  }
  if (token !== undefined && !create) throw missingFlag('`--token` needs `--create`', 'without it nothing is done at the forge');
}

/** With `--rotate --create` the forge is told the new secret only. */
async function ofTask(client: DaemonClient, task: string, flags: WebhookFlags, atForge: object): Promise<HookSecretResource> {
  const trigger = flags.triggerName === undefined ? {} : { trigger: flags.triggerName };
  const body = { ...trigger, ...(flags.rotate ? {} : atForge) };
  return (await client.call<HookSecretResource>({ method: 'POST', path: `${taskPath(task)}/hooks`, body })).value;
}

async function ofRegistry(client: DaemonClient, { registry, provider }: WebhookFlags): Promise<HookSecretResource> {
  const body = { registry, registryKind: provider };
  return (await client.call<HookSecretResource>({ method: 'POST', path: '/hooks', body })).value;
}

async function rotated(client: DaemonClient, { id }: HookSecretResource, body: object): Promise<HookSecretResource> {
  return (await client.call<HookSecretResource>({ method: 'POST', path: `${hookPath(id)}/rotate`, body })).value;
}

async function forgeFields({ create, token }: WebhookFlags, io: Io): Promise<{ readonly atForge?: true; readonly token?: string }> {
  if (!create) return {};
  if (token === undefined) return { atForge: true };
  const read = await readSecretValue('--token', { name: 'value', value: token }, io, { literal: false });
  if (!read.ok) throw new FlagError([read.error]);
  return { atForge: true, token: read.value };
}

export function listWebhooks(flags: ServerFlags & { readonly output: ListFormat }, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    const { value } = await client.call<{ readonly items: readonly HookResource[] }>({ method: 'GET', path: '/hooks' });
    await printList(io, flags.output, value.items, {
      none: 'There are no webhooks: repositories and registries are polled. `task trigger webhook NAME` makes one.',
      table: (rows) => hookTable(rows, tablePlace(io)),
    });
    return EXIT.ok;
  });
}

export function removeWebhook(id: string, flags: ServerFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    await client.call({ method: 'DELETE', path: hookPath(id) });
    io.stdout.write(`${id} removed\n`);
    return EXIT.ok;
  });
}

function hookPath(id: string): string {
  return `/hooks/${encodeURIComponent(id)}`;
}
