import { describe, expect, test } from 'vitest';
import { drawFor, normals } from '../../../trainer/src/random.js';
import { nativeReady } from './native.js';

/** n unit rows of d numbers. */
function unitRows(n: number, d: number, seed: number): number[][] {
  const values = normals(drawFor(seed), n * d);
  return Array.from({ length: n }, (_, i) => {
    const row = [...values.subarray(i * d, (i + 1) * d)];
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  });
}

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const crossEntropyOf = (scores: number[], right: number) =>
  Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[right]!;
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** NT-Xent in plain float64, from its definition. */
function twoView(rows: number[][], temperature: number): number {
  const half = rows.length / 2;
  return mean(
    rows.map((row, i) => {
      const others = rows.map((_, j) => j).filter((j) => j !== i);
      const scores = others.map((j) => dot(row, rows[j]!) / temperature);
      return crossEntropyOf(scores, others.indexOf((i + half) % rows.length));
    }),
  );
}

/** Largest difference between `gradient` and central differences of `f` at `rows`. */
function gradientError(f: (rows: number[][]) => number, rows: number[][], gradient: number[][]): number {
  const step = 1e-5;
  let worst = 0;
  rows.forEach((row, i) => {
    row.forEach((value, j) => {
      const at = (moved: number) =>
        f(rows.map((r, y) => (y === i ? r.map((v, x) => (x === j ? moved : v)) : r)));
      const slope = (at(value + step) - at(value - step)) / (2 * step);
      worst = Math.max(worst, Math.abs(slope - gradient[i]![j]!));
    });
  });
  return worst;
}

describe.skipIf(!nativeReady)('losses', async () => {
  if (!nativeReady) return;
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const { memoryBankLoss, twoViewLoss } = await import('../../../trainer/src/loss.js');
  const { batchNorm, relu } = await import('../../../trainer/src/ops.js');

  test('two-view: a case by hand', () => {
    // Two pictures, their views equal, the pictures at right angles: each row sees 1/t once and 0 twice.
    const views = tf.tensor2d([
      [1, 0],
      [0, 1],
      [1, 0],
      [0, 1],
    ]);
    expect(twoViewLoss(views, 0.5).dataSync()[0]).toBeCloseTo(Math.log(Math.exp(2) + 2) - 2, 6);
  });

  test('two-view: value and gradient against the definition', () => {
    const rows = unitRows(8, 5, 1);
    expect(twoViewLoss(tf.tensor2d(rows), 0.2).dataSync()[0]).toBeCloseTo(twoView(rows, 0.2), 5);
    const gradient = tf
      .grad((x) => twoViewLoss(x as never, 0.2))(tf.tensor2d(rows))
      .arraySync() as number[][];
    expect(gradientError((moved) => twoView(moved, 0.2), rows, gradient)).toBeLessThan(2e-5);
  });

  test('memory bank: value and gradient against the definition', () => {
    const rows = unitRows(4, 5, 2);
    const bank = unitRows(7, 5, 3);
    const pictures = [6, 0, 3, 2];
    const reference = (vectors: number[][]) =>
      mean(
        vectors.map((row, i) =>
          crossEntropyOf(
            bank.map((entry) => dot(row, entry) / 0.1),
            pictures[i]!,
          ),
        ),
      );
    const options = { pictures: tf.tensor1d(pictures, 'int32'), temperature: 0.1 };
    const loss = (x: unknown) => memoryBankLoss(x as never, tf.tensor2d(bank), options);
    expect(loss(tf.tensor2d(rows)).dataSync()[0]).toBeCloseTo(reference(rows), 5);
    const gradient = tf.grad(loss)(tf.tensor2d(rows)).arraySync() as number[][];
    expect(gradientError(reference, rows, gradient)).toBeLessThan(2e-5);
  });

  test('fused batch norm and relu: output and gradient against stock operations', () => {
    const values = normals(drawFor(4), 6 * 3 * 3 * 2, 2);
    const x = tf.tensor4d(values, [6, 3, 3, 2]);
    const weights = tf.tensor4d(normals(drawFor(5), values.length), [6, 3, 3, 2]);
    const gamma = tf.tensor1d([0.5, 2]);
    const beta = tf.tensor1d([0.1, -0.3]);
    let seen: number[][] = [];
    const fused = tf.grad((x) => {
      const y = batchNorm(x as never, { gamma, beta }, (mean, variance) => {
        seen = [[...mean.dataSync()], [...variance.dataSync()]];
      });
      return tf.sum(tf.mul(relu(y), weights));
    })(x);
    const { mean: mu, variance } = tf.moments(x, [0, 1, 2]);
    const stock = tf.grad((x) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return tf.sum(
        tf.mul(
          tf.relu(tf.batchNorm(x as never, mean as never, variance as never, beta, gamma, 1e-5)),
          weights,
        ),
      );
    })(x);
    expect(tf.max(tf.abs(tf.sub(fused, stock))).dataSync()[0]).toBeLessThan(1e-5);
    const unbiased = 54 / 53; // 6 x 3 x 3 values a channel
    mu.dataSync().forEach((value, c) => {
      expect(seen[0]![c]).toBeCloseTo(value, 5);
    });
    variance.dataSync().forEach((value, c) => {
      expect(seen[1]![c]).toBeCloseTo(value * unbiased, 4);
    });
  });
});

describe.skipIf(!nativeReady)('memory bank', async () => {
  if (!nativeReady) return;
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const { createMemoryBank, remember } = await import('../../../trainer/src/memory-bank.js');

  test('starts with exact unit rows', () => {
    const lengths = tf.norm(createMemoryBank(50, 16, 1), 2, 1).dataSync();
    for (const length of lengths) expect(Math.abs(length - 1)).toBeLessThan(1e-6);
  });

  test('changes the rows of the batch and no others', () => {
    const bank = createMemoryBank(6, 4, 2);
    const before = bank.arraySync() as number[][];
    const vectors = unitRows(2, 4, 3);
    remember(bank, { pictures: tf.tensor1d([4, 1], 'int32'), vectors: tf.tensor2d(vectors), momentum: 0.5 });
    const after = bank.arraySync() as number[][];
    for (const row of [0, 2, 3, 5]) expect(after[row]).toEqual(before[row]);
    [4, 1].forEach((row, i) => {
      const mixed = before[row]!.map((value, j) => 0.5 * value + 0.5 * vectors[i]![j]!);
      const length = Math.hypot(...mixed);
      mixed.forEach((value, j) => {
        expect(after[row]![j]).toBeCloseTo(value / length, 6);
      });
    });
  });
});
