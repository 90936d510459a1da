/** The paper's objective: a view finds its own picture's entry in the memory bank, by the full softmax. */
import type { Settings } from '../config.js';
import { memoryBankLoss, proximalLoss } from '../loss.js';
import { createMemoryBank, remember as rememberRows } from '../memory-bank.js';
import { embed } from '../network.js';
import { type Scalar, type Tensor1D, type Tensor2D, tf, type Variable } from '../tensorflow.js';
import { NOTHING, type Objective, type ObjectiveSetup, type StepInputs } from './objective.js';

/** With two views each looks for the same entry, and the entry follows their mean. */
export function memoryBank(settings: Settings, { network, pictures }: ObjectiveSetup): Objective {
  const bank = createMemoryBank(pictures, settings.dimension, settings.seed);
  const fixed = bank as unknown as Tensor2D;
  return {
    views: settings.views,
    trained: NOTHING,
    state: new Map([['vectors', bank]]),
    loss({ images, pictures }, remember) {
      const vectors = embed(network, images, true);
      remember(vectors);
      const rows = rowsOfViews(pictures, settings.views);
      const loss = memoryBankLoss(vectors, { bank: fixed, pictures: rows }, settings);
      return withProximal(loss, { vectors, bank: fixed, rows }, settings);
    },
    update: updateBank(bank, settings),
  };
}

/** The bank row of every view: the pictures once for each. */
export function rowsOfViews(pictures: Tensor1D, views: number): Tensor1D {
  return views === 1 ? pictures : tf.concat(Array.from({ length: views }, () => pictures));
}

export function withProximal(
  loss: Scalar,
  { vectors, bank, rows }: { vectors: Tensor2D; bank: Tensor2D; rows: Tensor1D },
  { proximal }: Settings,
): Scalar {
  if (proximal === 0) return loss;
  return tf.add(loss, tf.mul(proximalLoss(vectors, tf.gather(bank, rows)), proximal));
}

/** Moves the entries of the batch's own pictures, and no others. */
export function updateBank(bank: Variable, { views, bank_momentum: momentum }: Settings) {
  return ({ pictures }: StepInputs, vectors: Tensor2D) => {
    const [rows, dimension] = vectors.shape;
    const mean = tf.mean(tf.reshape(vectors, [views, rows / views, dimension]), 0) as Tensor2D;
    rememberRows(bank, { pictures, vectors: mean, momentum });
  };
}
