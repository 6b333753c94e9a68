import { expect, it } from 'vitest';
import { watchEndedRuns } from '../../src/daemon/watch-runs.ts';
import { AGENT, begin, makeFolder, NOW, openPlane, SUCCEEDED } from '../service/runs/control-plane.ts';
import { waitFor } from '../support/wait-for.ts';

it('tells of each run that ends, and how much it has said', async () => {
  const folder = await makeFolder();
  const plane = await openPlane(folder);
  const over = new AbortController();
  const ended: (readonly [string, string, number])[] = [];
  const failures: unknown[] = [];
  const watching = watchEndedRuns(
    plane,
    (run, bytes) => void ended.push([run.id, run.status, bytes]),
    (error) => void failures.push(error),
    over.signal,
  );
  await plane.gateway.register(AGENT);
  const [first, second] = [await plane.create(), await plane.create()];
  const lease = await plane.gateway.claim(AGENT.id, NOW);
  if (lease === undefined) throw new Error('nothing to claim');
  await begin(plane.gateway, lease);
  const chunk = { step: 'one', attempt: 1, stream: 'stdout', bytes: Buffer.from('hello\n'), position: 6, afterEvent: 2 } as const;
  await plane.gateway.log(lease, { ...chunk, at: new Date().toISOString() });
  await plane.gateway.finish(lease, SUCCEEDED);
  await plane.runs.cancel(second.id, { name: 'me', from: 'unix' });
  await waitFor(async () => ended[1]);
  expect(ended).toEqual([
    [first.id, 'Succeeded', 6],
    [second.id, 'Canceled', 0],
  ]);
  over.abort();
  await watching;
  expect(failures).toEqual([]);
  await plane.stop();
  await folder.remove();
});
