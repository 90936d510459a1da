import { LookalikeError } from './errors.js';

/** Measured: docs/decisions/0018-conventions.md. */
export const DEFAULT_BETA = 0.15;

/**
 * One direction from examples: the mean of the positive ones minus `beta` times the mean of the negative ones, of
 * unit length (Rocchio, "Relevance feedback in information retrieval", 1971; his alpha is 0: there is no query before).
 * All are unit vectors of one dimension; at least one is positive.
 * Throws `invalid_parameter` when they cancel each other out.
 */
export function rocchio(
  positive: readonly Float32Array[],
  negative: readonly Float32Array[],
  beta: number,
): Float32Array {
  const { length } = positive[0]!;
  const sum = new Float64Array(length);
  const add = (vectors: readonly Float32Array[], weight: number) => {
    for (const vector of vectors)
      for (let i = 0; i < length; i++) sum[i]! += (weight * vector[i]!) / vectors.length;
  };
  add(positive, 1);
  add(negative, -beta);
  const norm = Math.hypot(...sum);
  if (norm < LEAST_LENGTH)
    throw new LookalikeError(
      'invalid_parameter',
      `the examples cancel each other out: the positive ones less ${beta} times the negative ones have the length ${norm.toPrecision(2)}, no direction to search in`,
      { field: 'examples' },
    );
  return Float32Array.from(sum, (value) => value / norm);
}

/** What remains of unit vectors below this is rounding. */
const LEAST_LENGTH = 1e-6;
