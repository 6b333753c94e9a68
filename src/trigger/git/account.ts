import type { Store } from '../../model/ports/store.ts';
import type { Listing } from './listings.ts';
import { branchOf } from './ref-names.ts';

/**
 * `id`: null of a ref that was deleted.
 *
 * Notes that an event of a webhook has told of this ref, so that the next look does not tell of it again. To be called when the runs are made:
 * should the process end before, the event is decided on anew and the ref is where it was.
 */
export async function accountFor(
  key: string,
  told: { readonly ref: string; readonly id: string | null; readonly listing: Listing },
  { gitWatch }: Pick<Store, 'gitWatch'>,
): Promise<void> {
  const row = await gitWatch.get(key);
  if (row === undefined) return;
  const { ref, id, listing } = told;
  const defaultBranch = listing.head === undefined ? undefined : branchOf(listing.head);
  const common = { nextCheck: row.nextCheck, events: [], ...(defaultBranch === undefined ? {} : { defaultBranch }) };
  // Nothing was seen before: everything that is there now counts as seen.
  if (row.checkedAt === undefined) return void (await gitWatch.seen(key, { ...common, refs: listing.refs }));
  const head = listing.refs.get(ref);
  if (id === null && head !== undefined) return;
  // An older push that was told of late: the newer one stays the last.
  const wasNewer = head !== undefined && head !== id && (await gitWatch.hadRef(key, ref, head));
  await gitWatch.seen(key, { ...common, refs: new Map([[ref, id]]) });
  if (wasNewer) await gitWatch.seen(key, { ...common, refs: new Map([[ref, head]]) });
}
