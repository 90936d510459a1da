import type { PictureStore } from '../core/ports.js';
import type { Item } from '../core/types.js';

/** Where the bytes of an item's picture come from: a folder's pictures stay there, uploads are kept by the service. */
export interface PictureParts {
  pictures: PictureStore;
  read: (path: string) => Promise<Uint8Array>;
  sha256: (bytes: Uint8Array) => string;
}

/**
 * The bytes of the item's picture: its source's while that is still the very same file, else what is kept, which may be
 * a smaller copy; null when there is neither.
 */
export async function pictureBytes(
  parts: PictureParts,
  { sha256, source }: Pick<Item, 'sha256' | 'source'>,
): Promise<Uint8Array | null> {
  // Gone or not readable is like another file: then what is kept is asked for.
  const bytes = source === null ? null : await parts.read(source).catch(() => null);
  return bytes !== null && parts.sha256(bytes) === sha256 ? bytes : parts.pictures.get(sha256);
}
