import { describe, expect, it } from 'vitest';
import { loadTask } from '../../src/task/load-task.ts';
import { planDocument } from '../../src/task/plan-document.ts';
import { inputsOf } from './task-inputs.ts';

async function document(text: string): Promise<unknown> {
  const loaded = await loadTask(inputsOf(text));
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  return JSON.parse(JSON.stringify(planDocument(loaded.value.value)));
}

const NETWORKS = [{ name: 'acb_default_network', driver: 'bridge', isDefault: true }];
const DEFAULTS = { timeout: 600, retryDelay: 5, network: 'acb_default_network' };

describe('planDocument', () => {
  it('leaves out what is empty or false, and sorts what a step waits for', async () => {
    const text = 'steps:\n  - {id: b, cmd: x}\n  - {id: a, cmd: y, when: [-], keep: false, retries: 0}\n  - {push: [r], when: [b, a]}\n';
    expect(await document(text)).toEqual({
      version: 'v1.0.0',
      taskName: 'quickrun',
      stepTimeout: 600,
      networks: NETWORKS,
      steps: [
        { id: 'b', cmd: 'x', ...DEFAULTS },
        { id: 'a', cmd: 'y', when: ['-'], ...DEFAULTS },
        { id: 'acb_step_2', push: ['r:latest'], when: ['b', 'a'], needs: ['a', 'b'], ...DEFAULTS },
      ],
    });
  });

  it('shows times in seconds, volumes by their files, and the extensions as written', async () => {
    const text =
      'volumes: [{name: v, secret: {f: YQ==}}]\nsteps:\n  - {cmd: [a, b], timeout: 1m30s, retryDelay: 250ms}\n  - {image: i, script: s}\n';
    expect(await document(text)).toEqual({
      version: 'v1.0.0',
      taskName: 'quickrun',
      stepTimeout: 600,
      networks: NETWORKS,
      volumes: [{ name: 'v', secret: { f: 'YQ==' } }],
      steps: [
        { ...DEFAULTS, id: 'acb_step_0', cmd: ['a', 'b'], timeout: 90, retryDelay: 0.25 },
        { ...DEFAULTS, id: 'acb_step_1', image: 'i', script: 's', needs: ['acb_step_0'] },
      ],
    });
  });

  it('writes the flags of a cache before a build, where it can be named', async () => {
    const text =
      'steps:\n  - {id: a, build: "-t app:1 .", cache: ENABLED}\n  - {id: b, build: "-t r.io/APP:1 .", cache: enabled}\n  - {id: c, build: ".", cache: disabled}\n';
    const flags = 'ref=foo.azurecr.io/app:cache_quickrun_a';
    expect(await document(text)).toMatchObject({
      steps: [
        { cache: 'ENABLED', build: `--load --cache-to=type=registry,${flags},mode=max --cache-from=type=registry,${flags} -t app:1 .` },
        { cache: 'enabled', build: '-t r.io/APP:1 .' },
        { cache: 'disabled', build: '.' },
      ],
    });
  });
});
