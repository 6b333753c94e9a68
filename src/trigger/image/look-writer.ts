import type { Clock } from '../../model/ports/clock.ts';
import type { ImageWatchStore } from '../../model/ports/image-watch-store.ts';

type Looked = Parameters<ImageWatchStore['looked']>[0][number];
type Recorded = Awaited<ReturnType<ImageWatchStore['looked']>>;

/** Most looks of one transaction. */
const MOST = 200;
/** A patient look waits so long for others: each transaction waits for the disk. */
const GATHER_MS = 25;

interface Entry {
  readonly look: Looked;
  readonly done: (events: Recorded) => void;
  readonly failed: (reason: unknown) => void;
}

/** Stores what looks found, many in one transaction. */
export class LookWriter {
  readonly #store: ImageWatchStore;
  readonly #clock: Clock;
  #entries: Entry[] = [];
  #writing: Promise<void> = Promise.resolve();
  #gathering = false;

  constructor(store: ImageWatchStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Resolves, when it is stored, with the events of this look. */
  async write(look: Looked, urgent: boolean): Promise<Recorded> {
    const { promise, resolve, reject } = Promise.withResolvers<Recorded>();
    this.#entries.push({ look, done: resolve, failed: reject });
    if (urgent || this.#entries.length >= MOST) void this.#flush();
    else void this.#gather();
    return promise;
  }

  async #gather(): Promise<void> {
    if (this.#gathering) return;
    this.#gathering = true;
    await this.#clock.sleep(GATHER_MS);
    this.#gathering = false;
    await this.#flush();
  }

  /** One transaction after the other. */
  #flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#storeAll(this.#entries.splice(0, MOST)));
    return this.#writing;
  }

  async #storeAll(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    try {
      const recorded = await this.#store.looked(entries.map(({ look }) => look));
      let at = 0;
      for (const { look, done } of entries) {
        done(recorded.slice(at, at + look.events.length));
        at += look.events.length;
      }
    } catch (error) {
      for (const { failed } of entries) failed(error);
    }
  }
}
