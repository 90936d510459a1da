import { allowedPositions, checkSearch, closedError } from '../core/check-search.js';
import type { LookalikeError } from '../core/errors.js';
import type { Index } from '../core/ports.js';
import type { Provider } from '../core/provider.js';
import type { Hits } from '../core/types.js';
import type { ExactData, ExactRequest } from './exact-index.worker.js';
import { kernelWorks } from './exact-kernel-probe.js';
import { allocatePlanes, type PlaneMemory } from './exact-memory.js';
import { sourceOf, type VectorSource } from './vector-source.js';
import { WorkerThread } from './worker-call.js';

/**
 * The exact index over a whole bank, in worker threads: on the CPU a certified scan of 8-bit planes, on a GPU (and
 * where the CPU's vectors cannot be used) an ONNX graph over the float32 vectors.
 */
export type ExactIndexOptions = VectorSource & {
  rows: number; // unit vectors
  dimension: number;
  provider: Provider;
  /** The planes of these vectors; made from them when absent. */
  planes?: PlaneMemory | undefined;
  threads?: number; // of the CPU, 1 when absent; `planes` has its own number
  onCrash?: (error: LookalikeError) => void;
};

/**
 * Rows of the index are positions 0..rows-1 of the vectors. Every answer is proven (`exact: true`).
 * The vectors must have been checked (`checkUnitRows`): the proof holds for unit vectors.
 * Rejects with `provider_unavailable` when the provider does not start or the bank is too large for it.
 */
export async function createExactIndex(options: ExactIndexOptions): Promise<Index> {
  const { rows, dimension, provider, threads = 1, onCrash } = options;
  if (rows === 0) return emptyIndex(dimension, provider);
  const thread = await WorkerThread.start<ExactRequest, Hits[]>('exact-index.worker', {
    data: dataOf(options),
    what: 'exact index',
    onCrash,
  });
  return {
    kind: 'exact',
    provider,
    size: rows,
    threads: provider === 'cpu' ? threads : 1,
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

function dataOf(options: ExactIndexOptions): ExactData {
  const { rows, dimension, provider, threads = 1, planes } = options;
  const source = sourceOf(options);
  if (provider !== 'cpu' || !kernelWorks(dimension))
    return { kind: 'float32', source, rows, dimension, options: { provider, intraOpThreads: threads } };
  if (planes) return { kind: 'int8', planes, filled: true, source };
  return { kind: 'int8', planes: allocatePlanes(rows, dimension, threads), filled: false, source };
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
