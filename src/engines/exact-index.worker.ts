import { scanTopK, type VectorTable } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { type ExactSessionOptions, openExactSession } from './exact-session.js';
import { serveCalls } from './worker-call.js';

/** The thread of `exact-index.ts`: holds the session, scans plainly where only some rows are allowed. */
export interface ExactData {
  bank: VectorTable;
  options: ExactSessionOptions;
}

export interface ExactRequest {
  queries: Float32Array;
  n: number;
  k: number;
  positions: Int32Array | undefined; // the only rows allowed
}

await serveCalls<ExactData, ExactRequest, Hits[]>(async ({ bank, options }) => {
  const session = await openExactSession(bank, options);
  return async ({ queries, n, k, positions }) => {
    if (!positions) return { value: await session.search(queries, n, k) };
    const query = (i: number) => queries.subarray(i * bank.dimension, (i + 1) * bank.dimension);
    return { value: Array.from({ length: n }, (_, i) => scanTopK(bank, query(i), { k, positions })) };
  };
});
