import { checkSearch, closedError } from './check-search.js';
import { LookalikeError } from './errors.js';
import type { MutableIndex, SearchOptions } from './ports.js';
import { createTopK } from './top-k.js';
import type { Hits } from './types.js';
import { canonicalScore, checkUnitRows } from './vector.js';

/**
 * The exact index in plain JavaScript. It is the fresh segment (rows newer than the generation) and the
 * referee that the tests hold every other index against, so it is written to be read, not to be fast:
 * a search runs on the calling thread and reads every row. Large banks belong in `engines/exact-index.ts`.
 */
export function createFlatIndex(dimension: number): MutableIndex {
  // Slot i of the table holds row `rows[i]`; the order of the slots means nothing.
  let rows = new Int32Array(0);
  let vectors = new Float32Array(0);
  const slots = new Map<number, number>();
  let closed = false;

  const grow = (size: number) => {
    if (size <= rows.length) return;
    const room = Math.max(size, rows.length * 2, 64);
    const [oldRows, oldVectors] = [rows, vectors];
    rows = new Int32Array(room);
    rows.set(oldRows);
    vectors = new Float32Array(room * dimension);
    vectors.set(oldVectors);
  };

  const removeRow = (row: number) => {
    const slot = slots.get(row);
    if (slot === undefined) return;
    const last = slots.size - 1;
    slots.delete(row);
    if (slot === last) return;
    // The last slot moves into the hole.
    rows[slot] = rows[last]!;
    vectors.copyWithin(slot * dimension, last * dimension, (last + 1) * dimension);
    slots.set(rows[slot]!, slot);
  };

  const searchOne = (query: Float32Array, { k, allowed }: SearchOptions): Hits => {
    const top = createTopK(Math.min(k, slots.size));
    const offer = (row: number, slot: number) =>
      top.offer(row, canonicalScore(query, 0, vectors, slot * dimension, dimension));
    if (!allowed) for (const [row, slot] of slots) offer(row, slot);
    else if (allowed.size > slots.size) {
      for (const [row, slot] of slots) if (allowed.has(row)) offer(row, slot);
    } else
      for (const row of allowed) {
        const slot = slots.get(row);
        if (slot !== undefined) offer(row, slot);
      }
    return { ...top.take(), exact: true };
  };

  return {
    kind: 'exact',
    provider: 'js',
    get size() {
      return slots.size;
    },
    add(newRows, newVectors) {
      if (closed) throw closedError('index');
      checkNewRows(newRows, slots);
      checkUnitRows(newVectors, newRows.length, dimension);
      const first = slots.size;
      grow(first + newRows.length);
      rows.set(newRows, first);
      vectors.set(newVectors, first * dimension);
      newRows.forEach((row, i) => {
        slots.set(row, first + i);
      });
    },
    remove(oldRows) {
      if (closed) throw closedError('index');
      oldRows.forEach(removeRow);
    },
    async search(queries, n, options) {
      if (closed) throw closedError('index');
      checkSearch({ queries, n, dimension }, options);
      return Array.from({ length: n }, (_, i) =>
        searchOne(queries.subarray(i * dimension, (i + 1) * dimension), options),
      );
    },
    async close() {
      closed = true;
    },
  };
}

/** Checked before anything is stored, so that a refused call leaves the index as it was. */
function checkNewRows(newRows: Int32Array, slots: ReadonlyMap<number, number>): void {
  const seen = new Set<number>();
  for (const row of newRows) {
    if (row < 0) throw new LookalikeError('invalid_parameter', `row ${row} is negative`, { field: 'rows' });
    if (slots.has(row) || seen.has(row))
      throw new LookalikeError('invalid_parameter', `row ${row} is already in the index`, { field: 'rows' });
    seen.add(row);
  }
}
