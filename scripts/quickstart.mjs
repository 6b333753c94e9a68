// npm run quickstart: does all the set-up and runs samples/01-quickstart. Runs on Node 20 and without node_modules.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildProgram, installDependencies } from './lib/dependencies.mjs';
import { ensureEngine, stopEngine } from './lib/engine.mjs';
import { isInstalled, removePackages } from './lib/packages.mjs';
import { fail, runAsRoot, say } from './lib/shell.mjs';
import { forget, projectRoot, readRecord } from './lib/state.mjs';

const BASE = 'slipway-quickstart/base:1';
const usage = `usage: npm run quickstart [-- --registry HOST:PORT | --undo]

  (nothing)            set up what is missing, then run samples/01-quickstart
  --registry HOST:PORT push to this registry instead of starting a local one
  --undo               take back what the set-up changed on this machine`;

async function quickstart(registryOption) {
  buildProgram(installDependencies());
  await ensureEngine();
  const { ensureRegistry } = await import('./lib/registry.mjs');
  const { ensureBaseImage, publishImage, rememberBuilt } = await import('./lib/base-image.mjs');
  const registry = registryOption ?? (await ensureRegistry());
  await ensureBaseImage(BASE);
  const base = `${registry}/${BASE}`;
  await publishImage(BASE, base).catch((error) => fail(`${base} could not be pushed: ${error.message}`));
  const args = ['run', 'samples/01-quickstart', '--registry', registry, '--set', `base=${base}`];
  say(`bin/task ${args.join(' ')}`);
  const result = await rememberBuilt(() => spawnSync(join(projectRoot, 'bin', 'task'), args, { cwd: projectRoot, stdio: 'inherit' }));
  process.exitCode = result.status ?? 1;
}

async function undo() {
  const record = readRecord();
  if (Object.keys(record).length === 0) {
    say('there is nothing to take back');
    return;
  }
  if (existsSync(join(projectRoot, 'node_modules', 'dockerode'))) {
    const { stopRegistry } = await import('./lib/registry.mjs');
    const { namedLikeOurs, removeImages } = await import('./lib/base-image.mjs');
    await removeImages(record.images ?? [])
      .then(async () => sayWhatStays(await namedLikeOurs()))
      .catch((error) => say(`images stay: ${error.message}`));
    await stopRegistry();
  }
  await stopEngine();
  removePackages(record.packages ?? []);
  if (record.dockerDataExisted === false && !isInstalled('docker.io')) {
    say('removing /var/lib/docker, which did not exist before');
    runAsRoot('rm', ['-rf', '/var/lib/docker', '/var/lib/containerd']);
  }
  forget();
  say('removing node_modules and dist');
  rmSync(join(projectRoot, 'dist'), { recursive: true, force: true });
  rmSync(join(projectRoot, 'node_modules'), { recursive: true, force: true });
}

function sayWhatStays(names) {
  if (names.length === 0) return;
  say(`these images stay, others may have made or use them: ${names.join(' ')}`);
  say('`docker rmi NAME` removes one');
}

const args = process.argv.slice(2);
if (args[0] === '--undo' && args.length === 1) await undo();
else if (args[0] === '--registry' && args[1] !== undefined && args.length === 2) await quickstart(args[1]);
else if (args.length === 0) await quickstart(undefined);
else if (args[0] === '--help') process.stdout.write(`${usage}\n`);
else fail(`unknown arguments: ${args.join(' ')}\n${usage}`);
