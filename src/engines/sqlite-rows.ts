import { setImmediate } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { RowSet } from '../core/row-set.js';
import type { Where } from '../core/where.js';
import { type PartCursor, partsOf } from './sqlite-where.js';

/** The rows that a filter on metadata leaves, read in parts: other requests run between two of them. */

/** Entries of an index a part: about a millisecond. */
const PART = 2000;
/** Readings that a write may spoil; the next one is made in one go. */
const MOST_SPOILED = 2;

export interface RowsOptions {
  collection: number;
  /** Counts the writes to the collection. A reading during which it moves is made again: a row that fits before and after
   * a write could have been passed by. */
  writes: () => number;
  part?: number;
}

/** All rows of the collection that fit at one moment between the call and the answer. */
export async function rowsWhere(
  db: Database.Database,
  where: Where,
  { collection, writes, part = PART }: RowsOptions,
): Promise<RowSet> {
  for (let attempt = 0; ; attempt++) {
    const before = writes();
    const mask = growingMask();
    for (const rows of read(db, where, { collection, part })) {
      mask.add(rows);
      if (attempt < MOST_SPOILED) await setImmediate();
    }
    if (writes() === before) return new RowSet(mask.bytes());
  }
}

type Entry = [row: number, value: PartCursor['value'], fits: 0 | 1];

function* read(
  db: Database.Database,
  where: Where,
  { collection, part }: { collection: number; part: number },
): Generator<number[]> {
  for (const sqlAfter of partsOf(db, where, { collection, limit: part })) {
    let after: PartCursor | null = null;
    for (let more = true; more; ) {
      const { sql, parameters } = sqlAfter(after);
      const entries = db
        .prepare<unknown[], Entry>(sql)
        .raw()
        .all(...parameters) as Entry[];
      yield entries.flatMap(([row, , fits]) => (fits ? [row] : []));
      const last = entries.at(-1);
      more = entries.length === part;
      if (last) after = { row: last[0], value: last[1] };
    }
  }
}

/** Bytes by row, as many as the rows that came need. */
function growingMask() {
  let bytes = new Uint8Array(1024);
  return {
    add(rows: readonly number[]) {
      for (const row of rows) {
        if (row >= bytes.length) {
          const larger = new Uint8Array(Math.max(2 * bytes.length, row + 1));
          larger.set(bytes);
          bytes = larger;
        }
        bytes[row] = 1;
      }
    },
    bytes: () => bytes,
  };
}
