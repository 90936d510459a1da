/**
 * The paper's approximation of the full softmax: noise-contrastive estimation with m negatives of the bank.
 *
 * By default the negatives exclude the picture itself: the noise is uniform over the n - 1 others, and Z gets
 * the positive's own share. The paper's text draws from all n (`noise: all`).
 */
import type { Settings } from '../config.js';
import { estimateZ, type NceScores, nceLoss } from '../loss.js';
import { createMemoryBank } from '../memory-bank.js';
import { embed } from '../network.js';
import type { Draw } from '../random.js';
import { type Scalar, type Tensor1D, type Tensor2D, tf, type Variable } from '../tensorflow.js';
import { rowsOfViews, updateBank, withProximal } from './memory-bank.js';
import { NOTHING, type Objective, type ObjectiveSetup } from './objective.js';

/** Share of a batch's estimate in the moving average of Z, after the first hundred batches. */
const Z_SHARE = 0.01;

export function nce(settings: Settings, { network, pictures: n }: ObjectiveSetup): Objective {
  const { views, negatives: m, shared_negatives: shared, noise: from } = settings;
  const bank = createMemoryBank(n, settings.dimension, settings.seed);
  const fixed = bank as unknown as Tensor2D;
  const Z = tf.tidy(() => tf.variable(tf.scalar(0), false)) as Variable;
  const batches = tf.tidy(() => tf.variable(tf.scalar(0), false)) as Variable; // seen by Z
  const withoutSelf = from === 'others';
  const noise = withoutSelf ? n - 1 : n;
  return {
    views,
    trained: NOTHING,
    state: new Map([
      ['vectors', bank],
      ['Z', Z],
      ['batches', batches],
    ]),
    draw(draw, pictures) {
      const rows = shared
        ? sharedNegatives(draw, m, n)
        : negativesOfViews(draw, pictures, { n, m, views, withoutSelf });
      return [tf.tensor1d(rows, 'int32')];
    },
    loss({ images, pictures, drawn }, remember) {
      const vectors = embed(network, images, true);
      remember(vectors);
      const rows = rowsOfViews(pictures, views);
      const scores = scoresOf(vectors, { bank: fixed, rows, negatives: drawn[0] as Tensor1D }, settings);
      follow(Z, batches, estimateZ(scores, { noise, withPositive: withoutSelf }), settings);
      const loss = nceLoss(scores, { Z: Z as unknown as Scalar, noise });
      return withProximal(loss, { vectors, bank: fixed, rows }, settings);
    },
    update: updateBank(bank, settings),
  };
}

/** The same m rows for the whole batch. */
function sharedNegatives(draw: Draw, m: number, n: number): Int32Array {
  return Int32Array.from({ length: m }, () => Math.floor(draw() * n));
}

/** m rows for each view, with replacement; never the view's own picture when `withoutSelf`. */
export function negativesOfViews(
  draw: Draw,
  pictures: Int32Array,
  { n, m, views, withoutSelf }: { n: number; m: number; views: number; withoutSelf: boolean },
): Int32Array {
  const b = pictures.length;
  return Int32Array.from({ length: views * b * m }, (_, at) => {
    if (!withoutSelf) return Math.floor(draw() * n);
    const own = pictures[Math.floor(at / m) % b]!;
    const other = Math.floor(draw() * (n - 1));
    return other < own ? other : other + 1;
  });
}

interface Rows {
  bank: Tensor2D;
  rows: Tensor1D; // of the views, b
  negatives: Tensor1D; // m shared ones, or b x m
}

/** Scores of the positives and negatives of unit vectors (b x d). */
function scoresOf(vectors: Tensor2D, { bank, rows, negatives }: Rows, settings: Settings): NceScores {
  const { shared_negatives: shared, temperature, negatives: m, noise } = settings;
  const [b, d] = vectors.shape;
  const positive = tf.div(tf.sum(tf.mul(vectors, tf.gather(bank, rows)), 1), temperature) as Tensor1D;
  const entries = tf.gather(bank, negatives);
  if (!shared) {
    const scores = tf.matMul(tf.reshape(entries, [b, m, d]), tf.reshape(vectors, [b, d, 1]));
    return { positive, negatives: tf.div(tf.reshape(scores, [b, m]), temperature) };
  }
  const scores = tf.div(tf.matMul(vectors, entries as Tensor2D, false, true), temperature) as Tensor2D;
  if (noise === 'all') return { positive, negatives: scores };
  const other = tf.notEqual(tf.expandDims(rows, 1), tf.expandDims(negatives, 0));
  return { positive, negatives: scores, counted: tf.cast(other, 'float32') as Tensor2D };
}

/**
 * Moves Z towards this batch's estimate. `constant`: the mean of the first batches, then fixed, as in the
 * paper; `average`: the same at first, then a moving average, since one early estimate is fragile. Written
 * without branches on values, so that a compiled step keeps it.
 */
function follow(Z: Variable, batches: Variable, estimate: Scalar, settings: Settings): void {
  const mean = tf.div(1, tf.add(batches, 1)); // the share that keeps a plain mean
  const share =
    settings.normaliser === 'average'
      ? tf.maximum(mean, Z_SHARE)
      : tf.mul(mean, tf.cast(tf.less(batches, settings.z_batches), 'float32'));
  Z.assign(tf.add(Z, tf.mul(share, tf.sub(estimate, Z))));
  batches.assign(tf.add(batches, 1));
}
