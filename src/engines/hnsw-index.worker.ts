import { createTopK } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { type Coarse, likelyError, nearest, openGraph } from './hnsw-graph.js';
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

interface Wanted {
  k: number;
  allowed: Uint8Array | undefined;
  error: number; // of a coarse score
}

/**
 * Of what was found, all that is likely to be among the best k by canonical score: reading vectors takes a quarter of a search.
 * The graph finds no more than is likely either.
 */
function candidates({ rows, scores }: Coarse, { k, allowed, error }: Wanted): Int32Array {
  const kept = new Int32Array(rows.length);
  let count = 0;
  let least = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows.length && scores[i]! >= least; i++) {
    if (allowed && !allowed[rows[i]!]) continue;
    kept[count++] = rows[i]!;
    if (count === k) least = scores[i]! - 2 * error;
  }
  return kept.subarray(0, count);
}

function maskOf(positions: Int32Array, rows: number): Uint8Array {
  const mask = new Uint8Array(rows);
  for (const position of positions) mask[position] = 1;
  return mask;
}
