/**
 * A view finds the other view's key among the keys of past batches (MoCo). Keys come from a slow copy of the
 * encoder. It uses running statistics, not the batch's own, in its batch normalisation (EMAN, Cai et al. 2021): with the batch's
 * own, view and key could recognise each other by the company they keep.
 */
import type { Settings } from '../config.js';
import { queueLoss } from '../loss.js';
import { createMemoryBank } from '../memory-bank.js';
import { copyNetwork, embed, type Network } from '../network.js';
import { replaceRows } from '../ops.js';
import { type Tensor1D, type Tensor2D, type Tensor4D, tf, type Variable } from '../tensorflow.js';
import { NOTHING, type Objective, type ObjectiveSetup } from './objective.js';

export function queue(settings: Settings, { network }: ObjectiveSetup): Objective {
  const slow = copyNetwork(network);
  const keys = createMemoryBank(settings.queue, settings.dimension, settings.seed);
  const place = tf.tidy(() => tf.variable(tf.scalar(0, 'int32'), false)) as Variable; // of the next key
  const fixed = keys as unknown as Tensor2D;
  return {
    views: 2,
    trained: NOTHING,
    state: new Map([['keys', keys], ['place', place], ...slowState(slow)]),
    loss({ images }, remember) {
      const b = images.shape[0] / 2;
      const view = (i: number) => tf.slice(images, i * b, b) as Tensor4D;
      const key = embed(slow, view(1), false);
      remember(key);
      return queueLoss(embed(network, view(0), true), { keys: key, queue: fixed }, settings);
    },
    update(_, key) {
      followSlowly(slow, network, settings.encoder_momentum);
      enqueue(keys, place, key);
    },
  };
}

function slowState(slow: Network): [string, Variable][] {
  return [...slow.trained, ...slow.statistics].map(([name, variable]) => [`slow/${name}`, variable]);
}

/** Weights and running statistics of the slow encoder move towards the fast one's. */
function followSlowly(slow: Network, fast: Network, momentum: number): void {
  for (const part of ['trained', 'statistics'] as const)
    for (const [name, variable] of slow[part]) {
      const target = fast[part].get(name)!;
      variable.assign(tf.add(tf.mul(variable, momentum), tf.mul(target, 1 - momentum)));
    }
}

/** The oldest keys make place for the new ones (b x d). */
function enqueue(keys: Variable, place: Variable, fresh: Tensor2D): void {
  const length = keys.shape[0]!;
  const [count] = fresh.shape;
  const rows = tf.mod(tf.add(place, tf.range(0, count, 1, 'int32')), tf.scalar(length, 'int32'));
  keys.assign(replaceRows(keys as unknown as Tensor2D, rows as Tensor1D, fresh));
  place.assign(tf.mod(tf.add(place, tf.scalar(count, 'int32')), tf.scalar(length, 'int32')));
}
