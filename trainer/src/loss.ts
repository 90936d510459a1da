/**
 * What is learned, as pure functions of unit vectors. Scores are cosine / temperature; every loss is a mean
 * over the views. Positives and negatives always come through the same channel: fresh positives against stale
 * negatives only would teach the network to run away from its own past instead of telling pictures apart.
 */
import { crossEntropy } from './ops.js';
import { type Scalar, type Tensor, type Tensor1D, type Tensor2D, tf } from './tensorflow.js';

/** What the softmax losses share. */
export interface Softmax {
  temperature: number;
  /** Without the positive in the sum below the line (Yeh et al. 2021, decoupled contrastive learning). */
  decoupled?: boolean;
}

/** The same values; no gradient passes. */
const constant = tf.customGrad((x) => ({
  value: tf.clone(x as Tensor),
  gradFunc: (dy: Tensor) => tf.zerosLike(dy),
})) as unknown as <T extends Tensor>(x: T) => T;

/** exp(-1e9) is 0 in float32: added to a score it takes the candidate out. */
const NEVER = -1e9;

/**
 * Cross-entropy L = log(e^s + R) - s with the positive's e^s left out of the sum: log R - s = L + log(1 - e^-L).
 * So it needs no second pass over the scores. `losses`: n.
 */
export function decouple(losses: Tensor1D): Tensor1D {
  return tf.tidy(() => {
    const bounded = tf.maximum(losses, 1e-6); // log(0) when the positive alone is left
    return tf.add(bounded, tf.log(tf.neg(tf.expm1(tf.neg(bounded)))));
  });
}

/** -log softmax(scores)[positive] by row, or its decoupled form. `scores`: n x m, `positives`: n int32. */
function pick(scores: Tensor2D, positives: Tensor1D, { decoupled }: Softmax): Tensor1D {
  const losses = crossEntropy(scores, positives);
  return decoupled ? decouple(losses) : losses;
}

/**
 * Two views contrasted within the batch (NT-Xent, SimCLR). `views`: 2b x d, the second view of picture i at
 * row b + i. Each view has to pick its partner among all others; itself is masked out.
 */
export function twoViewLoss(views: Tensor2D, softmax: Softmax): Scalar {
  return tf.tidy(() => {
    const [rows] = views.shape;
    const partner = Array.from({ length: rows }, (_, i) => (i + rows / 2) % rows);
    const self = tf.mul(tf.eye(rows), NEVER) as Tensor2D;
    const scores = tf.div(tf.matMul(views, views, false, true), softmax.temperature);
    return tf.mean(pick(tf.add(scores, self), tf.tensor1d(partner, 'int32'), softmax));
  });
}

/**
 * More, smaller views (multi-crop, Caron et al. 2020): each has to pick each of the two large views of its own
 * picture among those of all pictures, the other one masked out. `small`: (s x b) x d, `large`: 2b x d.
 */
export function smallViewLoss(small: Tensor2D, large: Tensor2D, softmax: Softmax): Scalar {
  return tf.tidy(() => {
    const [rows] = small.shape;
    const pictures = large.shape[0] / 2;
    const scores = tf.div(tf.matMul(small, large, false, true), softmax.temperature) as Tensor2D;
    const row = (view: number) => Array.from({ length: rows }, (_, i) => (i % pictures) + view * pictures);
    const against = (view: number) => {
      const other = tf.mul(tf.oneHot(tf.tensor1d(row(1 - view), 'int32'), 2 * pictures), NEVER);
      return tf.mean(pick(tf.add(scores, other), tf.tensor1d(row(view), 'int32'), softmax));
    };
    return tf.div(tf.add(against(0), against(1)), 2);
  });
}

/**
 * The paper's full non-parametric softmax (its formula 2): -log exp(v_i.f/t) / sum_j exp(v_j.f/t) over the
 * whole bank. `vectors`: b x d, `bank`: n x d (a constant: no gradient), `pictures`: b rows of the bank.
 */
export function memoryBankLoss(
  vectors: Tensor2D,
  { bank, pictures }: { bank: Tensor2D; pictures: Tensor1D },
  softmax: Softmax,
): Scalar {
  return tf.tidy(() => {
    // Divided first: b x d numbers instead of b x n.
    const scores = tf.matMul(tf.div(vectors, softmax.temperature), bank, false, true);
    return tf.mean(pick(scores as Tensor2D, pictures, softmax));
  });
}

/** A view among its own key and the keys of a queue (MoCo). `views`, `keys`: b x d, `queue`: m x d. */
export function queueLoss(
  views: Tensor2D,
  { keys, queue }: { keys: Tensor2D; queue: Tensor2D },
  softmax: Softmax,
): Scalar {
  return tf.tidy(() => {
    const own = tf.sum(tf.mul(views, keys), 1, true);
    const scores = tf.concat([own, tf.matMul(views, queue, false, true)], 1) as Tensor2D;
    const first = tf.zeros([views.shape[0]], 'int32') as Tensor1D;
    return tf.mean(pick(tf.div(scores, softmax.temperature), first, softmax));
  });
}

/** Softmax over learned class weights, without temperature. `logits`: b x classes, `classes`: b int32. */
export function parametricLoss(logits: Tensor2D, classes: Tensor1D): Scalar {
  return tf.mean(crossEntropy(logits, classes));
}

/** lambda's factor in the paper's proximal term: |f - v|^2 to the picture's last entry v, both b x d. */
export function proximalLoss(vectors: Tensor2D, entries: Tensor2D): Scalar {
  return tf.mean(tf.sum(tf.square(tf.sub(vectors, entries)), 1));
}

/** Scores of a step of noise-contrastive estimation, cosine / temperature. */
export interface NceScores {
  positive: Tensor1D; // b
  negatives: Tensor2D; // b x m
  /** b x m: 0 where a negative is the picture itself and does not count; absent: all count. */
  counted?: Tensor2D;
}

/**
 * The paper's formula 6 and 7: with h = P / (P + m / N), -log h(positive) - sum over negatives of log(1 - h).
 * As P = e^s / Z, log(h / (1 - h)) = s - log(m Z / N), so both terms are softplus of +-(s - log(m Z / N)):
 * nothing overflows. `Z`: scalar, without gradient; N: how many pictures the noise is drawn from.
 */
export function nceLoss(
  { positive, negatives, counted }: NceScores,
  { Z, noise }: { Z: Scalar; noise: number },
): Scalar {
  return tf.tidy(() => {
    const offset = tf.log(tf.mul(Z, negatives.shape[1] / noise));
    const taken = tf.softplus(tf.sub(offset, positive));
    const refused = tf.softplus(tf.sub(negatives, offset));
    return tf.mean(tf.add(taken, tf.sum(counted ? tf.mul(refused, counted) : refused, 1)));
  });
}

/**
 * Z of this batch by Monte Carlo (formula 8), without gradient: the mean over the views of N times the mean
 * negative, plus the positive itself when the noise leaves it out.
 */
export function estimateZ(
  { positive, negatives, counted }: NceScores,
  { noise, withPositive }: { noise: number; withPositive: boolean },
): Scalar {
  return tf.tidy(() => {
    const powers = tf.exp(constant(negatives));
    const weights = counted ?? tf.onesLike(powers);
    const mean = tf.div(tf.sum(tf.mul(powers, weights), 1), tf.maximum(tf.sum(weights, 1), 1));
    const sum = tf.mul(mean, noise);
    return tf.mean(withPositive ? tf.add(sum, tf.exp(constant(positive))) : sum) as Scalar;
  });
}
