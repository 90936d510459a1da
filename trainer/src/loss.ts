/** The two objectives as pure functions of unit vectors. Everything is on the scale of cosine / temperature. */
import { crossEntropy } from './ops.js';
import { type Scalar, type Tensor1D, type Tensor2D, tf } from './tensorflow.js';

/**
 * Two views contrasted within the batch (NT-Xent, SimCLR). `views`: 2b x d, the second view of picture i at
 * row b + i. Each view has to pick its partner among all others; itself is masked out.
 * Positives and negatives are both fresh: fresh positives against stale bank entries teach the network to run
 * away from its own past instead of telling pictures apart.
 */
export function twoViewLoss(views: Tensor2D, temperature: number): Scalar {
  return tf.tidy(() => {
    const [rows] = views.shape;
    const partner = Array.from({ length: rows }, (_, i) => (i + rows / 2) % rows);
    const self = tf.mul(tf.eye(rows), -1e9) as Tensor2D; // exp(-1e9) is 0 in float32
    const scores = tf.div(tf.matMul(views, views, false, true), temperature);
    return tf.mean(crossEntropy(tf.add(scores, self), tf.tensor1d(partner, 'int32')));
  });
}

/**
 * The paper's full non-parametric softmax (its formula 2): -log exp(v_i.f/t) / sum_j exp(v_j.f/t) over the
 * whole bank. `vectors`: b x d, `bank`: n x d (a constant: no gradient), `pictures`: b rows of the bank.
 */
export function memoryBankLoss(
  vectors: Tensor2D,
  bank: Tensor2D,
  { pictures, temperature }: { pictures: Tensor1D; temperature: number },
): Scalar {
  return tf.tidy(() => {
    const scores = tf.div(tf.matMul(vectors, bank, false, true), temperature);
    return tf.mean(crossEntropy(scores as Tensor2D, pictures));
  });
}
