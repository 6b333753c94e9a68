import { describe, expect, it } from 'vitest';
import type { TaskRecord } from '../../../src/model/task-definition.ts';
import { NO_TRIGGERS, type SourceTrigger } from '../../../src/model/trigger-definition.ts';
import { TaskIndex } from '../../../src/trigger/git/task-index.ts';
import { taskDefinition } from '../../contract/store-values.ts';
import { sourceTrigger } from './git-rig.ts';

function record(
  name: string,
  urls: readonly string[],
  trigger: Partial<SourceTrigger> = {},
  status: 'Enabled' | 'Disabled' = 'Enabled',
): TaskRecord {
  const sourceTriggers = urls.map((url, index) => sourceTrigger(url, { name: `t${index}`, ...trigger }));
  const definition = taskDefinition(name, { status, trigger: { ...NO_TRIGGERS, sourceTriggers } });
  return { definition, id: `id-${name}`, version: 1, createdAt: '', updatedAt: '' };
}
const watchedUrls = (index: TaskIndex): readonly string[] => index.watched().map(({ url }) => url);

describe('the index of tasks', () => {
  it('knows who follows a repository, through changes and deletions', () => {
    const index = new TaskIndex();
    index.set('b', record('b', ['https://git.example/r.git']));
    index.set('a', record('a', ['git@git.example:r', 'https://git.example/s']));
    expect(index.tasksOf('git.example/r')).toEqual(['a', 'b']);
    expect(index.tasksOf('git.example/s')).toEqual(['a']);
    index.set('a', record('a', ['https://git.example/s']));
    expect(index.tasksOf('git.example/r')).toEqual(['b']);
    index.set('b', undefined);
    expect(index.tasksOf('git.example/r')).toEqual([]);
    expect(watchedUrls(index)).toEqual(['https://git.example/s']);
    const [{ key = '' } = {}] = index.of('a');
    expect(index.watched([key, 'nobody'])).toEqual([{ key, url: 'https://git.example/s' }]);
  });

  it('watches once for each credential, by where it is', () => {
    const index = new TaskIndex();
    const url = 'https://git.example/r.git';
    const token = (ref: { secret: string } | { sealed: string }): Partial<SourceTrigger> => ({
      sourceRepository: { ...sourceTrigger(url).sourceRepository, sourceControlAuthProperties: { tokenType: 'PAT', token: ref } },
    });
    for (const [name, trigger] of Object.entries({
      a: {},
      b: {},
      c: token({ secret: 'x' }),
      d: token({ secret: 'x' }),
      e: token({ secret: 'y' }),
    })) {
      index.set(name, record(name, [url], trigger));
    }
    expect(index.watched()).toHaveLength(3);
    index.set('f', record('f', [url], token({ sealed: 'AAAA' })));
    const sealed = index.of('f');
    expect(index.watched()).toHaveLength(4);
    // A token that is replaced goes on where the old one was.
    index.set('f', record('f', [url], token({ sealed: 'BBBB' })));
    expect(index.of('f')).toEqual(sealed);
    index.set('g', record('g', ['git@git.example:r.git']));
    expect(index.watched()).toHaveLength(5);
  });

  it('watches nothing for what is disabled, and still knows of it', () => {
    const index = new TaskIndex();
    index.set('a', record('a', ['https://git.example/r'], { status: 'Disabled' }));
    index.set('b', record('b', ['https://git.example/r'], {}, 'Disabled'));
    expect(index.watched()).toEqual([]);
    expect(index.tasksOf('git.example/r')).toEqual(['a', 'b']);
  });

  it('answers for one repository among ten thousand tasks without looking at the others', () => {
    const index = new TaskIndex();
    for (let number = 0; number < 10_000; number += 1) index.set(`t${number}`, record(`t${number}`, [`https://git.example/r${number}`]));
    const began = performance.now();
    for (let number = 0; number < 10_000; number += 1) expect(index.tasksOf(`git.example/r${number}`)).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(index.watched()).toHaveLength(10_000);
  });
});
