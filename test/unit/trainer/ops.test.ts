/** The fused operations against the stock ones, both on the native engine: same values, same gradients. */
import { describe, expect, test } from 'vitest';
import { drawFor, normals } from '../../../trainer/src/random.js';
import type { Tensor } from '../../../trainer/src/tensorflow.js';
import { nativeReady } from './native.js';

describe.skipIf(!nativeReady)('native and stock operations', async () => {
  if (!nativeReady) return;
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const { ops: native } = await import('../../../trainer/src/ops-native.js');
  const { ops: stock } = await import('../../../trainer/src/ops-stock.js');
  const both = [native, stock] as const;

  const random = (seed: number, shape: number[], scale = 1) =>
    tf.tensor(
      normals(
        drawFor(seed),
        shape.reduce((a, b) => a * b),
        scale,
      ),
      shape,
    );

  /** The largest difference relative to the largest value. */
  function difference(a: Tensor, b: Tensor): number {
    expect(a.shape).toEqual(b.shape);
    const [largest, apart] = tf.tidy(() => [tf.max(tf.abs(a)), tf.max(tf.abs(tf.sub(a, b)))]);
    expect(largest!.dataSync()[0]).toBeGreaterThan(0);
    return apart!.dataSync()[0]! / largest!.dataSync()[0]!;
  }

  /** Compares the values of `f` and its gradients by each of `inputs`, weighted so that no gradient is zero. */
  function compare(f: (ops: typeof native, inputs: Tensor[]) => Tensor, inputs: Tensor[]): void {
    const values = both.map((ops) => f(ops, inputs));
    expect(difference(values[0]!, values[1]!)).toBeLessThan(2e-6);
    const weights = random(99, values[0]!.shape);
    const gradients = both.map((ops) =>
      tf.grads((...inputs: Tensor[]) => tf.sum(tf.mul(f(ops, inputs), weights)))(inputs),
    );
    inputs.forEach((_, i) => {
      expect(difference(gradients[0]![i]!, gradients[1]![i]!)).toBeLessThan(2e-5);
    });
  }

  test('batch normalisation by the batch, with its statistics', () => {
    const inputs = [tf.add(random(1, [6, 5, 4, 3], 2), 1), random(2, [3]), random(3, [3])];
    compare(
      (ops, [x, gamma, beta]) =>
        ops.batchNorm(x as never, { gamma: gamma as never, beta: beta as never }, () => {}),
      inputs,
    );
    const seen = both.map((ops) => {
      let found: Tensor[] = [];
      const [x, gamma, beta] = inputs;
      ops.batchNorm(x as never, { gamma: gamma as never, beta: beta as never }, (...statistics) => {
        found = statistics.map((tensor) => tf.keep(tf.clone(tensor)));
      });
      return found;
    });
    for (const i of [0, 1]) expect(difference(seen[0]![i]!, seen[1]![i]!)).toBeLessThan(2e-6);
  });

  test('the statistics change no gradient when they are used for running ones', () => {
    const x = random(4, [4, 3, 3, 2]);
    const parameters = { gamma: tf.tensor1d([0.5, 2]), beta: tf.tensor1d([0, 1]) };
    const running = tf.variable(tf.zeros([2]), false);
    const follow = both.map(
      (ops) =>
        tf.grad((x) =>
          tf.sum(tf.square(ops.batchNorm(x as never, parameters, (mean) => void running.assign(mean)))),
        )(x) as Tensor,
    );
    const alone = tf.grad((x) => tf.sum(tf.square(stock.batchNorm(x as never, parameters, () => {}))))(x);
    const scale = tf.max(tf.abs(random(4, [4, 3, 3, 2]))).dataSync()[0]!;
    for (const gradient of follow)
      expect(tf.max(tf.abs(tf.sub(gradient, alone))).dataSync()[0]! / scale).toBeLessThan(2e-5);
  });

  test('batch normalisation by given statistics', () => {
    const x = random(5, [2, 3, 3, 4], 3);
    const given = [random(6, [4]), random(7, [4]), random(8, [4]), tf.add(tf.abs(random(9, [4])), 0.1)];
    const [a, b] = both.map((ops) => ops.frozenNorm(x as never, given as never));
    expect(difference(a!, b!)).toBeLessThan(2e-6);
  });

  test('relu', () => {
    compare((ops, [x]) => ops.relu(x!), [random(10, [7, 5])]);
  });

  test('cross-entropy, also with a candidate that is masked out and with far apart scores', () => {
    const labels = tf.tensor1d([2, 0, 4, 4], 'int32');
    const masked = tf.add(random(11, [4, 5], 30), tf.mul(tf.oneHot([0, 1, 2, 3], 5), -1e9));
    for (const logits of [random(12, [4, 5]), random(13, [4, 5], 50)])
      compare((ops, [x]) => ops.crossEntropy(x as never, labels), [logits]);
    const [a, b] = both.map((ops) => ops.crossEntropy(masked as never, labels));
    expect(difference(a!, b!)).toBeLessThan(2e-6);
    const [slopeA, slopeB] = both.map((ops) =>
      tf.grad((x) => tf.mean(ops.crossEntropy(x as never, labels)))(masked),
    );
    expect(difference(slopeA!, slopeB!)).toBeLessThan(2e-5);
  });

  test('replaced rows, and no others', () => {
    const target = random(14, [6, 3]);
    const rows = tf.tensor1d([4, 1], 'int32');
    const values = random(15, [2, 3]) as never;
    const [a, b] = both.map((ops) => ops.replaceRows(target as never, rows, values).arraySync());
    expect(a).toEqual(b);
    const before = target.arraySync() as number[][];
    for (const row of [0, 2, 3, 5]) expect(b![row]).toEqual(before[row]);
    expect(b![4]).not.toEqual(before[4]);
  });
});
