import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { err, type Result } from '../../util/result.ts';
import { readTaskDocuments, type TaskDocument } from './task-documents.ts';

const MOST_FILES = 1000;
const LARGEST_FILE = 4 * 1024 * 1024;

/** A file of tasks by its name, and what it says or why it cannot be used. */
export interface FolderFile {
  readonly name: string;
  readonly read: Result<readonly TaskDocument[], readonly Diagnostic[]>;
}

/** `*.yaml`, `*.yml` and `*.json`; hidden files are an editor's. */
export function isTasksFile(name: string): boolean {
  return /^[^.].*\.(?:ya?ml|json)$/i.test(name);
}

/**
 * The files of a folder in the order of their names. Folders inside it are not entered. A symbolic link is followed while it stays inside
 * the folder. Rejects when the folder cannot be read.
 */
export async function readTasksFolder(directory: string): Promise<readonly FolderFile[]> {
  const root = await realpath(directory);
  const names = (await readdir(root)).filter(isTasksFile).toSorted();
  const files: FolderFile[] = [];
  for (const name of names.slice(0, MOST_FILES)) {
    const read = await readFile(root, name);
    // Gone since the folder was listed.
    if (read !== undefined) files.push({ name, read });
  }
  for (const name of names.slice(MOST_FILES))
    files.push({ name, read: refuse(name, `is beyond the ${MOST_FILES} files that a folder may have`) });
  return files;
}

async function readFile(root: string, name: string): Promise<FolderFile['read'] | undefined> {
  try {
    const path = await realpath(join(root, name));
    if (!path.startsWith(`${root}${sep}`)) return refuse(name, 'is a link that leads out of the folder');
    // Without waiting for the other end of a pipe.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const { size, isFile } = await file.stat().then((stat) => ({ size: stat.size, isFile: stat.isFile() }));
      if (!isFile) return refuse(name, 'is no file');
      if (size > LARGEST_FILE) return refuse(name, `has ${size} bytes, and ${LARGEST_FILE} is the most`, 'file-too-big');
      return nonEmpty(name, readTaskDocuments({ name, text: await file.readFile('utf8') }));
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === '') throw error;
    return code === 'ENOENT' ? undefined : refuse(name, `cannot be read (${code})`);
  }
}

/** An editor may empty a file before it writes it: nobody means by that to delete its tasks. */
function nonEmpty(name: string, read: FolderFile['read']): FolderFile['read'] {
  return read.ok && read.value.length === 0 ? refuse(name, 'defines no task; remove the file to delete its tasks') : read;
}

function refuse(name: string, what: string, code: Diagnostic['code'] = 'file-unreadable'): FolderFile['read'] {
  return err([{ code, severity: 'error', message: `${name} ${what}` }]);
}

/** Tasks that several files define belong to the first; the others are told. */
export function withoutTwice(files: readonly FolderFile[]): readonly FolderFile[] {
  const owners = new Map<string, string>();
  return files.map((file) => {
    if (!file.read.ok) return file;
    const twice: Diagnostic[] = [];
    for (const { input, placeOf } of file.read.value) {
      const owner = owners.get(input.name);
      const range = placeOf?.('name');
      const message = `the task ${JSON.stringify(input.name)} is defined in ${owner} already`;
      if (owner === undefined) owners.set(input.name, file.name);
      else twice.push({ code: 'task-twice', severity: 'error', message, ...(range && { range }) });
    }
    return twice.length === 0 ? file : { name: file.name, read: err(twice) };
  });
}
