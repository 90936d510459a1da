import type { Hits } from './types.js';
import { canonicalScore } from './vector.js';

/** The best k rows seen so far, in the contract's order: score descending, then row ascending. */
export interface TopK {
  offer(row: number, score: number): void;
  /** The rows offered, best first; fewer than k when fewer were offered. Ends the collecting. */
  take(): { rows: Int32Array; scores: Float32Array };
}

/**
 * A binary heap with the worst kept row at its root: an offer costs one comparison for nearly every row
 * and log k for the few that enter. Scores must be float32 values, or they would change when stored.
 */
export function createTopK(k: number): TopK {
  const rows = new Int32Array(k);
  const scores = new Float32Array(k);
  let size = 0;

  const worse = (a: number, b: number) =>
    scores[a]! < scores[b]! || (scores[a]! === scores[b]! && rows[a]! > rows[b]!);
  const swap = (a: number, b: number) => {
    [rows[a], rows[b]] = [rows[b]!, rows[a]!];
    [scores[a], scores[b]] = [scores[b]!, scores[a]!];
  };
  const put = (at: number, row: number, score: number) => {
    rows[at] = row;
    scores[at] = score;
  };
  const rise = (at: number) => {
    while (at > 0 && worse(at, (at - 1) >> 1)) {
      swap(at, (at - 1) >> 1);
      at = (at - 1) >> 1;
    }
  };
  const sink = (at: number) => {
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) return;
      if (child + 1 < size && worse(child + 1, child)) child++;
      if (!worse(child, at)) return;
      swap(child, at);
      at = child;
    }
  };

  return {
    offer(row, score) {
      if (size < k) {
        put(size, row, score);
        rise(size++);
      } else if (score > scores[0]! || (score === scores[0]! && row < rows[0]!)) {
        put(0, row, score);
        sink(0);
      }
    },
    take() {
      const found = size;
      while (size > 1) {
        swap(0, --size);
        sink(0);
      }
      return { rows: rows.slice(0, found), scores: scores.slice(0, found) };
    },
  };
}

/** Vectors of a bank, position by position. */
export interface VectorTable {
  vectors: Float32Array; // rows x dimension, unit length
  rows: number;
  dimension: number;
}

/**
 * The plain exact answer: the canonical score of `query` with each of `positions` (all when absent),
 * the best k of them.
 */
export function scanTopK(
  bank: VectorTable,
  query: Float32Array,
  { k, positions }: { k: number; positions?: Iterable<number> | undefined },
): Hits {
  const top = createTopK(Math.min(k, bank.rows));
  const { vectors, dimension } = bank;
  const offer = (position: number) =>
    top.offer(position, canonicalScore(query, 0, vectors, position * dimension, dimension));
  if (positions) for (const position of positions) offer(position);
  else for (let position = 0; position < bank.rows; position++) offer(position);
  return { ...top.take(), exact: true };
}
