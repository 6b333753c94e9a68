import type { DaemonClient, Query } from './client.ts';

const LARGEST_PAGE = 1000;

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}

/** Every item of a list, page after page. */
export async function listAll<Item>(client: DaemonClient, path: string, query: Query = {}): Promise<readonly Item[]> {
  const items: Item[] = [];
  let after: string | undefined;
  do {
    const page = await getPage<Item>(client, path, { ...query, after, top: LARGEST_PAGE });
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

/** The n-th page (from 1) of `top` items. Pages before it are passed over in larger steps. */
export async function nthPage<Item>(
  client: DaemonClient,
  path: string,
  query: Query,
  at: { readonly top: number; readonly page: number },
): Promise<Page<Item>> {
  let after: string | undefined;
  for (let skip = (at.page - 1) * at.top; skip > 0; ) {
    const top = Math.min(skip, LARGEST_PAGE);
    const passed = await getPage<Item>(client, path, { ...query, after, top });
    if (passed.next === undefined) return { items: [] };
    after = passed.next;
    skip -= top;
  }
  return getPage(client, path, { ...query, after, top: at.top });
}

async function getPage<Item>(client: DaemonClient, path: string, query: Query): Promise<Page<Item>> {
  return (await client.call<Page<Item>>({ method: 'GET', path, query })).value;
}
