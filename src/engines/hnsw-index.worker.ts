import { createTopK } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { candidates, likelyError, nearest, openGraph } from './hnsw-graph.js';
import { openVectors, type VectorSource } from './vector-source.js';
import { serveCalls } from './worker-call.js';

/** The thread of `hnsw-index.ts`: holds the graph, scores again canonically what it finds. */
export interface HnswData {
  graphPath: string;
  source: VectorSource;
  rows: number;
  dimension: number;
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

await serveCalls<HnswData, HnswRequest, Hits[]>(async ({ graphPath, source, rows, dimension }) => {
  const graph = openGraph(graphPath, { rows, dimension });
  const vectors = openVectors(source, { rows, dimension });

  const searchOne = (query: Float32Array, k: number, fetch: number, allowed: Uint8Array | undefined) => {
    const top = createTopK(k);
    const kept = candidates(nearest(graph, query, fetch), { k, allowed, error: likelyError(query) });
    const scores = vectors.scores(query, kept);
    for (let i = 0; i < kept.length; i++) top.offer(kept[i]!, scores[i]!);
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
