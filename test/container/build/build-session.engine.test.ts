import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CredentialSource } from '../../../src/model/ports/credential-source.ts';
import { type LocalRegistry, startLocalRegistry } from '../../support/local-registry.ts';
import { BASE, build, docker, imageOf, MemoryWorkspace, removeImage, removeUnnamed } from './build-harness.ts';

const USER = 'builder';
const PASSWORD = 'pa:ss word';
/** bcrypt of PASSWORD. */
const HTPASSWD = '$2b$04$tZvXDneia./ENnSZECqF7.ojKO9pacsqhs..VRridHeuZNpar9CSC';

let registry: LocalRegistry;
let folder: string;
let base: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-session-'));
  registry = await startLocalRegistry({ htpasswd: `${USER}:${HTPASSWD}\n` });
  base = `${registry.host}/private/base`;
  await docker.getImage(BASE).tag({ repo: base, tag: 'v1' });
  const push = await docker
    .getImage(`${base}:v1`)
    .push({ authconfig: { username: USER, password: PASSWORD, serveraddress: registry.host } });
  for await (const _ of push);
});

afterAll(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
  for (const tag of ['auth', 'secret', 'ssh', 'cache']) await removeImage(`slipway-test/session:${tag}`);
  await removeImage(`${base}:v1`);
  await removeUnnamed();
});

function credentialsFor(host: string, asked: string[] = []): CredentialSource {
  return {
    forHost: async (wanted) => {
      asked.push(wanted);
      return wanted === host ? { kind: 'basic', username: USER, password: PASSWORD } : undefined;
    },
    explicitHosts: () => [host],
  };
}

