import { isDiskFull, LookalikeError } from '../core/errors.js';
import type { Decoder, Store, ThumbnailCache } from '../core/ports.js';
import type { SharedLock } from '../core/shared-lock.js';
import { type PictureParts, pictureBytes } from './picture-bytes.js';

/** An item's picture, small and re-encoded by us: made at the first request, then kept under its hash. */
export interface ThumbnailParts extends PictureParts {
  store: Store;
  decoder: Decoder;
  cache: ThumbnailCache;
  fileWrites: SharedLock; // as in flow/sweep.ts
}

export const THUMBNAIL_SIZE = 256; // pixels on the longer side

/** Throws `not_found`: there is no such item, or nothing is left of its picture. */
export async function thumbnail(parts: ThumbnailParts, id: string): Promise<Uint8Array> {
  const item = parts.store.itemById(id);
  if (!item)
    throw new LookalikeError('not_found', `there is no picture ${JSON.stringify(id)}`, { field: 'id' });
  const kept = await parts.cache.get(item.sha256);
  if (kept) return kept;
  const bytes = await pictureBytes(parts, item);
  if (bytes === null)
    throw new LookalikeError(
      'not_found',
      `the file of the picture ${JSON.stringify(id)} is not there any more`,
    );
  const webp = await parts.decoder.thumbnail(bytes, THUMBNAIL_SIZE);
  await parts.fileWrites.shared(async () => {
    // Deleted meanwhile, and perhaps swept: then nothing may be left of it.
    if (parts.store.itemById(id)?.sha256 === item.sha256)
      await parts.cache.put(item.sha256, webp).catch(unlessFull);
  });
  return webp;
}

/** On a full disk it is not kept, and made again the next time. */
function unlessFull(thrown: unknown): void {
  if (!isDiskFull(thrown)) throw thrown;
}
