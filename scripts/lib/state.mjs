import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Everything the set-up makes outside node_modules lives here, with a record of what it changed on the machine. */
export const stateFolder = join(projectRoot, '.slipway');
const recordFile = join(stateFolder, 'setup.json');

export function readRecord() {
  try {
    return JSON.parse(readFileSync(recordFile, 'utf8'));
  } catch {
    return {};
  }
}

/** Merges facts into the record at once, so that an interrupted set-up can still be undone. */
export function remember(facts) {
  mkdirSync(stateFolder, { recursive: true });
  writeFileSync(recordFile, `${JSON.stringify({ ...readRecord(), ...facts }, null, 2)}\n`);
}

export function forget() {
  rmSync(stateFolder, { recursive: true, force: true });
}
