/**
 * The output of runs: masked bytes in files, one merged stream a run, indexed by step, attempt and stream. Offsets are bytes of the
 * merged stream and never change. One writer a run; any number of readers, which hold no memory for what they have not read.
 */
export interface LogStore {
  /** Opens the log of a run for appending; what was there stays. Cheap when open. */
  open(run: string): Promise<LogWriter>;
  /** Where each stream stands, for going on after a crash: the largest `position` per step, attempt and stream. */
  positions(run: string): Promise<readonly LogPosition[]>;
  /** Total length and whether more may come (a writer is open, or the run has not been sealed). Undefined when there is no log. */
  stat(run: string): Promise<LogStat | undefined>;
  /** Chunks from an offset on, as many as fit into `limit` bytes. `offset` may lie within a chunk. Empty at the end. */
  read(run: string, query: LogQuery): Promise<LogPage>;
  /** Resolves when there is more than `after` bytes, when the log is sealed, or when `signal` aborts. */
  changed(run: string, after: number, signal: AbortSignal): Promise<void>;
  /** Removes the files. A missing log is no error. */
  delete(run: string): Promise<void>;
  /** Bytes of all logs. */
  size(): Promise<number>;
  /** Runs that have a log, for finding those whose run is gone. */
  list(): AsyncIterable<string>;
  close(): Promise<void>;
}

export interface LogChunk {
  readonly step: string;
  readonly attempt: number;
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
  /**
   * Raw bytes of this stream of this attempt that are behind the chunk's end: where to go on reading the container. A piece that a page cuts
   * out of a chunk has that of the whole chunk.
   */
  readonly position: number;
  /** ISO 8601. */
  readonly at: string;
  /** The number of the run's last event before the chunk. */
  readonly afterEvent: number;
}

export interface LogWriter {
  /**
   * Appends; on its way to the disk when it returns (survives kill -9 of this process), synced within a second. Beyond the run's cap one
   * marker is written and the rest is counted and dropped: the caller goes on writing. Returns a promise only to hold the caller back.
   */
  append(chunk: LogChunk): void | Promise<void>;
  /** Says in the log that output is missing, and why: gaps are never silent. */
  gap(step: string, attempt: number, because: string): void;
  /** Resolves when readers can see all that was appended (or that it is lost); undefined when they can. */
  flush(): undefined | Promise<void>;
  /** Nothing more will come: readers that follow end. Survives restarts. */
  seal(): Promise<void>;
  close(): Promise<void>;
}

export interface LogPosition {
  readonly step: string;
  readonly attempt: number;
  readonly stream: 'stdout' | 'stderr';
  readonly position: number;
}

export interface LogStat {
  readonly bytes: number;
  readonly droppedBytes: number;
  readonly sealed: boolean;
}

export interface LogQuery {
  readonly offset: number;
  readonly limit: number;
  readonly step?: string;
  readonly attempt?: number;
  /** Chunks at or after this time. */
  readonly since?: string;
}

export interface LogPage {
  /** `offset` of each chunk is that of its first byte; `marker`: not the step's words but the log's own. */
  readonly chunks: readonly (LogChunk & { readonly offset: number; readonly marker?: 'gap' | 'truncated' })[];
  /** Where the next page starts: after everything looked at, also what the query left out. */
  readonly next: number;
  /** The end of a sealed log has been reached. */
  readonly end: boolean;
}
