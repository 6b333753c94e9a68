import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProcess } from '../../src/util/process.ts';
import { projectRoot } from '../support/task-program.ts';
import { type Case, difference, loadCases } from './cases.ts';

/** Cases whose answer is the command line's: flags, missing arguments and files. They run the program itself. */
const IDS = new Set([
  'build-dry-isolation',
  'build-dry-isolation-bad',
  'build-dry-wd',
  'build-dry-no-context',
  'exec-dry-bad-flag',
  'exec-dry-no-file',
  'cli-noargs',
  'cli-unknown-cmd',
  'cli-exec-help-missing',
  'cli-scan-noctx',
  'cli-download-noctx',
  'cli-render-ok',
]);

interface Printed {
  readonly exit: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(one: Case): Promise<Printed> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-command-line-'));
  try {
    for (const [name, text] of Object.entries({ Dockerfile: 'FROM busybox:local\n', ...one.input.files })) {
      await writeFile(join(folder, name), text);
    }
    const args = ourArguments(one.args);
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
    const outcome = await runProcess({ file: join(projectRoot, 'bin/task'), args, cwd: folder, env });
    return {
      exit: outcome.kind === 'exited' ? outcome.exitCode : undefined,
      stdout: outcome.stdout.toString('utf8'),
      stderr: outcome.stderr,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ourArguments(recorded: readonly string[]): string[] {
  const [command = '', ...flags] = recorded.flatMap((arg, at) => {
    if (arg === '--homevol' || recorded[at - 1] === '--homevol' || arg === '--id') return [];
    return recorded[at - 1] === '--id' ? ['--run', `ID=${arg}`] : [arg];
  });
  return command === 'exec' ? ['run', '.', ...flags] : [command, ...flags];
}

/** Of what the peer prints, what ours prints too. */
const PRINTED: Readonly<Record<string, string>> = { 'build-dry-isolation': '--isolation hyperv', 'cli-render-ok': 'a: z\n' };
/** What a refused command line tells of. */
const SAID: Readonly<Record<string, string>> = {
  'build-dry-isolation-bad': "'zz' is invalid",
  'build-dry-wd': "unknown option '--working-directory'",
  'build-dry-no-context': "missing required argument 'context'",
  'exec-dry-bad-flag': "unknown option '--nosuch'",
  'exec-dry-no-file': 'there is no task file none.yaml',
  'cli-noargs': 'there is no task file',
  'cli-unknown-cmd': "unknown command 'frob'",
  'cli-exec-help-missing': 'there is no task file',
  'cli-scan-noctx': "missing required argument 'context'",
  'cli-download-noctx': "unknown command 'download'",
};

describe('recorded cases of the command line itself', () => {
  it.each(loadCases('exec').flatMap((one): [string, Case][] => (IDS.has(one.id) ? [[one.id, one]] : [])))('%s', async (id, one) => {
    const printed = await run(one);
    const accepted = one.expect.ok === true && difference(id) === undefined;
    expect(printed).toMatchObject(
      accepted
        ? { exit: 0, stdout: expect.stringContaining(PRINTED[id] ?? '') }
        : { exit: 2, stdout: '', stderr: expect.stringContaining(SAID[id] ?? `nothing is asserted of ${id}`) },
    );
  });
});
