import { DEFAULT_COLLECTION } from '../core/collection-name.js';
import { LookalikeError } from '../core/errors.js';
import type { Store } from '../core/ports.js';
import type { Item } from '../core/types.js';
import type { ImageView } from './service.js';

/** Items as the doors show them. */
export function viewOf({ row: _, source: __, ...item }: Item, collection: string): ImageView {
  return { collection, ...item, thumbnail: thumbnailPath(item.id, collection) };
}

/** Path of an item's thumbnail on this server. */
export function thumbnailPath(id: string, collection: string): string {
  const query = collection === DEFAULT_COLLECTION ? '' : `?collection=${encodeURIComponent(collection)}`;
  return `/v1/images/${encodeURIComponent(id)}/thumbnail${query}`;
}

/** The item with this id. Throws `not_found`. */
export function foundItem(store: Store, id: string): Item {
  const item = store.itemById(id);
  if (item) return item;
  throw new LookalikeError(
    'not_found',
    `there is no picture ${JSON.stringify(id.slice(0, 60))} in the collection ${JSON.stringify(store.collection)}`,
    { field: 'id' },
  );
}
