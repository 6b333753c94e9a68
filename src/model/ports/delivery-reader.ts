import type { Happening } from '../trigger-event.ts';
import type { HookRecord } from './hook-store.ts';

/**
 * Verifies what a forge or a registry posted, over its raw bytes, and only then reads it. Pure but for the clock; never throws, whatever the
 * bytes. Adapters: src/forge.
 */
export interface DeliveryReader {
  read(delivery: Delivery): Promise<ReadDelivery>;
}

export interface Delivery {
  readonly source: HookRecord['source'];
  /** By lower-case name; of repeated ones the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** What came in the path after the id (`/hooks/ID/SECRET`), for senders that can do no better. */
  readonly pathSecret?: string;
  /** Any of these is good: the present one and, for a while, the one before. Empty texts never are. */
  readonly secrets: readonly string[];
  /** ISO 8601. */
  readonly receivedAt: string;
}

export type ReadDelivery =
  /** In the order of the payload. `deliveryId` is constant over redeliveries; made from the bytes where the sender gives none. */
  | { readonly kind: 'happenings'; readonly deliveryId: string; readonly happenings: readonly Happening[]; readonly repositoryId?: string }
  | { readonly kind: 'ping' }
  /** Genuine and of no interest. */
  | { readonly kind: 'ignored'; readonly because: string }
  /** 400 malformed, 401 not genuine, 415 another content type; `because` names what was expected and no secret. */
  | { readonly kind: 'refused'; readonly status: 400 | 401 | 415; readonly because: string };
