import { expect, it } from 'vitest';
import { startAgent } from '../../src/daemon/start-agent.ts';
import { EngineError } from '../../src/model/engine-error.ts';
import { createFakeClock } from '../fakes/fake-clock.ts';

const LOGGER = { error: () => undefined, info: () => undefined };

it('starts the agent again until the store takes it, and not after the end', async () => {
  const clock = createFakeClock();
  const over = new AbortController();
  let tries = 0;
  const agent = {
    start: async (): Promise<void> => {
      tries += 1;
      if (tries !== 3) throw new EngineError('disk-full', 'the disk of the database is full', { transient: true });
    },
  };
  await startAgent(agent, { clock, logger: LOGGER, signal: over.signal });
  expect(tries).toBe(1);
  await clock.advance(499);
  expect(tries).toBe(1);
  await clock.advance(1);
  expect(tries).toBe(2);
  await clock.advance(60_000);
  expect(tries).toBe(3);

  await startAgent(agent, { clock, logger: LOGGER, signal: over.signal });
  over.abort();
  await clock.advance(60_000);
  expect(tries).toBe(4);
});
