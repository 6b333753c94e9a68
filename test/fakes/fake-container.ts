import type { Clock } from '../../src/model/ports/clock.ts';
import type { ContainerIo, ContainerOutcome, ContainerRequest } from '../../src/model/ports/container-engine.ts';

type Exit = Partial<Pick<ContainerOutcome, 'exitCode' | 'outOfMemory' | 'canceled'>>;

/** A started container of the fake engine in the hand of a test: the test decides what it prints and when it ends. */
export interface FakeContainer {
  readonly id: string;
  readonly request: ContainerRequest;
  /** Resolves when the engine's user has taken the bytes. */
  write(stream: 'stdout' | 'stderr', content: string | Uint8Array): Promise<void>;
  exit(code: number, options?: { readonly outOfMemory?: boolean }): void;
  /** Resolves when the container has been asked to stop. */
  readonly terminated: Promise<void>;
}

/**
 * What a container of the fake engine does by itself, from its environment:
 * - FAKE_OUTPUT, FAKE_STDERR: text it prints first (`\n` stands for a line feed);
 * - FAKE_SLEEP_MS: how long it lives afterwards, on the engine's clock;
 * - FAKE_EXIT_CODE: its exit code (0); a list `1,1,0` is by attempt, the last one stays;
 * - FAKE_START_FAIL: it cannot be started for this reason, with exit code 127; FAKE_ENGINE_WORDS: all that the engine says of it;
 * - FAKE_OOM: it is killed for using too much memory (exit code 137);
 * - FAKE_HOLD: it lives until a test ends it or it is cancelled;
 * - FAKE_IGNORE_TERM: SIGTERM does nothing, so that only SIGKILL after the grace ends it.
 */
export function fakeEnvironment(request: ContainerRequest): ReadonlyMap<string, string> {
  return new Map(
    request.container.env.map((entry) => {
      const equals = entry.indexOf('=');
      return equals === -1 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

export function exitCodeOf(environment: ReadonlyMap<string, string>, attempt: number): number {
  const codes = (environment.get('FAKE_EXIT_CODE') ?? '0').split(',');
  return Number(codes[Math.min(attempt, codes.length) - 1]);
}

/** Runs one container to its end: `hold` leaves the end to the test that holds the returned handle. */
export function startFakeContainer(
  id: string,
  request: ContainerRequest,
  io: ContainerIo,
  clock: Clock,
  hold: boolean,
): { readonly handle: FakeContainer; readonly outcome: Promise<ContainerOutcome> } {
  const environment = fakeEnvironment(request);
  const ended = Promise.withResolvers<Exit>();
  const terminated = Promise.withResolvers<void>();
  const over = new AbortController();
  const write = async (stream: 'stdout' | 'stderr', content: string | Uint8Array): Promise<void> => {
    if (over.signal.aborted) throw new Error(`bug: step ${request.step} writes after its container ended`);
    await io.onOutput(stream, typeof content === 'string' ? Buffer.from(content) : content);
  };
  const terminate = async (): Promise<void> => {
    terminated.resolve();
    if (environment.has('FAKE_IGNORE_TERM')) {
      await clock.sleep(io.graceMs, over.signal);
      ended.resolve({ exitCode: 137, canceled: true });
    } else ended.resolve({ exitCode: 143, canceled: true });
  };
  const handle: FakeContainer = {
    id,
    request,
    write,
    exit: (code, options) => ended.resolve({ exitCode: code, outOfMemory: options?.outOfMemory ?? false }),
    terminated: terminated.promise,
  };
  async function live(): Promise<ContainerOutcome> {
    if (io.signal.aborted) void terminate();
    else io.signal.addEventListener('abort', () => void terminate(), { once: true });
    if (!hold) {
      void actByEnvironment(environment, request.attempt, write, clock, over.signal).then(ended.resolve, ended.reject);
    }
    try {
      const exit = await ended.promise;
      return { exitCode: 0, canceled: false, outOfMemory: false, ...exit, containerId: id };
    } finally {
      over.abort();
    }
  }
  return { handle, outcome: live() };
}

async function actByEnvironment(
  environment: ReadonlyMap<string, string>,
  attempt: number,
  write: FakeContainer['write'],
  clock: Clock,
  over: AbortSignal,
): Promise<Exit> {
  for (const [stream, key] of [
    ['stdout', 'FAKE_OUTPUT'],
    ['stderr', 'FAKE_STDERR'],
  ] as const) {
    const text = environment.get(key);
    if (text !== undefined && !over.aborted) await write(stream, text.replaceAll('\\n', '\n'));
  }
  const sleepMs = Number(environment.get('FAKE_SLEEP_MS') ?? '0');
  if (sleepMs > 0) await clock.sleep(sleepMs, over);
  if (environment.has('FAKE_OOM')) return { exitCode: 137, outOfMemory: true };
  return { exitCode: exitCodeOf(environment, attempt) };
}
