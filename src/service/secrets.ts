import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import type { SecretProvider } from '../model/ports/secret-provider.ts';
import { splitShellWords } from '../task/command/shell-words.ts';
import { runProcess } from '../util/process.ts';
import { parseVaultUrl } from './vault-url.ts';

export interface SecretProviderOptions {
  /** For `env://` and the programs of `exec://`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What relative paths of `file://` start at, and where programs run. */
  readonly directory: string;
  /** `--secret-map`: from a `keyvault` text, usually a vault URL, to `env://`, `file://` or `exec://`. */
  readonly map: ReadonlyMap<string, string>;
  /** Whether `exec://` may run programs on this machine. */
  readonly allowExec: boolean;
}

type Request = Parameters<SecretProvider['resolve']>[0];

const MAX_SECRET = 1024 * 1024;
const BATCH = 5;
const TIMEOUT_MS = 120_000;
const FORMS = 'Write env://NAME, file://PATH, exec://COMMAND or the URL of a vault secret.';

/**
 * Resolves the `keyvault` text of a secret:
 *
 * - `env://NAME`: a variable of this program's environment.
 * - `file://PATH`: a file, without the newline at its end.
 * - `exec://COMMAND`: what a program prints, without the newline at its end; split into words as sh would, without a shell.
 * - `https://VAULT/secrets/NAME[/VERSION]`, or any text of the map: what it is mapped to.
 */
export function createSecretProvider(options: SecretProviderOptions): SecretProvider {
  const mapped = new Map([...options.map].map(([text, target]) => [mapKey(text), target]));
  return {
    resolve: async (request) => {
      const target = mapped.get(mapKey(request.keyvault));
      const text = target ?? request.keyvault.trim();
      const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/is.exec(text) ?? [];
      switch (scheme.toLowerCase()) {
        case 'env':
          return fromEnvironment(request, rest, options);
        case 'file':
          return fromFile(request, rest, options);
        case 'exec':
          return fromProgram(request, rest, options);
        default:
          throw target === undefined
            ? notProvided(request)
            : unavailable(request, 'it is mapped to something that is no env://, file:// or exec://');
      }
    },
  };
}

/** Vault URLs are the same in any case and with a slash at their end. */
function mapKey(text: string): string {
  const vault = parseVaultUrl(text);
  return vault.ok ? vault.value.url : text.trim();
}

async function fromEnvironment(request: Request, name: string, { environment }: SecretProviderOptions): Promise<string> {
  const value = environment[name];
  if (value === undefined) throw unavailable(request, `the environment has no variable ${JSON.stringify(name)}`);
  return value;
}

async function fromFile(request: Request, path: string, { directory }: SecretProviderOptions): Promise<string> {
  const place = resolve(directory, path);
  try {
    const content = await readBounded(place, request.signal);
    if (content === undefined) throw unavailable(request, `${path} is bigger than ${MAX_SECRET} bytes`);
    return withoutNewline(content.toString('utf8'));
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw unavailable(request, `cannot read ${path} (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'})`);
  }
}

/** Up to the limit and no further: what has no size, such as a pipe or a device, may have no end. Undefined for more. */
async function readBounded(path: string, signal: AbortSignal): Promise<Buffer | undefined> {
  const file = await open(path, 'r');
  try {
    const content = Buffer.alloc(MAX_SECRET + 1);
    let length = 0;
    while (length < content.length) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(content, length, content.length - length, null);
      if (bytesRead === 0) return content.subarray(0, length);
      length += bytesRead;
    }
    return undefined;
  } finally {
    await file.close();
  }
}

async function fromProgram(request: Request, command: string, options: SecretProviderOptions): Promise<string> {
  if (!options.allowExec) {
    throw new EngineError('policy-refused', `the secret ${JSON.stringify(request.id)} wants to run a program, which is not allowed`, {
      help: 'If you trust the task file with that, pass `--allow-exec-secrets`.',
    });
  }
  const words = splitShellWords(command, { newline: 'separates' });
  if (!words.ok) throw unavailable(request, `its command cannot be read: ${words.error.message}`);
  const [file, ...args] = words.value.map(({ text }) => text);
  if (file === undefined) throw unavailable(request, 'exec:// names no program');
  const env = Object.fromEntries(
    Object.entries(options.environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const outcome = await runProcess({
    file,
    args,
    env,
    cwd: options.directory,
    signal: request.signal,
    maxOutput: MAX_SECRET,
    graceMs: 2000,
  });
  if (outcome.kind === 'exited' && outcome.exitCode === 0) return withoutNewline(outcome.stdout.toString('utf8'));
  // What the program printed may be the secret itself.
  const how = {
    exited: 'failed',
    signaled: 'was killed',
    canceled: 'was stopped',
    'timed-out': 'took too long',
    'too-much-output': 'printed too much',
    'not-started': 'could not be started',
  }[outcome.kind];
  const detail =
    outcome.kind === 'exited' ? ` (exit code ${outcome.exitCode})` : outcome.kind === 'not-started' ? ` (${outcome.reason})` : '';
  throw unavailable(request, `${file} ${how}${detail}`);
}

function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function notProvided(request: Request): EngineError {
  const text = request.keyvault.trim();
  if (text === '') return unavailable(request, 'its keyvault is empty', FORMS);
  const vault = parseVaultUrl(text);
  if (vault.ok) {
    const { url } = vault.value;
    return unavailable(
      request,
      `no provider is configured for ${vault.value.vault}`,
      `Say where its value is: --secret-map ${url}=env://NAME, or --secret ${request.id}=env:NAME.`,
    );
  }
  const reason = /^https:\/\//i.test(text) ? vault.error : `its keyvault ${JSON.stringify(shown(text))} names no provider`;
  return unavailable(request, reason, FORMS);
}

/** A text that is no provider may be a secret put into the wrong place: only its beginning is repeated. */
function shown(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  return scheme === undefined ? '…' : `${scheme}…`;
}

function unavailable({ id }: Pick<Request, 'id'>, reason: string, help?: string): EngineError {
  return new EngineError(
    'secret-unavailable',
    `the secret ${JSON.stringify(id)} cannot be resolved: ${reason}`,
    help === undefined ? {} : { help },
  );
}

/**
 * Values by id: five at a time, each within 120 s. The first failure stops the others and rejects with its EngineError.
 */
export async function resolveSecrets(
  references: readonly Omit<Request, 'signal'>[],
  provider: SecretProvider,
  signal: AbortSignal,
  timeoutMs: number = TIMEOUT_MS,
): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  for (let start = 0; start < references.length; start += BATCH) {
    const failed = new AbortController();
    const resolving = references.slice(start, start + BATCH).map(async (reference) => {
      const stop = AbortSignal.any([signal, failed.signal]);
      values.set(reference.id, await withinTime(reference, provider, stop, timeoutMs));
    });
    try {
      await Promise.all(resolving);
    } finally {
      failed.abort();
      await Promise.allSettled(resolving);
    }
  }
  return values;
}

async function withinTime(
  { id, keyvault, clientID }: Omit<Request, 'signal'>,
  provider: SecretProvider,
  stop: AbortSignal,
  timeoutMs: number,
): Promise<string> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([stop, deadline]);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (): void =>
    reject(unavailable({ id }, stop.aborted ? 'it was cancelled' : `timeout in fetching secrets (${timeoutMs / 1000} s)`));
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([provider.resolve({ id, keyvault, clientID, signal }), ended]);
  } finally {
    signal.removeEventListener('abort', end);
    ended.catch(() => undefined);
  }
}
