import { spawnSync } from 'node:child_process';
import { git } from '../../test/support/git-server.ts';

/** Gives each branch of a bare repository another commit, on top of the one that it has. Commits by branch. */
export async function commitToBranches(bare: string, branches: readonly string[], word: string): Promise<ReadonlyMap<string, string>> {
  const known = await headsOf(bare);
  const stream = branches.map((branch, index) => {
    const message = `${word} ${branch}`;
    const from = known.has(branch) ? `refs/heads/${branch}^0` : 'refs/heads/main^0';
    return [
      `commit refs/heads/${branch}`,
      `committer Ann <ann@example.com> ${1_700_000_000 + index} +0000`,
      `data ${Buffer.byteLength(message)}`,
      message,
      `from ${from}`,
      '',
    ].join('\n');
  });
  const imported = spawnSync('git', ['fast-import', '--quiet'], { cwd: bare, input: stream.join('\n'), encoding: 'utf8' });
  if (imported.status !== 0) throw new Error(`git fast-import: ${imported.stderr}`);
  await git(bare, 'pack-refs', '--all');
  return headsOf(bare);
}

async function headsOf(bare: string): Promise<ReadonlyMap<string, string>> {
  const lines = (await git(bare, 'for-each-ref', '--format=%(objectname) %(refname:strip=2)', 'refs/heads')).trim().split('\n');
  return new Map(lines.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]));
}
