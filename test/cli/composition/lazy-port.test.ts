import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, expectTypeOf, test } from 'vitest';
import { createContextParts } from '../../../src/cli/composition/context-parts.ts';
import { lazyPort } from '../../../src/cli/composition/lazy-port.ts';
import { processIo } from '../../../src/cli/io.ts';
import type { CredentialSource } from '../../../src/model/ports/credential-source.ts';
import { startGitServer } from '../../support/git-server.ts';

interface Doors {
  open(): Promise<string>;
  close?(): Promise<string>;
}
interface Windows {
  readonly glass: string;
}

test('a lazy port names every method of its port, and is of methods only', async () => {
  type MethodsOf<Port extends object> = Parameters<typeof lazyPort<Port>>[0];
  expectTypeOf<{ open: true; close: true }>().toExtend<MethodsOf<Doors>>();
  expectTypeOf<{ open: true }>().not.toExtend<MethodsOf<Doors>>();
  expectTypeOf<{ glass: true }>().not.toExtend<MethodsOf<Windows>>();

  let loads = 0;
  const lazy = lazyPort<Doors>({ open: true, close: true }, async () => {
    loads += 1;
    return { open: async () => 'opened', close: async () => 'closed' };
  });
  expect(loads).toBe(0);
  expect([await lazy.open(), await lazy.close?.(), loads]).toEqual(['opened', 'closed', 1]);
});

test('git of a run by hand has every method of its port', async () => {
  await using server = await startGitServer();
  const commits: string[] = [];
  await server.repository('app', async (work) => void commits.push(await work.commit('one'), await work.commit('two')));
  const [before = '', after = ''] = commits;
  const credentials: CredentialSource = { forHost: () => Promise.resolve(undefined), explicitHosts: () => [] };
  const { git } = createContextParts({ credentials, insecureRegistries: [], trustedRealms: [], io: processIo() });
  const asked = { url: `${server.url}/smart/app.git`, signal: new AbortController().signal };
  expect((await git.listRefs(asked)).refs.get('refs/heads/main')).toBe(after);
  const cacheDirectory = await mkdtemp(join(tmpdir(), 'slipway-lazy-'));
  expect(await git.changes({ ...asked, before, after, cacheDirectory })).toMatchObject({ base: before, message: 'two\n\n' });
});
