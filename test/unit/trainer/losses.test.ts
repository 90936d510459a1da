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

/** A loss in plain float64, of rows of vectors. */
type Reference = (rows: number[][]) => number;

interface Softmax {
  temperature: number;
  decoupled?: boolean;
}

const scoresOf = (row: number[], others: number[][], { temperature }: Softmax) =>
  others.map((other) => dot(row, other) / temperature);

/** -log of the positive's share; decoupled: of its ratio to the others. */
function softmaxOver(scores: number[], right: number, { decoupled }: Softmax): number {
  if (!decoupled) return crossEntropyOf(scores, right);
  const others = scores.filter((_, j) => j !== right);
  return Math.log(others.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[right]!;
}

/** NT-Xent from its definition. */
function twoView(rows: number[][], softmax: Softmax): number {
  const half = rows.length / 2;
  return mean(
    rows.map((row, i) => {
      const others = rows.map((_, j) => j).filter((j) => j !== i);
      const scores = scoresOf(
        row,
        others.map((j) => rows[j]!),
        softmax,
      );
      return softmaxOver(scores, others.indexOf((i + half) % rows.length), softmax);
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
  const losses = await import('../../../trainer/src/loss.js');
  const { estimateZ, memoryBankLoss, nceLoss, parametricLoss, proximalLoss } = losses;
  const { queueLoss, smallViewLoss, twoViewLoss } = losses;
  const { batchNorm, relu } = await import('../../../trainer/src/ops.js');

  const int32 = (values: number[]) => tf.tensor1d(values, 'int32');

  /** The loss at `rows` equals `reference`, written in plain float64, and its gradient the reference's slope. */
  function expectAgreement(loss: (x: never) => unknown, reference: Reference, rows: number[][]): void {
    const at = loss as unknown as (x: unknown) => ReturnType<typeof tf.scalar>;
    expect(at(tf.tensor2d(rows)).dataSync()[0]).toBeCloseTo(reference(rows), 4);
    const gradient = tf.grad(at)(tf.tensor2d(rows)).arraySync() as number[][];
    expect(gradientError(reference, rows, gradient)).toBeLessThan(5e-5);
  }

  test('two-view: a case by hand', () => {
    // Two pictures, their views equal, the pictures at right angles: each row sees 1/t once and 0 twice.
    const views = tf.tensor2d([
      [1, 0],
      [0, 1],
      [1, 0],
      [0, 1],
    ]);
    const softmax = { temperature: 0.5 };
    expect(twoViewLoss(views, softmax).dataSync()[0]).toBeCloseTo(Math.log(Math.exp(2) + 2) - 2, 6);
    const decoupled = { ...softmax, decoupled: true }; // below the line only the two at right angles stay
    expect(twoViewLoss(views, decoupled).dataSync()[0]).toBeCloseTo(Math.log(2) - 2, 5);
  });

  test.each([false, true])(
    'two-view: value and gradient against the definition, decoupled %s',
    (decoupled) => {
      const rows = unitRows(8, 5, 1);
      const softmax = { temperature: 0.2, decoupled };
      expectAgreement(
        (x) => twoViewLoss(x, softmax),
        (moved) => twoView(moved, softmax),
        rows,
      );
    },
  );

  test('small views: each picks both large views of its picture, the other one masked out', () => {
    const large = unitRows(6, 4, 21); // three pictures
    const small = unitRows(6, 4, 22); // two small views of each
    const reference: Reference = (rows) =>
      mean(
        rows.flatMap((row, i) => {
          const scores = large.map((other) => dot(row, other) / 0.3);
          return [0, 1].map((view) => {
            const other = (i % 3) + (1 - view) * 3;
            const kept = scores.map((_, j) => j).filter((j) => j !== other);
            return crossEntropyOf(
              kept.map((j) => scores[j]!),
              kept.indexOf((i % 3) + view * 3),
            );
          });
        }),
      );
    expectAgreement((x) => smallViewLoss(x, tf.tensor2d(large), { temperature: 0.3 }), reference, small);
  });

  test('memory bank: a case by hand', () => {
    // The view equals its own entry, the two others stand at right angles.
    const bank = tf.tensor2d([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    const loss = memoryBankLoss(
      tf.tensor2d([[1, 0, 0]]),
      { bank, pictures: int32([1]) },
      { temperature: 0.5 },
    );
    expect(loss.dataSync()[0]).toBeCloseTo(Math.log(Math.exp(2) + 2) - 2, 6);
  });

  test.each([false, true])('memory bank: against the definition, decoupled %s', (decoupled) => {
    const bank = unitRows(7, 5, 3);
    const pictures = [6, 0, 3, 2];
    const softmax = { temperature: 0.1, decoupled };
    const reference: Reference = (vectors) =>
      mean(vectors.map((row, i) => softmaxOver(scoresOf(row, bank, softmax), pictures[i]!, softmax)));
    const given = { bank: tf.tensor2d(bank), pictures: int32(pictures) };
    expectAgreement((x) => memoryBankLoss(x, given, softmax), reference, unitRows(4, 5, 2));
  });

  test('the decoupled loss does not vanish where the softmax saturates', () => {
    const bank = unitRows(7, 5, 3);
    const given = { bank: tf.tensor2d(bank), pictures: int32([2]) };
    const at = (decoupled: boolean) => (x: unknown) =>
      memoryBankLoss(x as never, given, { temperature: 0.1, decoupled });
    const slope = (decoupled: boolean) =>
      Math.max(
        ...tf
          .grad(at(decoupled))(tf.tensor2d([bank[2]!]))
          .dataSync()
          .map(Math.abs),
      );
    expect(slope(true)).toBeGreaterThan(5 * slope(false));
  });

  test('queue: a view among its key and the keys of others', () => {
    const [views, keys, queue] = [unitRows(3, 4, 5), unitRows(3, 4, 6), unitRows(5, 4, 7)];
    const reference: Reference = (rows) =>
      mean(
        rows.map((row, i) => crossEntropyOf(scoresOf(row, [keys[i]!, ...queue], { temperature: 0.2 }), 0)),
      );
    const given = { keys: tf.tensor2d(keys), queue: tf.tensor2d(queue) };
    expectAgreement((x) => queueLoss(x, given, { temperature: 0.2 }), reference, views);
  });

  test('parametric: cross-entropy of the class weights', () => {
    const logits = [
      [1, 2, 0.5],
      [-1, 0, 3],
    ];
    const reference: Reference = (rows) => mean(rows.map((row, i) => crossEntropyOf(row, [2, 0][i]!)));
    expectAgreement((x) => parametricLoss(x, int32([2, 0])), reference, logits);
  });

  test('proximal: the squared way since the last visit', () => {
    const entries = unitRows(3, 4, 8);
    const reference: Reference = (rows) =>
      mean(rows.map((row, i) => row.reduce((sum, value, j) => sum + (value - entries[i]![j]!) ** 2, 0)));
    expectAgreement((x) => proximalLoss(x, tf.tensor2d(entries)), reference, unitRows(3, 4, 9));
    expect(proximalLoss(tf.tensor2d([[0, 1]]), tf.tensor2d([[1, 0]])).dataSync()[0]).toBeCloseTo(2, 6);
  });

  describe('noise-contrastive estimation', () => {
    const Z = 40;
    const noise = 6;
    const bank = unitRows(7, 5, 11);

    /** Formulas 6 and 7 as they stand: with h, not with softplus. */
    function byDefinition(positive: number, negatives: number[]): number {
      const share = negatives.length / noise; // m / N
      const h = (score: number) => Math.exp(score) / Z / (Math.exp(score) / Z + share);
      return -Math.log(h(positive)) - negatives.reduce((sum, score) => sum + Math.log(1 - h(score)), 0);
    }

    test('a case by hand', () => {
      // One negative, N = 1, Z = e: P(positive) = 1, P(negative) = 1 / e, so h = 1/2 and (1/e) / (1/e + 1).
      const scores = { positive: tf.tensor1d([1]), negatives: tf.tensor2d([[0]]) };
      const loss = nceLoss(scores, { Z: tf.scalar(Math.E), noise: 1 }).dataSync()[0];
      expect(loss).toBeCloseTo(Math.log(2) + Math.log(1 + Math.exp(-1)), 6);
    });

    test('value and gradient against the definition', () => {
      const chosen = [
        [1, 4, 4],
        [0, 2, 3],
      ];
      const own = [0, 6];
      const score = (row: number[], j: number) => dot(row, bank[j]!) / 0.2;
      const reference: Reference = (rows) =>
        mean(
          rows.map((row, i) =>
            byDefinition(
              score(row, own[i]!),
              chosen[i]!.map((j) => score(row, j)),
            ),
          ),
        );
      const loss = (x: unknown) => {
        const all = tf.div(tf.matMul(x as never, tf.tensor2d(bank), false, true), 0.2);
        const pick = (rows: number[]) =>
          tf.sum(tf.mul(all, tf.oneHot(int32(rows), bank.length)), 1, true) as never;
        const negatives = [0, 1, 2].map((j) => pick(chosen.map((row) => row[j]!)));
        const scores = { positive: tf.squeeze(pick(own)), negatives: tf.concat(negatives, 1) } as never;
        return nceLoss(scores, { Z: tf.scalar(Z), noise });
      };
      expectAgreement(loss as never, reference, unitRows(2, 5, 12));
    });

    test('scores that would overflow an exponential stay finite', () => {
      const scores = { positive: tf.tensor1d([200]), negatives: tf.tensor2d([[-200, 200]]) };
      expect(nceLoss(scores, { Z: tf.scalar(1e30), noise: 10 }).dataSync()[0]).toBeLessThan(1e3);
    });

    test('Z of all rows is the sum of the full softmax, and no gradient passes through it', () => {
      const row = unitRows(1, 5, 13)[0]!;
      const all = bank.map((entry) => dot(row, entry) / 0.2);
      const scores = {
        positive: tf.tensor1d([all[2]!]),
        negatives: tf.tensor2d([all.filter((_, j) => j !== 2)]),
      };
      const sum = all.reduce((total, score) => total + Math.exp(score), 0);
      const estimate = (positive = scores.positive) =>
        estimateZ({ ...scores, positive }, { noise: noise, withPositive: true });
      expect(estimate().dataSync()[0]).toBeCloseTo(sum, 3);
      const slope = tf.grad((x) => tf.add(estimate(x as never), tf.sum(x)))(scores.positive);
      expect(slope.dataSync()[0]).toBe(1);
    });

    test('ranks the candidates as the full softmax does when all rows are negatives', () => {
      const row = unitRows(1, 5, 14)[0]!;
      const all = bank.map((entry) => dot(row, entry) / 0.2);
      const sum = all.reduce((total, score) => total + Math.exp(score), 0);
      const asPositive = all.map((positive, i) => {
        const negatives = tf.tensor2d([all.filter((_, j) => j !== i)]);
        const scores = { positive: tf.tensor1d([positive]), negatives };
        return nceLoss(scores, { Z: tf.scalar(sum), noise }).dataSync()[0]!;
      });
      const full = all.map((_, i) => crossEntropyOf(all, i));
      const order = (values: number[]) => values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
      expect(order(asPositive)).toEqual(order(full));
    });
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
