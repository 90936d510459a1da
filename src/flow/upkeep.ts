import { isDiskFull } from '../core/errors.js';
import type { Collection } from './collection.js';
import type { Collections } from './collections.js';
import type { Jobs, Started } from './jobs.js';

/** When an index is to be made anew by itself: fresh rows are scanned one by one and removed ones are searched past. */

export const FRESH_ROWS = 1000;
const SHARE = 0.1;

export function needsRebuild({ generation, freshRows, removedRows }: Collection): boolean {
  const rows = generation?.rows.length ?? 0;
  if (!generation) return freshRows > 0;
  return freshRows > Math.max(FRESH_ROWS, rows * SHARE) || removedRows > Math.max(FRESH_ROWS, rows * SHARE);
}

/** Queues a rebuild when one is needed and none waits or runs. Cheap enough to be called after every write. */
export function rebuildIfNeeded(
  { collections, jobs }: { collections: Collections; jobs: Jobs },
  name: string,
): Started | null {
  if (!needsRebuild(collections.get(name).active.collection)) return null;
  if (jobs.unfinished({ kind: 'reindex', collection: name })) return null;
  try {
    return jobs.start({ kind: 'reindex', collection: name, parameters: {} });
  } catch (error) {
    if (isDiskFull(error)) return null; // what was written stays searchable, and the next write asks again
    throw error;
  }
}
