import type { ItemPlace, ItemQuery, Store } from '../core/ports.js';
import type { Item } from '../core/types.js';
import type { Where } from '../core/where.js';

/** A page of a collection's items. A filter that few fit is looked for bit by bit, and other requests run between. */
export interface ListParts {
  store: Pick<Store, 'list' | 'listWhere'>;
  yieldToRequests: () => Promise<void>;
}

/** Items that are looked at in one go. */
const SCAN = 2000;

export async function listImages(
  { store, yieldToRequests }: ListParts,
  { where = [], ...query }: ItemQuery & { where?: Where; signal?: AbortSignal },
): Promise<Item[]> {
  if (where.length === 0) return store.list(query);
  const found: Item[] = [];
  for (let place: ItemPlace | null | undefined = query.after; ; ) {
    const limit = query.limit - found.length;
    const { items, after } = store.listWhere({
      ...query,
      ...(place && { after: place }),
      limit,
      where,
      scan: Math.max(SCAN, limit),
    });
    found.push(...items);
    place = after;
    if (place === null || found.length >= query.limit) return found;
    await yieldToRequests();
    query.signal?.throwIfAborted();
  }
}
