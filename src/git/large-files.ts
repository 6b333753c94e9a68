import { EngineError } from '../model/engine-error.ts';
import { runProcess } from '../util/process.ts';
import { GitFailure } from './git-command.ts';
import type { GitContext, TreeRequest } from './git-context.ts';

/** Replaces Git LFS pointers by their files when the tree uses LFS and git-lfs is installed; says so when it is not. */
export async function pullLargeFiles(request: TreeRequest, context: GitContext): Promise<void> {
  const tracked = await request.git.run(['ls-files', '-z', '--', ':(attr:filter=lfs)']);
  if (tracked === '') return;
  if (!(await isInstalled(context))) {
    request.onProgress?.('the repository uses Git LFS, but git-lfs is not installed: its files stay pointers');
    return;
  }
  request.onProgress?.('fetching large files');
  try {
    await request.git.run(['lfs', 'pull']);
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw new EngineError('context-failed', `cannot fetch the large files of ${request.parent.remote}: ${error.message}`, {
      cause: error,
      transient: true,
    });
  }
}

async function isInstalled(context: GitContext): Promise<boolean> {
  const env = { PATH: context.environment['PATH'] ?? '', HOME: '/dev/null' };
  const outcome = await runProcess({ file: 'git-lfs', args: ['version'], env, timeoutMs: 30_000 });
  return outcome.kind === 'exited' && outcome.exitCode === 0;
}
