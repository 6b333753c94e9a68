import { createRequire } from 'node:module';
import { join } from 'node:path';
import { projectRoot } from './state.mjs';

/** The engine's client library of the project, loaded after npm ci. */
export function docker() {
  const Docker = createRequire(join(projectRoot, 'package.json'))('dockerode');
  return new Docker();
}

/** Reads a progress stream of the engine to its end; rejects with the engine's own words. */
export function finish(client, stream) {
  return new Promise((resolve, reject) => {
    client.modem.followProgress(stream, (error, lines) => {
      const failure = error ?? lines?.find((line) => line.error !== undefined)?.error;
      if (failure) reject(failure instanceof Error ? failure : new Error(failure));
      else resolve(lines);
    });
  });
}

export async function hasImage(client, name) {
  try {
    await client.getImage(name).inspect();
    return true;
  } catch {
    return false;
  }
}
