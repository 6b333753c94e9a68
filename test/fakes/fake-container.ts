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

type Stream = 'stdout' | 'stderr';

/** Who follows a container: until it ends, the space lets go of it, or the process that follows is killed. */
export interface FakeFollower {
  readonly io: ContainerIo;
  /** Bytes of each stream that are not wanted. */
  readonly from: Readonly<Record<Stream, number>>;
  readonly detaching: AbortSignal;
  readonly killed: AbortSignal;
}

/** A started container of the fake engine: it goes on, and keeps what it prints, whoever follows. */
export interface FakeProcess {
  readonly handle: FakeContainer;
  readonly isOver: boolean;
  /** Acts by its environment from now on; one that is held waits for its test. */
  act(): void;
  follow(follower: FakeFollower): Promise<ContainerOutcome>;
}

export function startFakeContainer(id: string, request: ContainerRequest, clock: Clock, hold: boolean): FakeProcess {
  const environment = fakeEnvironment(request);
  const ended = Promise.withResolvers<Exit>();
  const terminated = Promise.withResolvers<void>();
  const over = new AbortController();
  const log: { readonly stream: Stream; readonly bytes: Uint8Array }[] = [];
  let pump: () => Promise<void> = async () => undefined;
  const end = (exit: Exit): void => {
    ended.resolve(exit);
    over.abort();
  };
  const write = async (stream: Stream, content: string | Uint8Array): Promise<void> => {
    if (over.signal.aborted) throw new Error(`bug: step ${request.step} writes after its container ended`);
    log.push({ stream, bytes: typeof content === 'string' ? Buffer.from(content) : content });
    await pump();
  };
  const terminate = async (graceMs: number, killed: AbortSignal): Promise<void> => {
    terminated.resolve();
    if (environment.has('FAKE_IGNORE_TERM')) {
      await clock.sleep(graceMs, AbortSignal.any([over.signal, killed]));
      if (!killed.aborted) end({ exitCode: 137, canceled: true });
    } else end({ exitCode: 143, canceled: true });
  };
  const handle: FakeContainer = {
    id,
    request,
    write,
    exit: (code, options) => end({ exitCode: code, outOfMemory: options?.outOfMemory ?? false }),
    terminated: terminated.promise,
  };
  function deliverTo({ io, from, detaching, killed }: FakeFollower): () => Promise<void> {
    const left = { ...from };
    let next = 0;
    let delivering = Promise.resolve();
    const deliver = async (): Promise<void> => {
      for (let entry = log[next]; entry !== undefined && !detaching.aborted && !killed.aborted; entry = log[next]) {
        next += 1;
        const { stream, bytes } = entry;
        const skipped = Math.min(left[stream], bytes.length);
        left[stream] -= skipped;
        if (skipped < bytes.length || bytes.length === 0) await io.onOutput(stream, bytes.subarray(skipped));
      }
    };
    return () => {
      delivering = delivering.then(deliver);
      return delivering;
    };
  }
  async function follow(follower: FakeFollower): Promise<ContainerOutcome> {
    const { io, detaching, killed } = follower;
    const own = deliverTo(follower);
    pump = own;
    const outcome = { exitCode: 0, canceled: false, outOfMemory: false, containerId: id };
    const stop = (): void => void (killed.aborted || detaching.aborted || terminate(io.graceMs, killed));
    if (io.signal.aborted) stop();
    else io.signal.addEventListener('abort', stop, { once: true, signal: over.signal });
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    void own().catch(failed.reject);
    const exit = await Promise.race([ended.promise, failed.promise, aborted(detaching), aborted(killed)]);
    if (killed.aborted) return await new Promise<never>(() => undefined);
    if (exit !== undefined) await own();
    return exit === undefined ? { ...outcome, detached: true } : { ...outcome, ...exit };
  }
  const act = (): void => {
    if (!hold) void actByEnvironment(environment, request.attempt, write, clock, over.signal).then(end, ended.reject);
  };
  return {
    handle,
    get isOver() {
      return over.signal.aborted;
    },
    act,
    follow,
  };
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
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
