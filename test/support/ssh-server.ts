import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';

export interface SshServer extends AsyncDisposable {
  readonly port: number;
  /** The environment of this process with a PATH whose `ssh` knows this server and has a key for it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Commands that were asked for so far. */
  readonly commands: readonly string[];
}

/** A real SSH server on loopback that runs what it is asked for as `sh -c` would, and the real OpenSSH client set up for it. */
export async function startSshServer(): Promise<SshServer> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-ssh-'));
  const hostKey = ssh2.utils.generateKeyPairSync('ed25519');
  const clientKey = ssh2.utils.generateKeyPairSync('ed25519');
  const allowed = ssh2.utils.parseKey(clientKey.public);
  if (allowed instanceof Error) throw allowed;
  const commands: string[] = [];
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (attempt) => {
      const isKnown = attempt.method === 'publickey' && allowed.getPublicSSH().equals(attempt.key.data);
      if (isKnown) attempt.accept();
      else attempt.reject(['publickey']);
    });
    client.on('session', (accept) => serveSession(accept(), commands));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await writeFile(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${hostKey.public}\n`);
  await writeFile(join(folder, 'key'), clientKey.private, { mode: 0o600 });
  await writeFile(join(folder, 'config'), `UserKnownHostsFile ${folder}/known_hosts\nIdentityFile ${folder}/key\nIdentitiesOnly yes\n`);
  // The client reads its settings from the home of the user, which is none of a test's.
  await writeFile(join(folder, 'ssh'), `#!/bin/sh\nPATH=$(echo "$PATH" | cut -d: -f2-) exec ssh -F ${folder}/config "$@"\n`);
  await chmod(join(folder, 'ssh'), 0o755);
  return {
    port,
    environment: { ...process.env, PATH: `${folder}:${process.env['PATH']}` },
    commands,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function serveSession(session: ssh2.Session, commands: string[]): void {
  const env: Record<string, string> = { PATH: process.env['PATH'] ?? '', HOME: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  session.on('env', (accept, _reject, { key, val }) => {
    if (key === 'GIT_PROTOCOL') env[key] = val;
    accept?.();
  });
  session.on('exec', (accept, _reject, { command }) => {
    commands.push(command);
    const channel = accept();
    const child = spawn('sh', ['-c', command], { env });
    channel.pipe(child.stdin);
    child.stdin.on('error', () => undefined);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.on('close', (code) => {
      channel.exit(code ?? 1);
      channel.end();
    });
  });
}
