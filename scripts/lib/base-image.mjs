import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { docker, finish, hasImage } from './docker-api.mjs';
import { isDebian, unpackPackage } from './packages.mjs';
import { fail, run, say } from './shell.mjs';
import { readRecord, remember } from './state.mjs';

/**
 * Makes sure that the engine has a small image with a shell under `name`, without pulling anything on Debian: the image
 * is made of the static busybox of Debian. Elsewhere busybox is pulled.
 */
export async function ensureBaseImage(name) {
  const client = docker();
  if (await hasImage(client, name)) return;
  if (isDebian()) await importBusybox(client, name);
  else await pullBusybox(client, name);
  remember({ images: [...new Set([...(readRecord().images ?? []), name])] });
}

async function importBusybox(client, name) {
  say(`making the base image ${name} from Debian's static busybox`);
  const program = join(unpackPackage('busybox-static', 'bin/busybox'), 'bin/busybox');
  const root = mkdtempSync(join(tmpdir(), 'slipway-base-'));
  try {
    // A temporary folder is its owner's alone; as the root of an image it must let every user in.
    chmodSync(root, 0o755);
    for (const folder of ['bin', 'etc', 'root', 'tmp', 'var/www']) mkdirSync(join(root, folder), { recursive: true });
    chmodSync(join(root, 'tmp'), 0o1777);
    cpSync(program, join(root, 'bin', 'busybox'));
    for (const applet of run(program, ['--list']).stdout.split('\n')) {
      if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
    }
    writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n');
    writeFileSync(join(root, 'etc', 'group'), 'root:x:0:\nnobody:x:65534:\n');
    const [repo, tag] = splitTag(name);
    // Fixed owner, order and times: the same busybox gives the same image on every machine.
    const tar = spawn('tar', ['-C', root, '--owner=0', '--group=0', '--numeric-owner', '--sort=name', '--mtime=@0', '-c', '.'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const changes = ['CMD ["sh"]', 'ENV PATH=/bin'];
    await finish(client, await client.importImage(tar.stdout, { repo, tag, changes }));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function pullBusybox(client, name) {
  say(`pulling busybox as ${name}`);
  try {
    await finish(client, await client.pull('busybox:stable'));
  } catch (error) {
    fail(`busybox could not be pulled (${error.message}); check the network, or give the engine an image named ${name}`);
  }
  const [repo, tag] = splitTag(name);
  await client.getImage('busybox:stable').tag({ repo, tag });
}

/** Puts an image of the engine into a registry under `target`, so that builds resolve its digest there. */
export async function publishImage(name, target) {
  const client = docker();
  const [repo, tag] = splitTag(target);
  const isOurs = !(await hasImage(client, target));
  await client.getImage(name).tag({ repo, tag });
  await finish(client, await client.getImage(target).push({ authconfig: {} }));
  if (isOurs) remember({ images: [...new Set([...(readRecord().images ?? []), target])] });
}

const SAMPLE_IMAGE = '/quickstart-';
const HELPER_IMAGE = 'slipway-holder:';

/** Names of images as the sample and the program give them, that the engine has: whoever made them. */
export async function namedLikeOurs() {
  const images = await docker().listImages();
  return images.flatMap(({ RepoTags }) => (RepoTags ?? []).filter((name) => name.includes(SAMPLE_IMAGE) || name.startsWith(HELPER_IMAGE)));
}

/** Keeps in the record which images came while `work` was done: no name tells which clone made an image. The helper image is shared by all of the engine. */
export async function rememberBuilt(work) {
  const before = new Set(await namedLikeOurs());
  try {
    return await work();
  } finally {
    const came = builtMeanwhile(before, await namedLikeOurs());
    remember({ images: [...new Set([...(readRecord().images ?? []), ...came])] });
  }
}

/** Of the names that an engine has now: the sample's that it had not before. */
export function builtMeanwhile(before, now) {
  return now.filter((name) => !before.has(name) && !name.startsWith(HELPER_IMAGE));
}

export async function removeImages(names) {
  const client = docker();
  for (const name of names) {
    if (!(await hasImage(client, name))) continue;
    say(`removing the image ${name}`);
    await client
      .getImage(name)
      .remove({ force: true })
      .catch((error) => say(`${name} stays: ${error.message}`));
  }
}

function splitTag(name) {
  const colon = name.lastIndexOf(':');
  return [name.slice(0, colon), name.slice(colon + 1)];
}
