import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/git/git-source.ts';
import { EngineError } from '../../src/model/engine-error.ts';
import { openBuildContext } from '../../src/service/build-context.ts';
import { classifyContext } from '../../src/task/build/context.ts';
import { noContextParts } from '../support/context-parts.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';
import { type Case, difference, loadCases } from './cases.ts';

const temporary = useOwnTmpdir();
let server: GitServer;
const commits: Record<'main' | 'feature', string> = { main: '', feature: '' };
/** Commits of the repository that the peer read. */
const RECORDED = { main: '41adcf8fcc5466a9efe9ddebb458cb1270e66c4b', feature: '203776f0db41d1b4622788d6016187d340d8d5b6' };

beforeAll(async () => {
  server = await startGitServer();
  await server.repository('repo', async (work) => {
    const fill = async (branch: 'main' | 'feature'): Promise<void> => {
      await mkdir(join(work.directory, 'sub'), { recursive: true });
      await writeFile(join(work.directory, 'v.txt'), `root-${branch}`);
      await writeFile(join(work.directory, 'sub/v.txt'), `sub-${branch}`);
      await writeFile(join(work.directory, 'Dockerfile'), 'FROM scratch');
      commits[branch] = await work.commit(branch);
    };
    await fill('main');
    await work.git('checkout', '-q', '-b', 'feature');
    await fill('feature');
    await work.git('tag', 'v1');
    await work.git('checkout', '-q', 'main');
  });
});

afterAll(() => server[Symbol.asyncDispose]());

type Outcome = { readonly ok: true; readonly v: string; readonly commit: string; readonly below: string } | { readonly ok: false };

async function download(url: string): Promise<Outcome> {
  const here = url.replace('git://<host>', `${server.url}/smart`).replace(RECORDED.feature, commits.feature);
  const context = classifyContext(here);
  const parts = { ...noContextParts(), git: createGitSource({ addresses: { allowPrivate: true, allowLoopback: true } }) };
  const request = {
    workspace: { kind: 'directory', path: undefined },
    signal: new AbortController().signal,
    onNote: () => undefined,
  } as const;
  try {
    const opened = await openBuildContext({ ...request, spec: { context, workdir: '/workspace' } }, parts);
    const path = opened.context.kind === 'directory' ? opened.context.path : '';
    const v = await readFile(join(path, 'v.txt'), 'utf8');
    await opened.dispose();
    return { ok: true, v, commit: await opened.gitHead, below: basename(path) === 'sub' ? 'x/sub' : 'x' };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { ok: false };
  }
}

/** What is ours where differences.json has the case. */
const OURS: Readonly<Record<string, { readonly v: string; readonly below: string }>> = {
  'ctx-download-04': { v: 'root-feature', below: 'x' },
  'ctx-download-09': { v: 'root-feature', below: 'x' },
  'ctx-download-10': { v: 'root-feature', below: 'x' },
  'ctx-download-14': { v: 'sub-feature', below: 'x/sub' },
};

function expected(one: Case): unknown {
  const ours = OURS[one.id];
  if (ours !== undefined) return { ok: true, ...ours, commit: commits.feature };
  if (one.expect.ok !== true) return { ok: false };
  const { v, commitID, workingDir } = one.expect.output as Readonly<Record<string, string>>;
  return { ok: true, v, commit: commitID === RECORDED.main ? commits.main : commits.feature, below: workingDir };
}

const cases = loadCases('context').filter((one) => one.args[0] === 'download');

describe('contexts fetched with git', () => {
  it.each(cases.map((one): [string, Case] => [one.id, one]))('%s', async (_id, one) => {
    expect(difference(one.id) !== undefined, 'a case of ours that differs stands in differences.json, and no other').toBe(one.id in OURS);
    expect(await download(String(one.input['url']))).toEqual(expected(one));
  });

  it('leave nothing behind', async () => {
    expect(await temporary.entries('slipway-context-')).toEqual([]);
  });
});
