/** The memory bank: one unit vector a picture, remembered from the last time the picture was in a batch. */
import { replaceRows } from './ops.js';
import { drawFor, normals } from './random.js';
import { type Tensor1D, type Tensor2D, tf, type Variable } from './tensorflow.js';

/** n x dimension, random directions of exactly unit length; never a target of gradients. */
export function createMemoryBank(n: number, dimension: number, seed: number): Variable {
  return tf.tidy(() => {
    const random = tf.tensor2d(normals(drawFor(seed, -2), n * dimension), [n, dimension]);
    return tf.variable(unitRows(random), false);
  });
}

/**
 * Replaces the batch's own rows, and no others: v = normalise(momentum * v + (1 - momentum) * f).
 * `pictures`: b rows (int32, each once), `vectors`: b x dimension.
 */
export function remember(
  bank: Variable,
  { pictures, vectors, momentum }: { pictures: Tensor1D; vectors: Tensor2D; momentum: number },
): void {
  tf.tidy(() => {
    const old = tf.gather(bank, pictures) as Tensor2D;
    const mixed = tf.add(tf.mul(old, momentum), tf.mul(vectors, 1 - momentum)) as Tensor2D;
    bank.assign(replaceRows(bank as unknown as Tensor2D, pictures, unitRows(mixed)));
  });
}

function unitRows(x: Tensor2D): Tensor2D {
  return tf.div(x, tf.norm(x, 2, 1, true));
}
