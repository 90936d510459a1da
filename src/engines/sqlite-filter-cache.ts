import type { RowSet } from '../core/row-set.js';
import type { Where } from '../core/where.js';

/**
 * What the last few filters on the metadata of a collection left: callers ask again with the same filter, and reading
 * half of a million rows out of SQLite takes a tenth of a second. Emptied by every write that could change an answer.
 */
export interface FilterCache {
  get(where: Where, read: () => RowSet): RowSet;
  clear(): void;
}

const MOST = 8;

export function createFilterCache(): FilterCache {
  const kept = new Map<string, RowSet>(); // the one that was not asked for the longest is first
  return {
    get(where, read) {
      const key = JSON.stringify(where);
      const rows = kept.get(key) ?? read();
      kept.delete(key);
      kept.set(key, rows);
      if (kept.size > MOST) kept.delete(kept.keys().next().value!);
      return rows;
    },
    clear: () => kept.clear(),
  };
}
