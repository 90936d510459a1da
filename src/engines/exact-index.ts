import { allowedPositions, checkSearch, closedError } from '../core/check-search.js';
import type { LookalikeError } from '../core/errors.js';
import type { Index } from '../core/ports.js';
import type { Provider } from '../core/provider.js';
import type { VectorTable } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import type { ExactData, ExactRequest } from './exact-index.worker.js';
import { WorkerThread } from './worker-call.js';

/** The exact index over a whole bank: onnxruntime in a worker thread, on the CPU or a GPU. */
export interface ExactIndexOptions {
  vectors: Float32Array; // rows x dimension unit vectors; over a SharedArrayBuffer nothing is copied
  rows: number;
  dimension: number;
  provider: Provider;
  intraOpThreads?: number; // of the CPU provider, 1 when absent
  onCrash?: (error: LookalikeError) => void;
}

/**
 * Rows of the index are positions 0..rows-1 in `vectors`. Every answer is proven (`exact: true`).
 * The vectors must have been checked (`checkUnitRows`): the proof holds for unit vectors.
 * Rejects with `provider_unavailable` when the provider does not start or the bank is too large for it.
 */
export async function createExactIndex(options: ExactIndexOptions): Promise<Index> {
  const { rows, dimension, provider, intraOpThreads = 1, onCrash } = options;
  const bank: VectorTable = { vectors: options.vectors, rows, dimension };
  if (rows === 0) return emptyIndex(dimension, provider);
  const data: ExactData = { bank, options: { provider, intraOpThreads } };
  const thread = await WorkerThread.start<ExactRequest, Hits[]>('exact-index.worker', {
    data,
    what: 'exact index',
    onCrash,
  });
  return {
    kind: 'exact',
    provider,
    size: rows,
    async search(queries, n, options) {
      checkSearch({ queries, n, dimension }, options);
      const positions = allowedPositions(options.allowed, rows);
      const own = queries.slice(); // moves to the worker; the caller keeps his
      const request = { queries: own, n, k: Math.min(options.k, rows), positions };
      return thread.call(request, { signal: options.signal, transfer: [own.buffer] });
    },
    close: () => thread.close(),
  };
}

function emptyIndex(dimension: number, provider: Provider): Index {
  let closed = false;
  return {
    kind: 'exact',
    provider,
    size: 0,
    async search(queries, n, options) {
      if (closed) throw closedError('exact index');
      checkSearch({ queries, n, dimension }, options);
      const none = { rows: new Int32Array(0), scores: new Float32Array(0), exact: true };
      return Array.from({ length: n }, () => none);
    },
    async close() {
      closed = true;
    },
  };
}
