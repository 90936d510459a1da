/** The nearest of some known vectors for each query, once for every study: the votes differ, the neighbours do not. */
import { type Tensor2D, tf } from '../tensorflow.js';

const BATCH = 256; // queries at once

/** Query i has rows and scores from `i * width` on, nearest first. */
export interface Neighbours {
  width: number;
  rows: Int32Array; // among the known vectors
  scores: Float32Array; // cosines
}

export interface NeighbourOptions {
  dimension: number;
  k: number; // fewer when fewer are known
}

/** Unit rows: queries (n x dimension) against known (m x dimension). */
export function nearest(
  queries: Float32Array,
  known: Float32Array,
  { dimension, k }: NeighbourOptions,
): Neighbours {
  const count = queries.length / dimension;
  const width = Math.min(k, known.length / dimension);
  const found = { width, rows: new Int32Array(count * width), scores: new Float32Array(count * width) };
  const bank = tf.tensor2d(known, [known.length / dimension, dimension]);
  for (let from = 0; from < count; from += BATCH) {
    const batch = queries.subarray(from * dimension, Math.min(count, from + BATCH) * dimension);
    tf.tidy(() => {
      const { values, indices } = topOf(
        tf.tensor2d(batch, [batch.length / dimension, dimension]),
        bank,
        width,
      );
      found.scores.set(values.dataSync(), from * width);
      found.rows.set(indices.dataSync(), from * width);
    });
  }
  bank.dispose();
  return found;
}

const topOf = (queries: Tensor2D, bank: Tensor2D, k: number) =>
  tf.topk(tf.matMul(queries, bank, false, true), k, true);

/** The nearest among each other: no vector is its own neighbour, however many equal ones there are. */
export function nearestAmong(vectors: Float32Array, { dimension, k }: NeighbourOptions): Neighbours {
  const all = nearest(vectors, vectors, { dimension, k: k + 1 });
  const count = vectors.length / dimension;
  const width = Math.min(k, count - 1);
  const found = { width, rows: new Int32Array(count * width), scores: new Float32Array(count * width) };
  for (let i = 0; i < count; i++) {
    const places = Array.from({ length: all.width }, (_, j) => i * all.width + j);
    const others = places.filter((place) => all.rows[place] !== i).slice(0, width);
    others.forEach((place, j) => {
      found.rows[i * width + j] = all.rows[place]!;
      found.scores[i * width + j] = all.scores[place]!;
    });
  }
  return found;
}
