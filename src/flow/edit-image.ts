import { mergePatch } from '../core/merge-patch.js';
import { checkMetadata } from '../core/metadata.js';
import type { ItemChanges } from '../core/ports.js';
import type { Active } from './collections.js';
import { foundItem, viewOf } from './image-view.js';
import type { EditRequest, ImageRequest, ImageView } from './service.js';

/** Changes of a picture that embed nothing: one turn each, so no switch of models comes between. */
type EditParts = Pick<Active, 'store' | 'collection'>;

/** Label and metadata. The metadata is a merge patch on what is there; null empties it. */
export function editImage({ store, collection }: EditParts, request: EditRequest): ImageView {
  const { id, label, metadata, check } = request;
  const item = foundItem(store, id);
  check?.(viewOf(item, store.collection));
  const changes: ItemChanges = {};
  if (label !== undefined) changes.label = label;
  if (metadata !== undefined) changes.metadata = checkMetadata(mergePatch(item.metadata, metadata) ?? {});
  const edited = store.update(id, changes)!;
  if (label !== undefined) collection.relabel(edited.row, edited.label);
  return viewOf(edited, store.collection);
}

/** No search finds it from now on; its files are gone when this resolves. */
export async function removeImage(
  { store, collection, sweep }: EditParts & { sweep: () => Promise<void> },
  { id, check }: ImageRequest,
): Promise<void> {
  const item = foundItem(store, id);
  check?.(viewOf(item, store.collection));
  collection.remove(store.remove([id]));
  await sweep();
}
