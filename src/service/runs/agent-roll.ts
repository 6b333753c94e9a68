import type { AgentDescription } from '../../model/ports/agent-channel.ts';
import type { Clock } from '../../model/ports/clock.ts';

/** An agent as `task agents` shows it. */
export interface AgentStatus extends AgentDescription {
  /** Ids of the runs that it holds. */
  readonly runs: readonly string[];
  /** ISO 8601. */
  readonly lastSeen: string;
  /** It said goodbye. */
  readonly left: boolean;
}

interface KnownAgent {
  description: AgentDescription;
  lastSeen: Date;
  left: boolean;
  nudged: boolean;
  readonly wakers: Set<() => void>;
}

/** The agents that have registered, and what wakes them. */
export class AgentRoll {
  readonly #clock: Clock;
  readonly #agents = new Map<string, KnownAgent>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  register(description: AgentDescription): void {
    const known = this.#agents.get(description.id);
    if (known === undefined) {
      const lastSeen = this.#clock.now();
      this.#agents.set(description.id, { description, lastSeen, left: false, nudged: false, wakers: new Set() });
    } else Object.assign(known, { description, lastSeen: this.#clock.now(), left: false });
  }

  /** Undefined for one that has not registered, or has left. */
  seen(id: string): AgentDescription | undefined {
    const known = this.#agents.get(id);
    if (known === undefined || known.left) return undefined;
    known.lastSeen = this.#clock.now();
    return known.description;
  }

  leave(id: string): void {
    const known = this.#agents.get(id);
    if (known === undefined) return;
    known.left = true;
    this.nudge(id);
  }

  nudge(id: string): void {
    const known = this.#agents.get(id);
    if (known === undefined) return;
    known.nudged = true;
    for (const wake of known.wakers) wake();
  }

  /** Resolves at the next nudge, at once for one that nobody has waited for, or when `signal` aborts. */
  async nudged(id: string, signal: AbortSignal): Promise<void> {
    const known = this.#agents.get(id);
    if (known === undefined) return;
    if (!known.nudged && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          known.wakers.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        known.wakers.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    known.nudged = false;
  }

  list(runsOf: (agent: string) => readonly string[]): readonly AgentStatus[] {
    return [...this.#agents.values()].map(({ description, lastSeen, left }) => ({
      ...description,
      runs: runsOf(description.id),
      lastSeen: lastSeen.toISOString(),
      left,
    }));
  }
}
