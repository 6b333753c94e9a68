import type { Settings } from './settings.ts';

/** What `task serve` of the command line hands to the daemon: two composition roots, which main.ts brings together. */
export interface ServeOrder {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  /** Where relative paths start. */
  readonly directory: string;
  /** Validate and leave. */
  readonly check: boolean;
  /** A line for people, on standard output. */
  say(line: string): void;
  /** A line for people, on standard error. */
  warn(line: string): void;
}

/** Resolves with the exit code when the daemon has ended; rejects with EngineError when it cannot start. */
export type Serve = (order: ServeOrder) => Promise<number>;
