import type { RequestListener } from 'node:http';
import type { Server as NetServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/** Turns of the event loop in which nobody came. The first may have looked at the sockets already. */
const QUIET_TURNS = 2;
/** Requests that are let in within a turn. */
const AT_ONCE = 32;

/** Lets requests wait while a server takes what its sockets hold: connections are taken fast then, however long answers take. */
export class RequestGate {
  #waiting: (() => void)[] | undefined;
  #ending = false;

  guard(handle: RequestListener): RequestListener {
    return (request, response) => {
      // Nobody is to send another request where nobody listens.
      if (this.#ending) response.setHeader('connection', 'close');
      if (this.#waiting === undefined) handle(request, response);
      else this.#waiting.push(() => handle(request, response));
    };
  }

  /**
   * Takes connections that the system has accepted for these servers, closes the servers when there are none, and only then answers. Whoever
   * was told to be connected is answered; whoever comes later is refused and knows it. Resolves when all connections have ended.
   */
  async close(servers: readonly NetServer[], mostMs: number): Promise<{ readonly ended: Promise<void> }> {
    this.#waiting = [];
    this.#ending = true;
    await untilQuiet(servers, mostMs);
    const ended = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    void this.#release();
    return { ended: Promise.all(ended).then(() => undefined) };
  }

  /** In the order in which they came, and beside what the process does otherwise. */
  async #release(): Promise<void> {
    for (const [index, answer] of (this.#waiting ?? []).entries()) {
      answer();
      if (index % AT_ONCE === AT_ONCE - 1) await setImmediate();
    }
    this.#waiting = undefined;
  }
}

async function untilQuiet(servers: readonly NetServer[], mostMs: number): Promise<void> {
  const until = performance.now() + mostMs;
  let quiet = 0;
  const onConnection = (): void => {
    quiet = -1;
  };
  for (const server of servers) server.prependListener('connection', onConnection);
  while (quiet < QUIET_TURNS && performance.now() < until) {
    await setImmediate();
    quiet += 1;
  }
  for (const server of servers) server.off('connection', onConnection);
}
