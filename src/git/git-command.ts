import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import type { SimpleGit } from 'simple-git';
import { EngineError } from '../model/engine-error.ts';
import { killMarkedProcesses } from '../util/kill-marked.ts';
import { maskCredentials } from './git-url.ts';

/** Settings for one remote, given to git through its environment so that they never stand in argv. */
export interface GitCommandOptions {
  readonly directory: string;
  /** Protocols that git may speak, for GIT_ALLOW_PROTOCOL. */
  readonly protocols: readonly string[];
  /** Further `key, value` pairs of configuration. */
  readonly config?: readonly (readonly [key: string, value: string])[];
  /** The environment of this program; only what the table below names goes on to git. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** git looks for no repository above the directory. */
  readonly isolated?: boolean;
  /** Most bytes of output of one command; 256 MiB unless given. */
  readonly maxOutput?: number;
}

const MAX_OUTPUT = 256 * 1024 * 1024;

/** What git may see of this program's environment: where programs are, the SSH agent, trusted certificates, proxies. */
const INHERITED = [
  'PATH',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
];

/** No hook, monitor, helper, prompt or background job; objects are checked as they arrive. */
const HARDENING: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['credential.helper', ''],
  ['protocol.file.allow', 'never'],
  ['protocol.ext.allow', 'never'],
  ['transfer.fsckObjects', 'true'],
  // Old and harmless sins of many well-known repositories.
  ['fetch.fsck.zeroPaddedFilemode', 'ignore'],
  ['fetch.fsck.missingSpaceBeforeDate', 'ignore'],
  ['fetch.fsck.badTimezone', 'ignore'],
  ['fetch.recurseSubmodules', 'false'],
  ['submodule.recurse', 'false'],
  ['http.followRedirects', 'false'],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '60'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['init.defaultBranch', 'main'],
  ['advice.detachedHead', 'false'],
];

const SSH_COMMAND = 'ssh -oBatchMode=yes -oPermitLocalCommand=no -oForwardAgent=no -oClearAllForwardings=yes';

const SILENCE_MS = 120_000;

/**
 * One hardened git in one directory. Commands are asked without `--quiet`: simple-git waits 50 ms longer for one that says nothing.
 * `run` resolves to standard output and rejects with GitFailure or EngineError. */
export interface GitCommand {
  run(args: readonly string[]): Promise<string>;
}

/** git said no: `stderr` is its own words, credentials masked. */
export class GitFailure extends Error {
  override readonly name = 'GitFailure';
  readonly stderr: string;

  constructor(command: string, stderr: string) {
    super(`git ${command}: ${lastLine(stderr)}`);
    this.stderr = stderr;
  }
}

export async function createGitCommand(options: GitCommandOptions): Promise<GitCommand> {
  const { simpleGit } = await import('simple-git');
  const mark = { name: 'SLIPWAY_GIT', value: randomUUID() };
  const env = { ...gitEnvironment(options), [mark.name]: mark.value };
  const tooMuch = new AbortController();
  const most = options.maxOutput ?? MAX_OUTPUT;
  const git = simpleGit({
    baseDir: options.directory,
    // Names are ours alone: this environment is the one built above, and every key in it is meant.
    allowEnvironment: Object.keys(env),
    unsafe: {
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeHooksPath: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeProtocolOverride: true,
      allowUnsafeSshCommand: true,
      allowUnsafeTemplateDir: true,
    },
    timeout: { block: SILENCE_MS },
    // Without this, a failure that says nothing counts as success.
    errors: (error, result) => (result.exitCode === 0 ? error : Buffer.concat([...result.stdErr, ...result.stdOut])),
    abort: AbortSignal.any([tooMuch.signal, ...(options.signal === undefined ? [] : [options.signal])]),
  })
    .env(env)
    .outputHandler((_command, stdout, stderr) => {
      let bytes = 0;
      const count = (chunk: Buffer): void => {
        bytes += chunk.length;
        if (bytes > most) tooMuch.abort();
      };
      stdout.on('data', count);
      stderr.on('data', count);
    });
  // git dies of simple-git's signal, but its transport helpers do not: they would go on writing into the directory.
  const endHelpers = (): Promise<void> => killMarkedProcesses(`${mark.name}=${mark.value}`);
  return { run: (args) => runGit(git, args, { signal: options.signal, tooMuch: tooMuch.signal, endHelpers }) };
}

interface Running {
  readonly signal: AbortSignal | undefined;
  readonly tooMuch: AbortSignal;
  readonly endHelpers: () => Promise<void>;
}

async function runGit(git: SimpleGit, args: readonly string[], { signal, tooMuch, endHelpers }: Running): Promise<string> {
  const command = args[0] ?? '';
  try {
    signal?.throwIfAborted();
    return await git.raw([...args]);
  } catch (error) {
    await endHelpers();
    if (tooMuch.aborted) throw new EngineError('context-rejected', `git ${command} says more than is taken`, { cause: error });
    if (signal?.aborted === true) throw new EngineError('context-failed', `git ${command} was cancelled`, { cause: signal.reason });
    const message = error instanceof Error ? error.message : String(error);
    if (/\bENOENT\b/.test(message)) {
      throw new EngineError('context-failed', 'git is not installed', { help: 'Install git 2.31 or newer (`apt-get install git`).' });
    }
    throw new GitFailure(command, maskCredentials(message));
  }
}

function gitEnvironment({ environment, protocols, config, directory, isolated }: GitCommandOptions): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = environment[name];
    if (value !== undefined && value !== '') env[name] = value;
  }
  const settings = [...HARDENING, ...(config ?? [])];
  for (const [index, [key, value]] of settings.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return {
    ...env,
    ...(isolated === true ? { GIT_CEILING_DIRECTORIES: dirname(directory) } : {}),
    GIT_CONFIG_COUNT: String(settings.length),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: protocols.join(':'),
    GIT_TERMINAL_PROMPT: '0',
    GIT_SSH_COMMAND: SSH_COMMAND,
    // A home that holds no .netrc, no configuration and no cache.
    HOME: '/dev/null',
    LC_ALL: 'C',
  };
}

function lastLine(text: string): string {
  const lines = text
    .split(/[\r\n]+/)
    .map((line) => line.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim())
    .filter((line) => line !== '');
  const fatal = lines.findLast((line) => /^(?:fatal|error|remote):/i.test(line));
  return (fatal ?? lines.at(-1) ?? 'failed without a word').slice(0, 500);
}
