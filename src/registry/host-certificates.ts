import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where container engines look for authorities of single registries: Docker, rootless Docker, Podman. */
export const CERTIFICATE_FOLDERS: readonly string[] = [
  '/etc/docker/certs.d',
  join(homedir(), '.config/docker/certs.d'),
  '/etc/containers/certs.d',
  join(homedir(), '.config/containers/certs.d'),
];

/** The PEM texts of `FOLDER/HOST/*.crt`: what the engine trusts for a registry, this client trusts for it too. */
export async function hostCertificates(host: string, folders: readonly string[]): Promise<readonly string[]> {
  // A host is a folder's name here.
  if (!/^[a-z0-9[\]:.-]+$/i.test(host) || host.includes('..')) return [];
  const found = await Promise.all(folders.map((folder) => certificatesIn(join(folder, host))));
  return found.flat();
}

async function certificatesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    names.filter((name) => name.endsWith('.crt')).map((name) => readFile(join(folder, name), 'utf8').catch(() => '')),
  );
  return texts.filter((text) => text.includes('BEGIN CERTIFICATE'));
}
