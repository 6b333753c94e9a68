import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { docker, finish } from './docker-api.mjs';
import { isDebian, unpackPackage } from './packages.mjs';
import { fail, say, startDetached, waitFor } from './shell.mjs';
import { readRecord, remember, stateFolder } from './state.mjs';

const FIRST_PORT = 5000;
const CONTAINER = 'slipway-quickstart-registry';

/** Path of CNCF distribution's server, unpacked from Debian's package. */
export function registryProgram() {
  return join(unpackPackage('docker-registry', 'usr/bin/docker-registry'), 'usr/bin/docker-registry');
}

/** Makes sure that a registry of ours listens on loopback. Returns its `host:port`. */
export async function ensureRegistry() {
  const known = readRecord().registry;
  if (known !== undefined && (await answers(known))) return known;
  const port = Number(known?.split(':')[1] ?? (await freePort()));
  const address = `127.0.0.1:${port}`;
  say(`starting a local registry on ${address} (data in .slipway/registry)`);
  if (isDebian()) startProgram(address);
  else await startContainer(port);
  if (!(await waitFor(() => answers(address), 20_000))) fail(`the local registry did not answer on ${address}; see .slipway/registry.log`);
  remember({ registry: address });
  return address;
}

function startProgram(address) {
  const data = join(stateFolder, 'registry');
  mkdirSync(data, { recursive: true });
  const config = join(stateFolder, 'registry.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: warn}\nstorage: {filesystem: {rootdirectory: ${JSON.stringify(data)}}, delete: {enabled: true}}\nhttp: {addr: ${JSON.stringify(address)}}\n`,
  );
  const pid = startDetached(registryProgram(), ['serve', config], openSync(join(stateFolder, 'registry.log'), 'a'));
  remember({ registryPid: pid });
}

async function startContainer(port) {
  const client = docker();
  say('pulling registry:3');
  try {
    await finish(client, await client.pull('registry:3'));
  } catch (error) {
    fail(`registry:3 could not be pulled (${error.message}). Start any registry and pass it: npm run quickstart -- --registry HOST:PORT`);
  }
  await client
    .getContainer(CONTAINER)
    .remove({ force: true })
    .catch(() => undefined);
  const container = await client.createContainer({
    name: CONTAINER,
    Image: 'registry:3',
    HostConfig: { PortBindings: { '5000/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] } },
  });
  await container.start();
  remember({ registryContainer: CONTAINER });
}

export async function stopRegistry() {
  const { registryPid, registryContainer } = readRecord();
  if (registryContainer !== undefined) {
    say('removing the local registry');
    await docker()
      .getContainer(registryContainer)
      .remove({ force: true, v: true })
      .catch(() => undefined);
  }
  if (registryPid === undefined) return;
  say('stopping the local registry');
  try {
    process.kill(registryPid);
  } catch {
    // It has ended already.
  }
}

function answers(address) {
  return new Promise((resolve) => {
    const call = get(`http://${address}/v2/`, { timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 && response.headers['docker-distribution-api-version'] !== undefined);
    });
    call.on('error', () => resolve(false));
    call.on('timeout', () => call.destroy());
  });
}

/** The first free port from 5000 up: something else may listen there (macOS does). */
async function freePort() {
  for (let port = FIRST_PORT; port < FIRST_PORT + 100; port += 1) {
    const free = await new Promise((resolve) => {
      const server = createServer();
      server.on('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  return fail(`no free port between ${FIRST_PORT} and ${FIRST_PORT + 100} for the local registry`);
}
