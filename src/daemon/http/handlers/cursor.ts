import { EngineError } from '../../../model/engine-error.ts';

/** Cursors are opaque to clients, so that they can change: a place in base64url. */
export function cursorOf(place: string | number): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

export function numberAfter(cursor: string | undefined): number | undefined {
  const place = placeOf(cursor);
  if (place === undefined || (typeof place === 'number' && Number.isSafeInteger(place))) return place;
  throw unreadable();
}

export function textAfter(cursor: string | undefined): string | undefined {
  const place = placeOf(cursor);
  if (place === undefined || typeof place === 'string') return place;
  throw unreadable();
}

function placeOf(cursor: string | undefined): unknown {
  if (cursor === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw unreadable();
  }
}

function unreadable(): EngineError {
  return new EngineError('invalid-request', '`after` is no cursor of this list: it must be the `next` of the page before');
}

/** A page of `top` items out of up to one more: whether there is more is known without counting. */
export function pageOfItems<Item, Shown>(
  found: readonly Item[],
  top: number,
  show: (item: Item) => Shown,
  place: (item: Item) => string | number,
): { readonly items: readonly Shown[]; readonly next?: string } {
  const page = found.slice(0, top);
  const last = page.at(-1);
  return { items: page.map(show), ...(found.length > top && last !== undefined ? { next: cursorOf(place(last)) } : {}) };
}
