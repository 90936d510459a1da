import type { Database, Decoder, Keep, PictureStore, ThumbnailCache } from '../core/ports.js';
import type { SharedLock } from '../core/shared-lock.js';
import { THUMBNAIL_SIZE } from './thumbnail.js';

/** An uploaded picture's file, before its item: what is kept of it is on disk when the item is committed. */
export interface KeepParts {
  keep: Keep;
  database: Pick<Database, 'addTrash'>;
  decoder: Decoder;
  pictures: PictureStore;
  cache: ThumbnailCache;
  fileWrites: SharedLock; // as in flow/sweep.ts
}

export interface Upload {
  sha256: string;
  bytes: Uint8Array;
}

/** Pixels of a copy's longer side. */
const COPY_SIZE = 1024;

/**
 * Writes what is to be kept of the pictures, then calls `commit` in the same turn, before a sweep can come between.
 * `commit` has to call `sweptTrash` with their hashes in the transaction of their items: without it, or when it throws,
 * the next sweep removes the files again.
 */
export async function keepThenCommit<T>(
  parts: KeepParts,
  uploads: readonly Upload[],
  commit: () => T,
): Promise<T> {
  const writers = await Promise.all(uploads.map((upload) => prepare(parts, upload)));
  return parts.fileWrites.shared(async () => {
    parts.database.addTrash(uploads.map(({ sha256 }) => sha256));
    for (const write of writers) await write();
    return commit();
  });
}

/** Encodes what is to be kept, so that the lock is not held meanwhile; resolves to what writes it. */
async function prepare({ keep, decoder, pictures, cache }: KeepParts, { sha256, bytes }: Upload) {
  if (keep === 'originals') return () => pictures.put('originals', sha256, bytes);
  if (keep === 'copies') {
    const copy = await decoder.thumbnail(bytes, COPY_SIZE);
    return () => pictures.put('copies', sha256, copy);
  }
  const thumbnail = await decoder.thumbnail(bytes, THUMBNAIL_SIZE); // there will be nothing to make it from
  return () => cache.put(sha256, thumbnail);
}
