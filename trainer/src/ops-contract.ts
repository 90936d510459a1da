/** What both kinds of operations fulfil: `ops-native.ts` and `ops-stock.ts`. */
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from './tensorflow.js';

/** Added to the variance by batch normalisation, here and in the exported weights. */
export const NORM_EPSILON = 1e-5;

export interface Ops {
  /**
   * Batch normalisation with the batch's own statistics. `x`: n x h x w x c; `gamma`, `beta`: c.
   * `seen` gets the batch's mean and (unbiased) variance by channel, which are its own only during the call.
   */
  batchNorm(
    x: Tensor4D,
    parameters: { gamma: Tensor1D; beta: Tensor1D },
    seen: (mean: Tensor1D, variance: Tensor1D) => void,
  ): Tensor4D;
  /** Batch normalisation with given gamma, beta, mean and variance, for evaluation; no gradient. */
  frozenNorm(x: Tensor4D, parameters: readonly Tensor1D[]): Tensor4D;
  /** max(x, 0). */
  relu<T extends Tensor>(x: T): T;
  /** -log softmax(logits)[label] by row. `logits`: n x m, `labels`: n int32; the result: n. */
  crossEntropy(logits: Tensor2D, labels: Tensor1D): Tensor1D;
  /** `target` with the rows `rows` (int32, each once) replaced by `values`; no gradient. */
  replaceRows(target: Tensor2D, rows: Tensor1D, values: Tensor2D): Tensor2D;
}
