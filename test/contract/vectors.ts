import { seeded as random } from '../../src/core/random.js';
import { normaliseRows } from '../../src/core/vector.js';

export { random };

/** Vectors for the tests, made from a seed: the same on every machine. */
export interface Vectors {
  vectors: Float32Array; // rows x dimension, unit length
  rows: number;
  dimension: number;
}

export function gaussian(seed: number): () => number {
  const next = random(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export function unitVectors({ rows, dimension, seed }: Omit<Vectors, 'vectors'> & { seed: number }): Vectors {
  const next = gaussian(seed);
  const vectors = Float32Array.from({ length: rows * dimension }, next);
  return { vectors: normaliseRows(vectors, rows, dimension), rows, dimension };
}

/** Rows scattered around `clusters` centres, as real embeddings lie. */
export function clusteredVectors({
  rows,
  dimension,
  clusters,
  seed,
}: Omit<Vectors, 'vectors'> & { clusters: number; seed: number }): Vectors {
  const centres = unitVectors({ rows: clusters, dimension, seed }).vectors;
  const next = gaussian(seed + 1);
  const spread = 0.6 / Math.sqrt(dimension);
  const vectors = Float32Array.from({ length: rows * dimension }, (_, i) => {
    const cluster = Math.floor(i / dimension) % clusters;
    return centres[cluster * dimension + (i % dimension)]! + spread * next();
  });
  return { vectors: normaliseRows(vectors, rows, dimension), rows, dimension };
}

/** The same vectors over shared memory, as a loaded generation has them. */
export function shared(bank: Vectors): Vectors {
  const vectors = new Float32Array(new SharedArrayBuffer(bank.vectors.byteLength));
  vectors.set(bank.vectors);
  return { ...bank, vectors };
}
