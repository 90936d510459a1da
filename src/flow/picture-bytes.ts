import type { Item } from '../core/types.js';

/** Where the bytes of an item's picture come from. */
export interface PictureParts {
  read: (path: string) => Promise<Uint8Array>;
  sha256: (bytes: Uint8Array) => string;
}

/** The bytes of the item's picture: its source's while that is still the very same file, else null. */
export async function pictureBytes(
  parts: PictureParts,
  { sha256, source }: Pick<Item, 'sha256' | 'source'>,
): Promise<Uint8Array | null> {
  // Gone or not readable is like another file.
  const bytes = source === null ? null : await parts.read(source).catch(() => null);
  return bytes !== null && parts.sha256(bytes) === sha256 ? bytes : null;
}
