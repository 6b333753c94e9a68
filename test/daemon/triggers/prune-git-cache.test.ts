import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pruneGitCache } from '../../../src/daemon/triggers/prune-git-cache.ts';
import { createGitSource } from '../../../src/git/git-source.ts';
import type { SourceTrigger } from '../../../src/model/trigger-definition.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-store.ts';
import { runRequest, taskDefinition } from '../../contract/store-values.ts';
import { createFakeClock } from '../../fakes/fake-clock.ts';
import { startGitServer } from '../../support/git-server.ts';

const MINUTES_MS = 60_000;

test('histories of repositories go when no task and no run names them any more, at a quiet time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-prune-'));
  await using server = await startGitServer();
  const store = await openSqliteStore({ path: join(folder, 'slipway.db') });
  const ending = new AbortController();
  try {
    const cache = join(folder, 'git-cache');
    const clock = createFakeClock();
    const git = createGitSource({ addresses: { allowPrivate: true, allowLoopback: true } });
    const urlOf = (name: string): string => `${server.url}/smart/${name}.git`;
    for (const name of ['followed', 'context', 'queued', 'gone']) {
      const commits: string[] = [];
      await server.repository(name, async (work) => void commits.push(await work.commit('one'), await work.commit('two')));
      const [before = '', after = ''] = commits;
      await git.changes({ url: urlOf(name), before, after, cacheDirectory: cache, signal: ending.signal });
    }
    const kept = async (): Promise<readonly string[]> => {
      const remotes = (await readdir(cache)).map((name) => readFile(join(cache, name, 'slipway-remote'), 'utf8'));
      return (await Promise.all(remotes)).map((remote) => /([a-z]+)\.git$/.exec(remote)?.[1] ?? '').sort();
    };
    const { step } = taskDefinition('any');
    const repositoryUrl = urlOf('followed').replace(/\.git$/, '/');
    const trigger: SourceTrigger = {
      ...{
        name: 'main',
        status: 'Disabled',
        sourceTriggerEvents: ['commit'],
        branches: ['main'],
        tags: [],
        paths: { include: [], exclude: [] },
      },
      ...{ sourceRepository: { repositoryUrl, sourceControlType: 'Generic' } },
      ...{ skipCi: true, latestOnly: false, forks: 'approve', commitStatus: false },
    };
    const following = { timerTriggers: [], sourceTriggers: [trigger], afterTriggers: [] };
    await store.tasks.create(taskDefinition('follower', { trigger: following }));
    await store.tasks.create(taskDefinition('builder', { step: { ...step, contextPath: `${urlOf('context')}#main:dir` } }));
    await store.runs.create({ request: runRequest({ step: { ...step, contextPath: `${urlOf('queued')}#main` } }) });

    let busy = true;
    const passes: Promise<number>[] = [];
    const problems: unknown[] = [];
    const pruned = pruneGitCache(
      {
        ...{ directory: cache, store, clock, isBusy: () => busy, onProblem: (_what: string, error: unknown) => void problems.push(error) },
        git: {
          pruneHistory: (root, options) => {
            const pass = git.pruneHistory(root, options);
            passes.push(pass);
            return pass;
          },
        },
      },
      ending.signal,
    );
    await clock.sleeping();
    await clock.advance(10 * MINUTES_MS);
    expect([passes.length, await kept()]).toEqual([0, ['context', 'followed', 'gone', 'queued']]);
    busy = false;
    await clock.sleeping();
    await clock.advance(10 * MINUTES_MS);
    expect([await passes[0], await kept()]).toEqual([1, ['context', 'followed', 'queued']]);

    await store.tasks.delete('follower', {});
    await store.tasks.delete('builder', {});
    await clock.sleeping();
    await clock.advance(10 * MINUTES_MS);
    expect([await passes[1], await kept()]).toEqual([2, ['queued']]);
    expect(problems).toEqual([]);
    ending.abort();
    await pruned;
  } finally {
    ending.abort();
    await store.close();
  }
});
