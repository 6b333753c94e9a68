import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import Connection from 'better-sqlite3';
import type { Served } from '../lib/served.ts';

/**
 * How far a daemon is, read from its database beside it: asking its API while it is measured would cost it time. What is counted in the end
 * is what the API says.
 */
export interface Stored {
  runs(): number;
  pendingEvents(): number;
  close(): void;
}

export function openStored(data: string): Stored {
  const connection = new Connection(join(data, 'slipway.db'), { readonly: true });
  const runs = connection.prepare('select count(*) from runs').pluck();
  const pending = connection.prepare("select count(*) from trigger_events where status = 'pending'").pluck();
  return { runs: () => Number(runs.get()), pendingEvents: () => Number(pending.get()), close: () => connection.close() };
}

/** Looks each `everyMs` until it is so; rejects after `timeoutMs` with what `state` says. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  { everyMs, timeoutMs, state }: { readonly everyMs: number; readonly timeoutMs: number; readonly state: () => string },
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not after ${timeoutMs} ms: ${state()}`);
    await passed(everyMs);
  }
}

export function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface ListedRun {
  readonly runId: string;
  readonly number: number;
  readonly task: string | null;
  readonly status: string;
  readonly createTime: string;
  readonly causes: readonly { readonly kind: string; readonly branch?: string; readonly commit?: string; readonly eventId?: string }[];
}

export interface ListedEvent {
  readonly eventId: string;
  readonly dedupKey: string;
  readonly status: string;
  readonly receivedAt: string;
}

/** Every item of a list of the API. `path` has a query. */
export async function all<Item>(daemon: Served, path: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let after = ''; ; ) {
    const page = await daemon.api<{ items: readonly Item[]; next?: string }>('GET', `${path}&top=1000${after}`);
    items.push(...page.items);
    if (page.next === undefined) return items;
    after = `&after=${page.next}`;
  }
}
