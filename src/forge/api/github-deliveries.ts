import { z } from 'zod';
import type { ForgeAccess } from '../../model/ports/forge.ts';
import type { ForgeCall } from './forge-call.ts';
import type { ForgeHttp } from './forge-http.ts';
import { linkedPage } from './forge-places.ts';

/** Times that one event is sent at most: a receiver that always refuses it is not asked for ever. */
const MOST_ATTEMPTS = 5;
/** Requests of one call, so that a long outage does not use up the token's limit at once. */
const MOST_REDELIVERIES = 200;

const deliveries = z.array(
  z.object({
    id: z.union([z.number().int(), z.string().regex(/^\d{1,20}$/)]),
    guid: z.string(),
    delivered_at: z.string(),
    status_code: z.number(),
    event: z.string(),
  }),
);
type Delivery = z.output<typeof deliveries>[number];

/** Asks GitHub to send again what never arrived; it never does by itself, and forgets deliveries after three days. */
export async function redeliverFailed(
  http: ForgeHttp,
  repository: string,
  failed: { readonly id: string; readonly since: string },
  access: ForgeAccess,
): Promise<number> {
  const base = `${repository}/hooks/${encodeURIComponent(failed.id)}/deliveries`;
  const lost = neverArrived(await deliveriesSince(http, base, failed.since, access));
  for (const { id } of lost) {
    await http.read({ method: 'POST', url: `${base}/${id}/attempts`, access, doing: 'another delivery of an event' }, z.unknown());
  }
  return lost.length;
}

async function deliveriesSince(http: ForgeHttp, base: string, since: string, access: ForgeAccess): Promise<readonly Delivery[]> {
  const sinceMs = Date.parse(since);
  const found: Delivery[] = [];
  const call: ForgeCall = { method: 'GET', url: `${base}?per_page=100`, access, doing: 'the list of deliveries' };
  for await (const page of http.pages(call, deliveries, linkedPage)) {
    // Newest first.
    const recent = page.filter((delivery) => Date.parse(delivery.delivered_at) >= sinceMs);
    found.push(...recent);
    if (recent.length < page.length) break;
  }
  return found;
}

/** The newest delivery of each event that no delivery brought through, oldest event first. */
function neverArrived(all: readonly Delivery[]): readonly Delivery[] {
  const byEvent = Map.groupBy(all, ({ guid }) => guid);
  const lost = [...byEvent.values()].filter(
    (attempts) =>
      attempts.length < MOST_ATTEMPTS &&
      attempts.every(({ status_code, event }) => event !== 'ping' && (status_code < 200 || status_code > 299)),
  );
  return lost
    .flatMap((attempts) => attempts.slice(0, 1))
    .reverse()
    .slice(0, MOST_REDELIVERIES);
}
