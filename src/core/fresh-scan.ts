import { createTopK } from './top-k.js';
import type { Hits } from './types.js';
import { canonicalScore } from './vector.js';

/**
 * The rows of a fresh segment in memory that threads share. One thread adds and removes while another scans: a row's number
 * is written after its vector, and looked at before and after its vector is read.
 */
export interface FreshChunk {
  rows: Int32Array; // the row in each slot, EMPTY where there is none
  vectors: Float32Array; // rows.length x dimension
}

export const EMPTY = -1;

/** The first chunk has as many slots; each next one twice as many, up to `MOST_SLOTS`. */
const SMALLEST = 64;
export const MOST_SLOTS = 16_384;

/** Over shared memory. `index`: the how manieth chunk it is. */
export function newChunk(index: number, dimension: number): FreshChunk {
  const slots = Math.min(MOST_SLOTS, SMALLEST * 2 ** index);
  return {
    rows: new Int32Array(new SharedArrayBuffer(slots * 4)).fill(EMPTY),
    vectors: new Float32Array(new SharedArrayBuffer(slots * dimension * 4)),
  };
}

export interface FreshQuestion {
  queries: Float32Array; // n x dimension
  n: number;
  k: number;
  /** Only rows whose number is not 0 here, by row; all when absent. */
  allowed?: Uint8Array | undefined;
}

/** The best k rows of each query, exactly. */
export function scanFresh(chunks: readonly FreshChunk[], { queries, n, k, allowed }: FreshQuestion): Hits[] {
  const dimension = queries.length / n;
  const tops = Array.from({ length: n }, () => createTopK(k));
  for (const { rows, vectors } of chunks)
    for (let slot = 0; slot < rows.length; slot++) {
      const row = Atomics.load(rows, slot);
      if (row === EMPTY || (allowed && allowed[row] !== 1)) continue;
      const scores = tops.map((_, i) =>
        canonicalScore(queries, i * dimension, vectors, slot * dimension, dimension),
      );
      if (Atomics.load(rows, slot) !== row) continue; // it went, and another took its place
      for (let i = 0; i < n; i++) tops[i]!.offer(row, scores[i]!);
    }
  return tops.map((top) => ({ ...top.take(), exact: true }));
}
