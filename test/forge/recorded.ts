import { createDeliveryReader } from '../../src/forge/delivery-reader.ts';
import type { ReadDelivery } from '../../src/model/ports/delivery-reader.ts';
import { DELIVERY_ID, fixture, NOW, type Sending, sent } from './sign.ts';

export const reader = createDeliveryReader({ clock: { now: () => new Date(NOW) } });

/** Reads a delivery as its sender signs it. */
export function read(kind: Parameters<typeof sent>[0], sending: Sending): Promise<ReadDelivery> {
  return reader.read(sent(kind, sending));
}

export type Json = { [key: string]: Json } & Json[] & string & number & boolean & null;

/** A recorded payload with changes. */
export function changed(name: string, edit: (payload: Json) => void): string {
  const payload = JSON.parse(fixture(name)) as Json;
  edit(payload);
  return JSON.stringify(payload);
}

export const set = (target: Json, values: object) => Object.assign(target, values);

export const ZERO = '0'.repeat(40);
/** What an answer has that tells of something. */
export const READ = { deliveryId: DELIVERY_ID, kind: 'happenings' };
export const DIGEST = /^sha256:[0-9a-f]{64}$/;
