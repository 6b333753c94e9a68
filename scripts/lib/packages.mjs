import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fail, run, runAsRoot, say } from './shell.mjs';
import { readRecord, remember, stateFolder } from './state.mjs';

const apt = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
let updated = false;

/** Debian, Ubuntu and what derives from them. */
export function isDebian() {
  try {
    return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

export function isInstalled(name) {
  return run('dpkg-query', ['-W', '-f=${Status}', name]).stdout.startsWith('install ok');
}

/** Installs Debian packages system-wide and records which are new, for the way back. */
export function installPackages(names, why) {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  say(`installing ${missing.join(', ')} (apt-get install): ${why}`);
  updateLists();
  const before = installedNames();
  const result = runAsRoot('apt-get', ['install', '-y', '--no-install-recommends', ...missing], apt);
  const added = installedNames().filter((name) => !before.includes(name));
  remember({ packages: [...new Set([...(readRecord().packages ?? []), ...added])] });
  if (!result.ok) fail(`apt-get install ${missing.join(' ')} failed:\n${tail(result.output)}`);
}

/**
 * Unpacks a Debian package into the project's own folder: its program can be used while nothing on the machine changes
 * (no service starts, no user is made). Returns the folder that stands for `/`.
 */
export function unpackPackage(name, program) {
  const root = join(stateFolder, 'tools');
  if (existsSync(join(root, program))) return root;
  say(`unpacking Debian's ${name} into .slipway/tools (nothing is installed)`);
  const downloads = join(stateFolder, 'downloads');
  mkdirSync(downloads, { recursive: true });
  let result = run('apt-get', ['download', name], { cwd: downloads, ...apt });
  if (!result.ok) {
    updateLists();
    result = run('apt-get', ['download', name], { cwd: downloads, ...apt });
  }
  if (!result.ok) fail(`apt-get download ${name} failed:\n${tail(result.output)}`);
  mkdirSync(root, { recursive: true });
  const archive = readdirSync(downloads).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
  const unpacked = run('dpkg-deb', ['-x', join(downloads, archive ?? ''), root]);
  if (!unpacked.ok) fail(`dpkg-deb could not unpack ${name}:\n${tail(unpacked.output)}`);
  rmSync(downloads, { recursive: true, force: true });
  return root;
}

export function removePackages(names) {
  const present = names.filter(isInstalled);
  if (present.length === 0) return;
  say(`removing the packages that the set-up had installed: ${present.join(', ')}`);
  const result = runAsRoot('apt-get', ['purge', '-y', ...present], apt);
  if (!result.ok) fail(`apt-get purge failed:\n${tail(result.output)}`);
}

function updateLists() {
  if (updated) return;
  updated = true;
  const result = runAsRoot('apt-get', ['update'], apt);
  if (!result.ok) fail(`apt-get update failed:\n${tail(result.output)}`);
}

function installedNames() {
  const { stdout } = run('dpkg-query', ['-W', '-f=${db:Status-Abbrev} ${Package}\n']);
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('ii'))
    .map((line) => line.slice(2).trim());
}

function tail(output) {
  return output.trimEnd().split('\n').slice(-15).join('\n');
}
