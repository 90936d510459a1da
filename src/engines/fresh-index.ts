import { checkSearch, closedError } from '../core/check-search.js';
import { LookalikeError } from '../core/errors.js';
import { EMPTY, type FreshChunk, MOST_SLOTS, newChunk, scanFresh } from '../core/fresh-scan.js';
import type { MutableIndex } from '../core/ports.js';
import type { Hits } from '../core/types.js';
import { checkUnitRows } from '../core/vector.js';
import type { FreshRequest } from './fresh-index.worker.js';
import { WorkerThread } from './worker-call.js';

/** Rows times queries that the calling thread scans itself: about a quarter of a millisecond. */
const HERE = 2000;

export interface FreshIndexOptions {
  here?: number; // instead of `HERE`
  onCrash?: (error: LookalikeError) => void;
}

/**
 * The exact index of rows that come and go one by one, in plain loops: the fresh segment. Few rows are scanned at once;
 * many in a thread of their own, started when it is first needed, so that requests are not held up.
 */
export function createFreshIndex(dimension: number, options: FreshIndexOptions = {}): MutableIndex {
  const { here = HERE, onCrash } = options;
  const chunks: FreshChunk[] = [];
  const placeOf = new Map<number, number>(); // chunk and slot as one number
  const free: number[] = [];
  let thread: Promise<WorkerThread<FreshRequest, Hits[]>> | undefined;
  let closed = false;

  const grow = () => {
    const chunk = newChunk(chunks.length, dimension);
    chunks.push(chunk);
    const first = (chunks.length - 1) * MOST_SLOTS;
    for (let slot = chunk.rows.length - 1; slot >= 0; slot--) free.push(first + slot);
  };
  const at = (place: number) => ({
    chunk: chunks[Math.floor(place / MOST_SLOTS)]!,
    slot: place % MOST_SLOTS,
  });

  const startThread = () => {
    thread ??= WorkerThread.start<FreshRequest, Hits[]>('fresh-index.worker', {
      data: undefined,
      what: 'fresh segment',
      onCrash,
    });
    // Tried again with the next search.
    thread.catch(() => {
      thread = undefined;
    });
    return thread;
  };

  return {
    kind: 'exact',
    provider: 'js',
    get size() {
      return placeOf.size;
    },
    add(rows, vectors) {
      if (closed) throw closedError('index');
      checkNewRows(rows, placeOf);
      checkUnitRows(vectors, rows.length, dimension);
      rows.forEach((row, i) => {
        if (free.length === 0) grow();
        const place = free.pop()!;
        const { chunk, slot } = at(place);
        chunk.vectors.set(vectors.subarray(i * dimension, (i + 1) * dimension), slot * dimension);
        Atomics.store(chunk.rows, slot, row); // last: from here on it is found
        placeOf.set(row, place);
      });
    },
    remove(rows) {
      if (closed) throw closedError('index');
      for (const row of rows) {
        const place = placeOf.get(row);
        if (place === undefined) continue;
        const { chunk, slot } = at(place);
        Atomics.store(chunk.rows, slot, EMPTY);
        placeOf.delete(row);
        free.push(place);
      }
    },
    async search(queries, n, { k, allowed, signal, ef }) {
      if (closed) throw closedError('index');
      checkSearch(
        { queries, n, dimension },
        { k, ...(signal && { signal }), ...(ef !== undefined && { ef }) },
      );
      if (n === 0) return [];
      const question = {
        queries: queries.slice(),
        n,
        k: Math.max(1, Math.min(k, placeOf.size)),
        allowed: allowed && maskOf(allowed, placeOf),
      };
      if (placeOf.size * n <= here) return scanFresh(chunks, question);
      const worker = await startThread();
      const found = await worker.call(
        { ...question, chunks },
        { signal, transfer: [question.queries.buffer] },
      );
      // What was removed while the thread scanned is not there any more.
      return found.map((hits) =>
        hits.rows.every((row) => placeOf.has(row)) ? hits : without(hits, placeOf),
      );
    },
    async close() {
      closed = true;
      await (await thread?.catch(() => undefined))?.close();
    },
  };
}

/** By row, 1 for those that are allowed and there; what is looked through is the smaller of the two. */
function maskOf(allowed: ReadonlySet<number>, there: ReadonlyMap<number, unknown>): Uint8Array {
  const both: number[] = [];
  if (allowed.size < there.size) for (const row of allowed) there.has(row) && both.push(row);
  else for (const row of there.keys()) allowed.has(row) && both.push(row);
  const mask = new Uint8Array(both.reduce((most, row) => Math.max(most, row), -1) + 1);
  for (const row of both) mask[row] = 1;
  return mask;
}

function without({ rows, scores, exact }: Hits, there: ReadonlyMap<number, unknown>): Hits {
  const kept = Array.from(rows.keys()).filter((i) => there.has(rows[i]!));
  return {
    rows: Int32Array.from(kept, (i) => rows[i]!),
    scores: Float32Array.from(kept, (i) => scores[i]!),
    exact,
  };
}

/** Checked before anything is stored, so that a refused call leaves the index as it was. */
function checkNewRows(newRows: Int32Array, there: ReadonlyMap<number, unknown>): void {
  const seen = new Set<number>();
  for (const row of newRows) {
    if (row < 0) throw new LookalikeError('invalid_parameter', `row ${row} is negative`, { field: 'rows' });
    if (there.has(row) || seen.has(row))
      throw new LookalikeError('invalid_parameter', `row ${row} is already in the index`, { field: 'rows' });
    seen.add(row);
  }
}
