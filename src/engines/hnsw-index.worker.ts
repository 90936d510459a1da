import { createTopK, type VectorTable } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { canonicalScore } from '../core/vector.js';
import { openGraph } from './hnsw-graph.js';
import { serveCalls } from './worker-call.js';

/** The thread of `hnsw-index.ts`: holds the graph, scores again canonically what it finds. */
export interface HnswData {
  graphPath: string;
  bank: VectorTable;
}

export interface HnswRequest {
  queries: Float32Array;
  n: number;
  k: number;
  ef: number;
  positions: Int32Array | undefined; // the only rows allowed
}

/** A filtered search widens to this many times its first fetch, then answers with what it has. */
const MAX_WIDENING = 32;

await serveCalls<HnswData, HnswRequest, Hits[]>(async ({ graphPath, bank }) => {
  const graph = openGraph(graphPath, bank);
  const { vectors, rows, dimension } = bank;

  const searchOne = (query: Float32Array, k: number, fetch: number, allowed: Uint8Array | undefined) => {
    // ef is not part of the file, and everything the search kept (ef rows) is worth scoring again.
    graph.setEf(fetch);
    const top = createTopK(k);
    for (const row of graph.searchKnn(Array.from(query), fetch).neighbors)
      if (!allowed || allowed[row])
        top.offer(row, canonicalScore(query, 0, vectors, row * dimension, dimension));
    return { ...top.take(), exact: rows === 0 };
  };

  return ({ queries, n, k, ef, positions }) => {
    const first = Math.min(rows, Math.max(ef, k));
    const widest = positions ? Math.min(rows, first * MAX_WIDENING) : first;
    const wanted = positions ? Math.min(k, positions.length) : k;
    const allowed = positions && maskOf(positions, rows);
    const value = Array.from({ length: n }, (_, i) => {
      const query = queries.subarray(i * dimension, (i + 1) * dimension);
      let fetch = first;
      let hits = searchOne(query, k, fetch, allowed);
      while (hits.rows.length < wanted && fetch < widest) {
        fetch = Math.min(widest, fetch * 2);
        hits = searchOne(query, k, fetch, allowed);
      }
      return hits;
    });
    return { value };
  };
});

function maskOf(positions: Int32Array, rows: number): Uint8Array {
  const mask = new Uint8Array(rows);
  for (const position of positions) mask[position] = 1;
  return mask;
}
