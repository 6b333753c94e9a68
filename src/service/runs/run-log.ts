import type { LogChunk, LogStore, LogWriter } from '../../model/ports/log-store.ts';

/** The log of a run that an agent writes: opened at the first word, in the order of the calls. */
export class RunLog {
  readonly #logs: LogStore;
  readonly #run: string;
  #opening: Promise<LogWriter> | undefined;
  #writer: LogWriter | undefined;
  /** Writes that wait for the opening: later ones queue behind them. */
  #behind = 0;

  constructor(logs: LogStore, run: string) {
    this.#logs = logs;
    this.#run = run;
  }

  append(chunk: LogChunk): void | Promise<void> {
    if (this.#writer !== undefined && this.#behind === 0) return this.#writer.append(chunk);
    return this.#later((writer) => writer.append(chunk));
  }

  /** Resolves when all that was said so far can be read; undefined when it can. What could not be written was told to who said it. */
  written(): undefined | Promise<void> {
    if (this.#behind === 0) return this.#writer?.flush();
    return this.#later((writer) => writer.flush()).catch(() => undefined);
  }

  async gap(step: string, attempt: number, because: string): Promise<void> {
    await this.#later((writer) => writer.gap(step, attempt, because));
  }

  /** Nothing more will come: readers that follow end. A run without a log gets none. */
  async seal(): Promise<void> {
    if (this.#opening === undefined && (await this.#logs.stat(this.#run)) === undefined) return;
    await this.#later(async (writer) => {
      await writer.seal();
      await writer.close();
    });
    this.#forget();
  }

  async close(): Promise<void> {
    if (this.#opening === undefined) return;
    await this.#later((writer) => writer.close());
    this.#forget();
  }

  async #later(write: (writer: LogWriter) => void | Promise<void> | undefined): Promise<void> {
    this.#behind += 1;
    try {
      this.#opening ??= this.#logs.open(this.#run).then((writer) => {
        this.#writer = writer;
        return writer;
      });
      const writer = await this.#opening;
      await write(writer);
    } catch (error) {
      if (this.#writer === undefined) this.#opening = undefined;
      throw error;
    } finally {
      this.#behind -= 1;
    }
  }

  #forget(): void {
    this.#opening = undefined;
    this.#writer = undefined;
  }
}
