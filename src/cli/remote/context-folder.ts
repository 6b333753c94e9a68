import { relative, sep } from 'node:path';
import type { Io } from '../io.ts';

/** A local folder that a run needs, and what of it must be sent whatever .dockerignore says. */
export interface ContextFolder {
  readonly directory: string;
  readonly keep: readonly string[];
  /** Dockerfile whose own .dockerignore counts. */
  readonly dockerfile?: string;
  /** Files from outside of the folder. */
  readonly extras: readonly { readonly path: string; readonly mode: number; readonly content: Uint8Array }[];
}

/** Sends a folder to the daemon; resolves with how requests name it. */
export type SendFolder = (folder: ContextFolder) => Promise<string>;

/** What requests are made with. */
export interface RunPlace {
  readonly io: Io;
  readonly send: SendFolder;
}

/** The path of a file relative to a folder that holds it; undefined when it does not. */
export function belowPath(directory: string, path: string): string | undefined {
  const below = relative(directory, path);
  return below === '' || below === '..' || below.startsWith(`..${sep}`) ? undefined : below.split(sep).join('/');
}
