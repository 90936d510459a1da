import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { encodeOnnxModel } from '../../../src/engines/onnx-model.js';
import { symmetricEigen } from '../../../trainer/src/eigen.js';
import { drawFor, normals } from '../../../trainer/src/random.js';
import { nativeReady } from './native.js';

const rounded = (values: ArrayLike<number>) =>
  Array.from(values, (value) => Math.round(value * 1e6) / 1e6 + 0);

describe('eigenvectors of a symmetric matrix', () => {
  const of = (...rows: number[][]) => symmetricEigen(Float64Array.from(rows.flat()), rows.length);

  test('two by hand: the largest value first, the largest number of a vector positive', () => {
    // (x - 5)(x - 2) - 4 = (x - 6)(x - 1); the vectors are (2, 1) and (1, -2) over the root of 5
    const { values, vectors } = of([5, 2], [2, 2]);
    const [one, two] = [1 / Math.sqrt(5), 2 / Math.sqrt(5)];
    expect(rounded(values)).toEqual([6, 1]);
    expect(rounded(vectors)).toEqual(rounded([two, one, -one, two]));
  });

  test('three by hand, with a zero beside the diagonal', () => {
    const half = Math.SQRT1_2;
    const { values, vectors } = of([2, 0, 1], [0, 7, 0], [1, 0, 2]);
    expect(rounded(values)).toEqual([7, 3, 1]);
    expect(rounded(vectors.subarray(0, 6))).toEqual(rounded([0, 1, 0, half, 0, half]));
    expect(rounded(vectors.subarray(6).map(Math.abs))).toEqual(rounded([half, 0, half]));
  });

  test.each([
    ['one number', [[4]], [4]],
    [
      'zeros',
      [
        [0, 0],
        [0, 0],
      ],
      [0, 0],
    ],
    [
      'equal values',
      [
        [3, 0, 0],
        [0, 3, 0],
        [0, 0, 3],
      ],
      [3, 3, 3],
    ],
    [
      'negative values',
      [
        [0, -2],
        [-2, 0],
      ],
      [2, -2],
    ],
  ])('%s', (_, rows, expected) => {
    const { values, vectors } = of(...rows);
    expect(rounded(values)).toEqual(expected);
    expect(rounded(vectors).every(Number.isFinite)).toBe(true);
  });

  test.each([
    ['of full rank', 60, 90],
    ['of low rank', 60, 7],
  ])('a random product %s: A v = value v, vectors at right angles', (_, n, rank) => {
    const factor = normals(drawFor(rank), n * rank);
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        for (let k = 0; k < rank; k++) matrix[i * n + j]! += factor[i * rank + k]! * factor[j * rank + k]!;
    const before = matrix.slice();
    const { values, vectors } = symmetricEigen(matrix, n);
    expect(matrix).toEqual(before);
    const row = (from: Float64Array, i: number) => from.subarray(i * n, (i + 1) * n);
    const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    for (let i = 0; i < n; i++) {
      if (i > 0) expect(values[i]!).toBeLessThanOrEqual(values[i - 1]!);
      for (let j = 0; j < n; j++) {
        expect(dot(row(vectors, i), row(vectors, j))).toBeCloseTo(i === j ? 1 : 0, 9);
        expect(dot(row(matrix, j), row(vectors, i))).toBeCloseTo(values[i]! * vectors[i * n + j]!, 7);
      }
    }
    expect(values.filter((value) => value > 1e-7).length).toBe(Math.min(n, rank));
  });

  test('what is not finite is refused, not returned', () => {
    expect(() => of([1, Number.NaN, 0], [Number.NaN, 1, 0], [0, 0, 1])).toThrow('not finite');
  });
});

