import { createHash } from 'node:crypto';
import type { Delivery, ReadDelivery } from '../../model/ports/delivery-reader.ts';
import type { Fields } from './fields.ts';

/** A delivery whose sender is known to be genuine, with its body read. */
export interface Message {
  readonly headers: Delivery['headers'];
  readonly body: Uint8Array;
  readonly payload: Fields;
  readonly receivedAt: string;
}

export type GitSourceOfHook = Extract<Delivery['source'], { readonly kind: 'git' }>;
export type RegistrySourceOfHook = Extract<Delivery['source'], { readonly kind: 'registry' }>;

/** How one kind of sender proves itself and what its payloads look like. */
export interface DeliveryFormat<Source> {
  /** Undefined when the delivery is genuine, else what was expected. `secrets` are not empty. */
  verify(delivery: Delivery, secrets: readonly string[], now: Date): string | undefined | Promise<string | undefined>;
  /** Whether forms with a field `payload` are understood beside JSON. */
  readonly forms?: boolean;
  /** Throws MalformedDelivery. */
  read(message: Message, source: Source): ReadDelivery;
}

export const PING: ReadDelivery = { kind: 'ping' };

export function ignored(because: string): ReadDelivery {
  return { kind: 'ignored', because };
}

/** A name that came with a delivery, fit for a sentence. */
export function shown(name: string | undefined): string {
  return name !== undefined && /^[\w:. -]{1,64}$/.test(name) ? `"${name}"` : 'without a known name';
}

/** What the sender calls the delivery. Without it, or of odd characters, a digest that is the same each time it is sent. */
export function deliveryIdOf(given: string | undefined, ...otherwise: readonly (string | Uint8Array)[]): string {
  if (given === undefined || given === '') return digestId(otherwise);
  return /^[\w.{}+/=-]{1,160}$/.test(given) ? given : digestId([given]);
}

function digestId(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\n');
  return `sha256-${hash.digest('hex')}`;
}
