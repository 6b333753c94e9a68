import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { type ProcessOutcome, runProcess } from '../../src/util/process.ts';
import { startHttpServer } from './http-server.ts';

export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`; repositories are at `/smart/NAME.git` and `/dumb/NAME.git`. */
  readonly url: string;
  readonly root: string;
  /** Method, path with query, and authorization header of every request so far. */
  readonly requests: { readonly method: string; readonly url: string; readonly authorization: string | undefined }[];
  /** Makes a bare repository NAME.git out of what `fill` commits into a work tree. */
  repository(
    name: string,
    fill: (work: GitWork) => Promise<void>,
    options?: { readonly objectFormat?: 'sha1' | 'sha256' },
  ): Promise<string>;
  /** A work tree of NAME.git to go on in: what it pushes to `origin` the server has. */
  workTree(name: string): Promise<GitWork & AsyncDisposable>;
  /** While true every request is answered with 503. */
  down: boolean;
}

/** A work tree to fill; `git` rejects when git fails. */
export interface GitWork {
  readonly directory: string;
  git(...args: string[]): Promise<string>;
  commit(message: string): Promise<string>;
}

export interface GitServerOptions {
  /** Requests have to carry this authorization header, else 401. */
  readonly authorization?: string;
}

/** Real git over real HTTP: git-http-backend behind node, and the same files served dumbly. */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const root = await mkdtemp(join(tmpdir(), 'slipway-git-server-'));
  const requests: GitServer['requests'] = [];
  const execPath = (await git(root, '--exec-path')).trim();
  const state = { down: false };
  const server = await startHttpServer((request, response) => {
    const { authorization } = request.headers;
    if (state.down) {
      response.writeHead(503).end();
      return;
    }
    requests.push({ method: request.method ?? '', url: request.url ?? '', authorization });
    if (options.authorization !== undefined && authorization !== options.authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    } else if (request.url?.startsWith('/smart/') === true) serveSmart(request, response, { root, execPath });
    else if (request.url?.startsWith('/dumb/') === true) void serveDumb(request, response, root);
    else if (request.url?.startsWith('/moved/') === true)
      response.writeHead(301, { location: request.url.replace('/moved/', '/smart/') }).end();
    else response.writeHead(404).end();
  });
  return {
    url: server.url,
    root,
    requests,
    repository: (name, fill, repositoryOptions) => makeRepository(root, name, fill, repositoryOptions?.objectFormat ?? 'sha1'),
    workTree: (name) => openWorkTree(join(root, `${name}.git`)),
    get down() {
      return state.down;
    },
    set down(value) {
      state.down = value;
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

const ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/dev/null',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@example.com',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'ann@example.com',
  GIT_ALLOW_PROTOCOL: 'file:http',
};

export async function git(cwd: string, ...args: string[]): Promise<string> {
  const outcome: ProcessOutcome = await runProcess({ file: 'git', args, cwd, env: ENVIRONMENT });
  if (outcome.kind !== 'exited' || outcome.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${outcome.kind} ${outcome.stderr}`);
  return outcome.stdout.toString('utf8');
}

function workIn(directory: string): GitWork {
  const run = (...args: string[]): Promise<string> => git(directory, ...args);
  return {
    directory,
    git: run,
    commit: async (message) => {
      await run('add', '-A');
      await run('commit', '-q', '--allow-empty', '-m', message);
      return (await run('rev-parse', 'HEAD')).trim();
    },
  };
}

async function openWorkTree(bare: string): Promise<GitWork & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-git-work-'));
  await git(directory, 'clone', '-q', bare, directory);
  return { ...workIn(directory), [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

async function makeRepository(root: string, name: string, fill: (work: GitWork) => Promise<void>, objectFormat: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-git-work-'));
  try {
    await git(directory, 'init', '-q', '-b', 'main', `--object-format=${objectFormat}`);
    await fill(workIn(directory));
    const bare = join(root, `${name}.git`);
    await git(root, 'clone', '-q', '--mirror', directory, bare);
    await git(bare, 'config', 'http.receivepack', 'false');
    await git(bare, 'update-server-info');
    return bare;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function serveSmart(request: IncomingMessage, response: ServerResponse, paths: { readonly root: string; readonly execPath: string }): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const backend = spawn(join(paths.execPath, 'git-http-backend'), {
    env: {
      ...ENVIRONMENT,
      GIT_PROJECT_ROOT: paths.root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: url.pathname.slice('/smart'.length),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(backend.stdin);
  backend.stdin.on('error', () => undefined);
  response.on('close', () => backend.kill());
  let head = Buffer.alloc(0);
  backend.stdout.on('data', function onHead(chunk: Buffer) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    backend.stdout.off('data', onHead);
    for (const line of head.subarray(0, end).toString('latin1').split('\r\n')) {
      const [name = '', value = ''] = line.split(/:\s*/, 2);
      if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
    backend.stdout.pipe(response);
  });
}

async function serveDumb(request: IncomingMessage, response: ServerResponse, root: string): Promise<void> {
  const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname).replace('/dumb/', '/');
  const file = join(root, path);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) response.writeHead(404).end();
  else createReadStream(file).pipe(response.writeHead(200, { 'content-type': 'text/plain' }));
}
