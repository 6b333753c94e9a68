import Dockerode from 'dockerode';
import { describe, expect, it } from 'vitest';
import { healthService } from '../../../../src/container/build/session/health-service.ts';
import { newSessionId, openSession } from '../../../../src/container/build/session/open-session.ts';
import { docker } from '../build-harness.ts';

describe('a session with the engine', () => {
  it('can be closed at once, as often as one likes', async () => {
    for (let round = 0; round < 30; round += 1) {
      const session = await openSession(docker, { id: newSessionId(), sharedKey: 'test', services: [healthService] });
      session.close();
      await session.closed;
    }
  });

  it('stays open while the engine asks for its health', async () => {
    let asked: () => void = () => undefined;
    const health = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const [path, handler] = [...healthService][0] ?? [];
    if (path === undefined || handler === undefined) throw new Error('no health service');
    const watched = new Map([[path, async (call: Parameters<typeof handler>[0]) => handler(call).then(asked)]]);
    const session = await openSession(docker, { id: newSessionId(), sharedKey: 'test', services: [watched] });
    await health;
    const state = await Promise.race([session.closed.then(() => 'closed'), Promise.resolve('open')]);
    session.close();
    expect(state).toBe('open');
    await session.closed;
  });

  it('is refused by an engine that is not there', async () => {
    const nobody = new Dockerode({ socketPath: '/nonexistent/docker.sock' });
    await expect(openSession(nobody, { id: newSessionId(), sharedKey: 'test', services: [] })).rejects.toThrow('ENOENT');
  });
});