describe('what the engine asks of the session', () => {
  it('gets the credentials of the base image registry, of that host only', async () => {
    const asked: string[] = [];
    await removeImage(`${base}:v1`);
    const report = await build({
      dockerfile: `FROM ${base}:v1\nLABEL a=${randomUUID()}`,
      spec: { tags: ['slipway-test/session:auth'], pull: 'always' },
      environment: { credentials: credentialsFor(registry.host, asked) },
    });
    imageOf(report);
    expect([...new Set(asked)]).toEqual([registry.host]);
  });

  it('hands them to the classic builder too', async () => {
    await removeImage(`${base}:v1`);
    const report = await build({
      dockerfile: `FROM ${base}:v1\nLABEL a=${randomUUID()}`,
      spec: { tags: ['slipway-test/session:auth'], pull: 'always' },
      engine: { buildkit: false },
      environment: { credentials: credentialsFor(registry.host) },
    });
    imageOf(report);
  });

  it('fails as the registry would without them: the engine could not do its work', async () => {
    await removeImage(`${base}:v1`);
    await expect(build({ dockerfile: `FROM ${base}:v1`, spec: { pull: 'always' } })).rejects.toMatchObject({
      code: 'image-not-found',
      message: expect.stringContaining(`${base}:v1`),
    });
  });

  it('mounts secrets from the run, a variable and a file, and leaves no trace of them', async () => {
    const [fromRun, fromEnv, fromFile] = [randomUUID(), randomUUID(), randomUUID()];
    const workspace = new MemoryWorkspace();
    workspace.files.set('/workspace/keys/token.txt', Buffer.from(fromFile));
    const report = await build({
      dockerfile: [
        `FROM ${BASE}`,
        'RUN --mount=type=secret,id=run --mount=type=secret,id=env --mount=type=secret,id=file \\',
        '  sha256sum /run/secrets/run /run/secrets/env /run/secrets/file',
        'RUN ls -A /run/secrets 2>/dev/null; echo none',
      ].join('\n'),
      spec: {
        secrets: ['id=run', 'id=env,env=TOKEN', 'type=file,id=file,src=keys/token.txt'],
        env: [`TOKEN=${fromEnv}`],
        tags: ['slipway-test/session:secret'],
        noCache: true,
      },
      secrets: new Map([['run', Buffer.from(fromRun)]]),
      environment: workspace.context(),
    });
    const id = imageOf(report);
    const sums = [fromRun, fromEnv, fromFile].map((value) => createHash('sha256').update(value).digest('hex'));
    for (const sum of sums) expect(report.stdout).toContain(sum);
    const image = docker.getImage(id);
    const traces = JSON.stringify([await image.inspect(), await image.history(), report]);
    for (const value of [fromRun, fromEnv, fromFile]) expect(traces).not.toContain(value);
  });

  it('says which secret an instruction lacks', async () => {
    const { outcome } = await build({
      dockerfile: `FROM ${BASE}\nRUN --mount=type=secret,id=missing,required cat /run/secrets/missing`,
      spec: { secrets: ['id=other'], noCache: true },
      secrets: new Map([['other', Buffer.from('x')]]),
    });
    expect(outcome).toMatchObject({ ok: false, message: expect.stringContaining('missing') });
  });

  it('forwards an ssh agent of this machine', async () => {
    const socket = join(folder, 'agent');
    const started = execFileSync('ssh-agent', ['-a', socket, '-s'], { encoding: 'utf8' });
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]);
    try {
      const key = join(folder, 'id_agent');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
      execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
      const report = await agentKeys('default', key, { sshAgentSocket: socket });
      expect(report).toContain(publicKey(key));
    } finally {
      process.kill(pid);
    }
  });

  it.each(['ed25519', 'rsa', 'ecdsa'])('holds a private %s key of the workspace in an agent of its own', async (type) => {
    const key = join(folder, `id_${type}`);
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', key]);
    const workspace = new MemoryWorkspace();
    workspace.files.set('/workspace/id_key', readFileSync(key));
    expect(await agentKeys('deploy=id_key', key, workspace.context())).toContain(publicKey(key));
  });

  it('refuses a key file that is none', async () => {
    const workspace = new MemoryWorkspace();
    workspace.files.set('/workspace/id_key', Buffer.from('no key'));
    const { outcome } = await build({ dockerfile: 'FROM scratch', spec: { ssh: ['deploy=id_key'] }, environment: workspace.context() });
    expect(outcome).toMatchObject({ ok: false, message: expect.stringContaining('no private key') });
  });

  it('keeps a cache in the registry that another engine state can use', async () => {
    const cacheRef = `${registry.host}/private/app:cache_quickrun_build`;
    const marker = randomUUID();
    const wanted = {
      dockerfile: `FROM ${BASE}\nRUN echo ${marker} > /made`,
      spec: { cacheRef, tags: ['slipway-test/session:cache'] },
      environment: { credentials: credentialsFor(registry.host) },
    };
    const first = await build(wanted);
    imageOf(first);
    expect(first.progress.filter((entry) => entry.warning !== undefined)).toEqual([]);
    const manifest = await fetch(`http://${registry.host}/v2/private/app/manifests/cache_quickrun_build`, {
      headers: {
        accept: 'application/vnd.docker.distribution.manifest.v2+json',
        authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`,
      },
    });
    expect(manifest.status).toBe(200);
    await expect(docker.getImage(cacheRef).inspect()).rejects.toMatchObject({ statusCode: 404 });
    const again = await build(wanted);
    expect(imageOf(again)).toBe(imageOf(first));
  });

  it('leaves the image its name when the cache has the same, and when it has no other', async () => {
    const shared = `${registry.host}/private/app:shared`;
    const environment = { credentials: credentialsFor(registry.host) };
    const dockerfile = `FROM ${BASE}\nLABEL a=${randomUUID()}`;
    for (const tags of [[shared], []]) {
      const report = await build({ dockerfile, spec: { cacheTo: [`type=registry,ref=${shared}`], tags }, environment });
      expect((await docker.getImage(shared).inspect()).Id).toBe(imageOf(report));
      await removeImage(shared);
    }
  });

  it('warns when the cache cannot be pushed, and the build has worked', async () => {
    const report = await build({
      dockerfile: `FROM ${BASE}\nLABEL a=${randomUUID()}`,
      spec: { cacheTo: [`type=registry,ref=${registry.host}/private/app:denied`], tags: ['slipway-test/session:cache'] },
    });
    imageOf(report);
    expect(report.progress.map((entry) => entry.warning ?? '').join()).toContain('the cache was not pushed');
  });
});

/** Lists the keys of the forwarded agent with this machine's ssh-add, which is put into the image with its libraries. */
async function agentKeys(ssh: string, key: string, environment: object): Promise<string> {
  const program = execFileSync('which', ['ssh-add'], { encoding: 'utf8' }).trim();
  const libraries = [...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
  const context = mkdtempSync(join(folder, 'ssh-'));
  for (const file of [program, ...libraries]) {
    mkdirSync(join(context, 'root', dirname(file)), { recursive: true });
    copyFileSync(file, join(context, 'root', file));
  }
  copyFileSync(`${key}.pub`, join(context, 'root', 'key.pub'));
  const report = await build({
    dockerfile: `FROM ${BASE}\nCOPY root /\nRUN --mount=type=ssh,id=${ssh.split('=')[0]} ${program} -L && ${program} -T /key.pub && echo signed`,
    context: { kind: 'directory', path: context },
    spec: { ssh: [ssh], noCache: true, tags: ['slipway-test/session:ssh'] },
    environment,
  });
  imageOf(report);
  expect(report.stdout).toContain('signed\n');
  return report.stdout;
}

function publicKey(key: string): string {
  return readFileSync(`${key}.pub`, 'utf8').split(' ')[1] ?? '';
}
