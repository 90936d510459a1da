import { allowedPositions, checkSearch } from '../core/check-search.js';
import type { LookalikeError } from '../core/errors.js';
import type { Index } from '../core/ports.js';
import type { Hits } from '../core/types.js';
import type { HnswData, HnswRequest } from './hnsw-index.worker.js';
import type { VectorSource } from './vector-source.js';
import { WorkerThread } from './worker-call.js';

/** The approximate index: a usearch graph in a worker thread, its finds scored again canonically. */
/** Its finds are scored by the float32 vectors, in memory (over a SharedArrayBuffer nothing is copied) or in their file. */
export type HnswIndexOptions = VectorSource & {
  graphPath: string; // made by `buildHnswGraph` from the same vectors
  rows: number;
  dimension: number;
  ef?: number; // breadth of a search that names none, 200 when absent
  onCrash?: (error: LookalikeError) => void;
};

/**
 * Rows of the index are positions 0..rows-1 of the vectors. Answers say `exact: false` (an empty index aside).
 * With `allowed` the search widens until k are found or a bound is reached and may come back with fewer:
 * for narrow filters ask an exact index.
 * Rejects with `generation_invalid` when the file is not the graph of these vectors.
 */
export async function createHnswIndex(options: HnswIndexOptions): Promise<Index> {
  const { graphPath, rows, dimension, ef = 200, onCrash } = options;
  const source = 'path' in options ? { path: options.path } : { vectors: options.vectors };
  const data: HnswData = { graphPath, source, rows, dimension };
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
