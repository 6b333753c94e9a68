import { spawnSync } from 'node:child_process';

/** A disk of its own for a data directory. Needs root. */
export function mountSmall(folder: string, mebibytes: number): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`mounting a small disk needs root: ${stderr}`);
}

export function unmount(folder: string): void {
  spawnSync('umount', [folder]);
}
