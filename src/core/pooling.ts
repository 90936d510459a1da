import { LookalikeError } from './errors.js';
import type { Pooling } from './manifests.js';

/** What a graph gave for n pictures: `data` in row-major order of `dims`. */
export interface EncoderOutput {
  dims: readonly number[];
  data: Float32Array;
}

/**
 * The vectors in an encoder's output, n x d, not yet of unit length. Shapes:
 * `none`: [n, d], also with axes of 1 behind or between them, as [n, d, 1, 1];
 * `cls` and `mean`: [n, tokens, d].
 * Throws `model_invalid` for any other shape, and says what `pooling` would fit.
 */
export function poolRows(output: EncoderOutput, n: number, pooling: Pooling): Float32Array {
  const fault = faultOf(output.dims, n, pooling);
  if (fault) throw new LookalikeError('model_invalid', fault, { field: 'pooling' });
  if (pooling === 'none') return output.data;
  const [, tokens, d] = output.dims as [number, number, number];
  return pooling === 'cls'
    ? firstTokens(output.data, { n, tokens, d })
    : meanTokens(output.data, { n, tokens, d });
}

function faultOf(dims: readonly number[], n: number, pooling: Pooling): string | null {
  const [first, ...rest] = dims;
  const found = `the output for ${n} ${n === 1 ? 'picture' : 'pictures'} has the shape [${dims}]`;
  if (first !== n || rest.length === 0)
    return `${found}: one vector a picture, [${n}, d], or a vector a token, [${n}, tokens, d], is needed`;
  const long = rest.filter((size) => size !== 1).length;
  if (pooling === 'none') {
    if (long <= 1) return null;
    if (rest.length === 2)
      return `${found}, a vector a token: choose the pooling cls (the first token) or mean (of all tokens)`;
    return `${found}, which is no vector: let the graph end with a pooling over all but [${n}, d]`;
  }
  return rest.length === 2 ? null : `${found}: the pooling ${pooling} needs [${n}, tokens, d]`;
}

interface Sizes {
  n: number;
  tokens: number;
  d: number;
}

function firstTokens(data: Float32Array, { n, tokens, d }: Sizes): Float32Array {
  const rows = new Float32Array(n * d);
  for (let row = 0; row < n; row++) rows.set(data.subarray(row * tokens * d, row * tokens * d + d), row * d);
  return rows;
}

function meanTokens(data: Float32Array, { n, tokens, d }: Sizes): Float32Array {
  const rows = new Float32Array(n * d);
  const sums = new Float64Array(d);
  for (let row = 0; row < n; row++) {
    sums.fill(0);
    for (let token = 0; token < tokens; token++) {
      const at = (row * tokens + token) * d;
      for (let i = 0; i < d; i++) sums[i]! += data[at + i]!;
    }
    for (let i = 0; i < d; i++) rows[row * d + i] = sums[i]! / tokens;
  }
  return rows;
}
