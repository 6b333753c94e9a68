import { existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { installPackages, isDebian } from './packages.mjs';
import { fail, onPath, runAsRoot, say, searchPath, startDetached, waitFor } from './shell.mjs';
import { readRecord, remember, stateFolder } from './state.mjs';

const SOCKET = '/var/run/docker.sock';

/** Makes sure that a container engine answers: the one that runs, one that is installed but stopped, or a new one. */
export async function ensureEngine() {
  if (process.env.DOCKER_HOST) {
    say(`using the container engine at DOCKER_HOST=${process.env.DOCKER_HOST}`);
    return;
  }
  const answer = await ping();
  if (answer.ok) return;
  if (answer.denied)
    fail(
      `${SOCKET} is there, but you may not use it. Add yourself to its group (sudo usermod -aG docker $USER), log in again, and run this again.`,
    );
  if (!isDebian() && !onPath('dockerd')) {
    fail(
      'no container engine answers on this machine. Install Docker (https://docs.docker.com/engine/install/) or Podman, start it, and run this again.',
    );
  }
  if (!onPath('dockerd')) {
    remember({ dockerDataExisted: existsSync('/var/lib/docker') });
    installPackages(['docker.io', 'iptables', 'ca-certificates'], 'no container engine answers on this machine');
  }
  await start();
}

async function start() {
  if ((await ping()).ok) return;
  say('starting the Docker engine');
  if (existsSync('/run/systemd/system')) {
    runAsRoot('systemctl', ['start', 'docker']);
  } else {
    removeStalePidFiles();
    mkdirSync(stateFolder, { recursive: true });
    const pid = startDetached('dockerd', [], openSync(join(stateFolder, 'dockerd.log'), 'a'), {
      root: true,
      env: { ...process.env, PATH: searchPath() },
    });
    remember({ dockerdPid: pid });
  }
  const up = await waitFor(async () => {
    const answer = await ping();
    if (answer.denied) allowSocket();
    return answer.ok;
  }, 90_000);
  if (!up) fail(`the Docker engine did not start within 90 s:\n${lastLines(join(stateFolder, 'dockerd.log'))}`);
}

/** A machine that was switched off leaves pid files; when their number belongs to another program now, dockerd refuses to start. */
function removeStalePidFiles() {
  for (const [file, program] of [
    ['/var/run/docker.pid', 'dockerd'],
    ['/var/run/docker/containerd/containerd.pid', 'containerd'],
  ]) {
    if (!existsSync(file)) continue;
    const pid = readFileSync(file, 'utf8').trim();
    let name = '';
    try {
      name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    } catch {
      // The process is gone, which is the usual case.
    }
    if (name !== program) runAsRoot('rm', ['-f', file]);
  }
}

/** The engine that this set-up started belongs to root; its socket is opened to the user who asked for it, until it stops. */
function allowSocket() {
  say(`opening ${SOCKET} to your group until the engine stops`);
  runAsRoot('chgrp', [String(process.getgid()), SOCKET]);
}

export async function stopEngine() {
  const { dockerdPid } = readRecord();
  if (dockerdPid === undefined) return;
  say('stopping the Docker engine that the set-up had started');
  runAsRoot('sh', ['-c', 'kill "$(cat /var/run/docker.pid)"']);
  await waitFor(() => !existsSync('/var/run/docker.pid'), 30_000);
}

function ping() {
  return new Promise((resolve) => {
    const call = request({ socketPath: SOCKET, path: '/_ping', timeout: 3000 }, (response) => {
      response.resume();
      response.on('end', () => resolve({ ok: response.statusCode === 200, denied: false }));
    });
    call.on('error', (error) => resolve({ ok: false, denied: error.code === 'EACCES' }));
    call.on('timeout', () => call.destroy(new Error('timeout')));
    call.end();
  });
}

function lastLines(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n') : 'journalctl -u docker says why';
}
