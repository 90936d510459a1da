import type { Database, PictureStore, ThumbnailCache } from '../core/ports.js';
import type { SharedLock } from '../core/shared-lock.js';

/**
 * Deletion reaches the files: what is kept and the thumbnails of pictures that no item of any collection is of are
 * removed. Nothing is lost or left over whenever the process ends: a hash is in the trash before its file is written
 * and until its item is committed (flow/keep-picture.ts), and again from the deletion of an item until its files are gone.
 */
export interface SweepParts {
  database: Pick<Database, 'trash' | 'inUse' | 'sweptTrash'>;
  pictures: PictureStore;
  cache: ThumbnailCache;
  /** Whoever writes a file for an item that is not committed yet shares it; a sweep takes it alone. */
  fileWrites: SharedLock;
}

/** Hashes in one turn of the lock: writers wait that long at most. */
const BATCH = 100;

/** Removes the files that nobody needs any more. Safe to call at any time, also twice at once. */
export async function sweep({ database, pictures, cache, fileWrites }: SweepParts): Promise<void> {
  const more = () =>
    fileWrites.alone(async () => {
      const hashes = database.trash(BATCH);
      const unused = hashes.filter((hash) => !database.inUse(hash));
      await Promise.all(unused.flatMap((hash) => [pictures.remove(hash), cache.remove(hash)]));
      database.sweptTrash(hashes);
      return hashes.length === BATCH;
    });
  while (await more());
}
