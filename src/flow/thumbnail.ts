import { LookalikeError } from '../core/errors.js';
import type { Decoder, Store, ThumbnailCache } from '../core/ports.js';

/** An item's picture, small and re-encoded by us: made at the first request, then kept under its hash. */
export interface ThumbnailParts {
  store: Store;
  decoder: Decoder;
  cache: ThumbnailCache;
  read: (path: string) => Promise<Uint8Array>;
}

const SIZE = 256; // pixels on the longer side

export async function thumbnail(parts: ThumbnailParts, id: string): Promise<Uint8Array> {
  const item = parts.store.itemById(id);
  if (!item)
    throw new LookalikeError('not_found', `there is no picture ${JSON.stringify(id)}`, { field: 'id' });
  const kept = await parts.cache.get(item.sha256);
  if (kept) return kept;
  const webp = await parts.decoder.thumbnail(await original(parts, id, item.source), SIZE);
  await parts.cache.put(item.sha256, webp);
  return webp;
}

async function original(parts: ThumbnailParts, id: string, source: string | null): Promise<Uint8Array> {
  if (source !== null) {
    try {
      return await parts.read(source);
    } catch {
      // gone or not readable: said below
    }
  }
  throw new LookalikeError(
    'not_found',
    `the file of the picture ${JSON.stringify(id)} is not there any more`,
  );
}