describe.skipIf(!nativeReady)('whitening', async () => {
  if (!nativeReady) return;
  const { whitening, withWhitening } = await import('../../../trainer/src/whitening.js');
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const { createNetwork, embed } = await import('../../../trainer/src/network.js');
  const { backboneFeatures, features } = await import('../../../trainer/src/evaluate.js');
  const { encoderGraph } = await import('../../../trainer/src/encoder-graph.js');

  /** The rows after the transform, and the covariance of the results. */
  function applied(rows: Float32Array, count: number, { weights, bias }: ReturnType<typeof whitening>) {
    const x = tf.tensor2d(rows, [count, rows.length / count]);
    const y = tf.add(tf.matMul(x, tf.tensor2d(weights, [x.shape[1], bias.length])), tf.tensor1d(bias));
    const covariance = tf.div(tf.matMul(y, y, true, false), count).dataSync();
    return { mean: tf.mean(y, 0).dataSync(), covariance };
  }

  // Mean (1, 1), variances 2 and 1/2, no covariance.
  const cross = Float32Array.of(3, 1, -1, 1, 1, 2, 1, 0);

  test.each([
    [0, [1, 0, 0, 1]],
    [0.5, [2 ** -0.25, 0, 0, 2 ** 0.25]],
    [1, [2 ** -0.5, 0, 0, 2 ** 0.5]],
  ])('four points by hand, power %f', (power, expected) => {
    const { weights, bias } = whitening(cross, { count: 4, dimension: 2, power });
    expect(rounded(weights)).toEqual(rounded(Float32Array.from(expected)));
    expect(rounded(bias)).toEqual(rounded([-expected[0]!, -expected[3]!].map(Math.fround)));
  });

  test('the same cross turned: its long arm is the one direction that is kept', () => {
    // (3, 4) / 5 is the long axis: the variance along it is 2, across it 1/2.
    const turned = Float32Array.of(1.2, 1.6, -1.2, -1.6, -0.8, 0.6, 0.8, -0.6);
    const { weights, bias } = whitening(turned, { count: 4, dimension: 1, power: 0 });
    expect(rounded(weights)).toEqual(rounded(Float32Array.of(0.6, 0.8)));
    expect(rounded(bias)).toEqual([0]);
  });

  /** Six numbers a row that depend on each other, around a mean far from 0. */
  function related(count: number): Float32Array {
    const x = tf.tensor2d(normals(drawFor(1), count * 6), [count, 6]);
    const mix = tf.tensor2d(normals(drawFor(2), 36), [6, 6]);
    return tf.add(tf.matMul(x, mix), tf.range(3, 9)).dataSync() as Float32Array;
  }

  test('whitened with power 1 the mean is 0 and the covariance the identity', () => {
    const rows = related(200);
    const { mean, covariance } = applied(rows, 200, whitening(rows, { count: 200, dimension: 4, power: 1 }));
    mean.forEach((value) => {
      expect(value).toBeCloseTo(0, 4);
    });
    covariance.forEach((value, i) => {
      expect(value).toBeCloseTo(i % 5 === 0 ? 1 : 0, 3);
    });
  });

  test('with power 0 the directions come by falling variance and keep the whole of it', () => {
    const rows = related(200);
    const whole = applied(rows, 200, whitening(rows, { count: 200, dimension: 6, power: 0 })).covariance;
    const variances = [0, 7, 14, 21, 28, 35].map((i) => whole[i]!);
    expect(variances).toEqual(variances.toSorted((a, b) => b - a));
    const centred = tf.sub(tf.tensor2d(rows, [200, 6]), tf.mean(tf.tensor2d(rows, [200, 6]), 0));
    const total = tf.div(tf.sum(tf.square(centred)), 200).dataSync()[0]!;
    expect(variances.reduce((sum, value) => sum + value)).toBeCloseTo(total, 2);
  });

  test('the same features give the same transform; a channel that never changes does not blow it up', () => {
    const rows = related(50).map((value, i) => (i % 6 === 2 ? 5 : value));
    const options = { count: 50, dimension: 6, power: 1 };
    const first = whitening(rows, options);
    expect(whitening(rows, options)).toEqual(first);
    expect(Math.max(...first.weights.map(Math.abs))).toBeLessThan(1e4);
    expect(first.bias.every(Number.isFinite)).toBe(true);
  });

  test.each([
    [{ dimension: 3 }, 'dimension is 3, 1 to 2 are allowed'],
    [{ dimension: 0 }, 'dimension is 0, 1 to 2 are allowed'],
    [{ power: 1.5 }, 'power is 1.5, a number from 0 to 1 is allowed'],
  ])('refuses %j', (given, message) => {
    expect(() => whitening(cross, { count: 4, dimension: 2, power: 1, ...given })).toThrow(message);
  });

  test('refuses features that are all the same, or no numbers', () => {
    const options = { count: 4, dimension: 1, power: 0 };
    expect(() => whitening(new Float32Array(8).fill(3), options)).toThrow('of all 4 pictures are the same');
    const broken = cross.map((value, i) => (i === 3 ? Number.NaN : value));
    expect(() => whitening(broken, options)).toThrow('a feature is not finite');
  });

  test('as the head of a network it embeds, evaluates and exports, and follows the backbone', async () => {
    const network = createNetwork({
      ...{ network: 'resnet18', width: 0.125, size: 32, head: 'mlp', dimension: 16, seed: 0 },
    });
    const side = 32;
    const count = 12;
    const data = new SharedArrayBuffer(count * side * side * 3);
    const draw = drawFor(3);
    new Uint8Array(data).forEach((_, i, pixels) => {
      pixels[i] = draw() * 256;
    });
    const pack = { count, side, data, images: [], dataSha256: '', unreadable: [] };
    const rows = await backboneFeatures(network, pack);
    expect(rows.length).toBe(count * 64);
    const transform = whitening(rows, { count, dimension: 5, power: 0.5 });
    const whitened = withWhitening(network, transform);
    const vectors = await features(whitened, pack);
    const x = tf.tensor2d(rows, [count, 64]);
    const y = tf.add(tf.matMul(x, tf.tensor2d(transform.weights, [64, 5])), tf.tensor1d(transform.bias));
    const expected = tf.div(y, tf.norm(y, 2, 1, true)).dataSync();
    vectors.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 4);
    });

    const graph = encoderGraph(whitened);
    expect(graph.outputs[0]!.dims).toEqual(['batch', 5]);
    const session = await InferenceSession.create(encodeOnnxModel(graph), { intraOpNumThreads: 1 });
    const images = normals(drawFor(4), 2 * 3 * side * side);
    const { embedding } = await session.run({ image: new Tensor('float32', images, [2, 3, side, side]) });
    await session.release();
    const nhwc = tf.transpose(tf.tensor4d(images, [2, 3, side, side]), [0, 2, 3, 1]) as Parameters<
      typeof embed
    >[1];
    const own = embed(whitened, nhwc, false).dataSync();
    (embedding!.data as Float32Array).forEach((value, i) => {
      expect(Math.abs(value - own[i]!)).toBeLessThan(1e-4);
    });

    expect([...whitened.trained.keys()].filter((name) => name.startsWith('head.'))).toEqual([
      'head.whitening.weights',
      'head.whitening.bias',
    ]);
    network.trained.get('stem.beta')!.assign(tf.ones([8]));
    expect(await features(whitened, pack)).not.toEqual(vectors);
  });
});
