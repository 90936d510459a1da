import type { RowSet } from '../core/row-set.js';
import type { Where } from '../core/where.js';

/**
 * What the last few filters on the metadata of a collection left: callers ask again with the same filter, and reading
 * half of a million rows out of SQLite takes a quarter of a second. Emptied by every write that could change an answer.
 */
export interface FilterCache {
  /** What `read` resolves to, asked once for equal filters. */
  get(where: Where, read: () => Promise<RowSet>): Promise<RowSet>;
  /** A write is about to change the rows. */
  clear(): void;
  /** How often it was emptied. */
  writes(): number;
}

const MOST = 8;

export function createFilterCache(): FilterCache {
  const kept = new Map<string, Promise<RowSet>>(); // the one that was not asked for the longest is first
  let writes = 0;
  return {
    get(where, read) {
      const key = JSON.stringify(where);
      const rows = kept.get(key) ?? read();
      kept.delete(key);
      kept.set(key, rows);
      if (kept.size > MOST) kept.delete(kept.keys().next().value!);
      rows.catch(() => kept.get(key) === rows && kept.delete(key)); // the next one who asks reads again
      return rows;
    },
    clear() {
      writes++;
      kept.clear();
    },
    writes: () => writes,
  };
}
