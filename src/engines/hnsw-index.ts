import { allowedPositions, checkSearch } from '../core/check-search.js';
import type { LookalikeError } from '../core/errors.js';
import type { Index } from '../core/ports.js';
import type { Hits } from '../core/types.js';
import type { HnswData, HnswRequest } from './hnsw-index.worker.js';
import { WorkerThread } from './worker-call.js';

/** The approximate index: an hnswlib graph in a worker thread, its finds scored again canonically. */
export interface HnswIndexOptions {
  graphPath: string; // made by `buildHnswGraph` from the same vectors
  vectors: Float32Array; // rows x dimension unit vectors; over a SharedArrayBuffer nothing is copied
  rows: number;
  dimension: number;
  ef?: number; // breadth of a search that names none, 200 when absent
  onCrash?: (error: LookalikeError) => void;
}

/**
 * Rows of the index are positions 0..rows-1 in `vectors`. Answers say `exact: false` (an empty index aside).
 * With `allowed` the search widens until k are found or a bound is reached and may come back with fewer:
 * for narrow filters ask an exact index. A filter is never handed to hnswlib, where a callback that throws
 * ends the process.
 * Rejects with `generation_invalid` when the file is not the graph of these vectors.
 */
export async function createHnswIndex(options: HnswIndexOptions): Promise<Index> {
  const { graphPath, vectors, rows, dimension, ef = 200, onCrash } = options;
  const data: HnswData = { graphPath, bank: { vectors, rows, dimension } };
  const thread = await WorkerThread.start<HnswRequest, Hits[]>('hnsw-index.worker', {
    data,
    what: 'graph index',
    onCrash,
  });
  return {
    kind: 'hnsw',
    provider: 'cpu',
    size: rows,
    async search(queries, n, options) {
      checkSearch({ queries, n, dimension }, options);
      const own = queries.slice(); // moves to the worker; the caller keeps his
      const positions = allowedPositions(options.allowed, rows);
      const request = { queries: own, n, k: Math.min(options.k, rows), ef: options.ef ?? ef, positions };
      return thread.call(request, { signal: options.signal, transfer: [own.buffer] });
    },
    close: () => thread.close(),
  };
}
