import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeOnnxModel } from '../../../src/engines/onnx-model.js';
import {
  backboneChannels,
  convLayers,
  describeNetwork,
  type NetworkOptions,
  wholeStride,
} from '../../../trainer/src/architecture.js';
import { drawFor, normals, uniform } from '../../../trainer/src/random.js';
import type { Scalar } from '../../../trainer/src/tensorflow.js';
import { nativeReady } from './native.js';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-network-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('architecture', () => {
  const describeAt = (overrides: Partial<NetworkOptions>) =>
    describeNetwork({
      ...{ network: 'resnet18', width: 1, size: 224, head: 'linear', dimension: 128, seed: 0 },
      ...overrides,
    });

  // Those of torchvision's networks without their last layer (513,000 or 2,049,000 parameters).
  test.each([
    ['resnet18', 11_689_512 - 513_000, 512],
    ['resnet34', 21_797_672 - 513_000, 512],
    ['resnet50', 25_557_032 - 2_049_000, 2048],
  ] as const)('%s has the published number of parameters', (network, parameters, channels) => {
    const architecture = describeAt({ network });
    const each = convLayers(architecture).map(
      ({ kernel, inputs, outputs }) => (kernel * kernel * inputs + 2) * outputs,
    );
    expect(each.reduce((sum, count) => sum + count)).toBe(parameters);
    expect(backboneChannels(architecture)).toBe(channels);
    expect(wholeStride(architecture)).toBe(32);
  });

  test.each([
    [32, 3, 1, false, 8],
    [64, 5, 2, false, 16],
    [128, 5, 2, false, 16],
    [224, 7, 2, true, 32],
  ])('%i px: a %ix stem of stride %i, pool %s, whole stride %i', (size, kernel, stride, pool, whole) => {
    const architecture = describeAt({ size });
    expect(architecture.stem).toMatchObject({ kernel, stride });
    expect(architecture.pool).toBe(pool);
    expect(wholeStride(architecture)).toBe(whole);
  });

  test('the layers keep the names that checkpoints know', () => {
    const names = (overrides: Partial<NetworkOptions>) => {
      const architecture = describeAt({ width: 0.25, ...overrides });
      return [...convLayers(architecture), ...architecture.head].map(({ name }) => name);
    };
    const resnet18 = names({ head: 'mlp' });
    expect(resnet18.slice(0, 8)).toEqual([
      ...['stem', 'stage1.1.first', 'stage1.1.second', 'stage1.2.first', 'stage1.2.second'],
      ...['stage2.1.first', 'stage2.1.second', 'stage2.1.shortcut'],
    ]);
    expect(resnet18.slice(-2)).toEqual(['head.hidden', 'head.last']);
    expect(names({ network: 'resnet50' }).slice(0, 5)).toEqual([
      ...['stem', 'stage1.1.first', 'stage1.1.second', 'stage1.1.third', 'stage1.1.shortcut'],
    ]);
  });

  test('a bottleneck strides on its 3x3', () => {
    const { convs } = describeAt({ network: 'resnet50' }).blocks[3]!;
    expect(convs.map(({ kernel, stride }) => [kernel, stride])).toEqual([
      [1, 1],
      [3, 2],
      [1, 1],
    ]);
    expect(convs.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
      [256, 128],
      [128, 128],
      [128, 512],
    ]);
  });
});

describe.skipIf(!nativeReady)('network', async () => {
  if (!nativeReady) return;
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const { backbone, copyNetwork, copyValues, createNetwork, embed, normalise, project } = await import(
    '../../../trainer/src/network.js'
  );
  const { createClassifier, logits } = await import('../../../trainer/src/classifier.js');
  const { createOptimiser } = await import('../../../trainer/src/optimiser.js');
  const { crossEntropy } = await import('../../../trainer/src/ops.js');
  const { encoderGraph } = await import('../../../trainer/src/encoder-graph.js');

  /** Noise, of another strength in each picture. */
  const pictures = (count: number, size: number, seed: number) => {
    const values = normals(drawFor(seed), count * size * size * 3);
    const strength = (i: number) => 0.5 + Math.floor(i / (size * size * 3));
    return tf.tensor4d(
      values.map((value, i) => value * strength(i)),
      [count, size, size, 3],
    );
  };
  const tiny = (overrides: Partial<NetworkOptions>) =>
    createNetwork({
      ...{ network: 'resnet18', width: 0.125, size: 32, head: 'mlp', dimension: 16, seed: 0 },
      ...overrides,
    });
  /** A network whose every scale and shift is away from its start, with the statistics of a batch. */
  function stirred(overrides: Partial<NetworkOptions>) {
    const network = tiny(overrides);
    const draw = drawFor(5);
    for (const [name, variable] of network.trained)
      if (/gamma|beta|bias/.test(name)) {
        const low = name.endsWith('gamma') ? 0.5 : -0.5;
        const values = Float32Array.from({ length: variable.size }, () => uniform(draw, low, low + 1));
        variable.assign(tf.tensor(values, variable.shape));
      }
    const { statistics } = network;
    for (const variable of statistics.values()) variable.assign(tf.zerosLike(variable));
    tf.tidy(() => backbone(network, pictures(4, 32, 6), true)); // moves them a tenth of the way
    for (const variable of statistics.values()) variable.assign(tf.mul(variable, 10));
    return network;
  }

  test.each([
    { network: 'resnet18', size: 32, head: 'mlp', runAt: 40 },
    { network: 'resnet18', size: 64, head: 'linear', runAt: 64 },
    { network: 'resnet18', size: 224, head: 'mlp', runAt: 128 },
    { network: 'resnet34', size: 32, head: 'linear', runAt: 32 },
    { network: 'resnet34', size: 64, head: 'mlp', runAt: 80 },
    { network: 'resnet34', size: 224, head: 'mlp', runAt: 224 },
    { network: 'resnet50', size: 32, head: 'mlp', runAt: 24 },
    { network: 'resnet50', size: 64, head: 'mlp', runAt: 64 },
    { network: 'resnet50', size: 224, head: 'linear', runAt: 224 },
  ] as const)(
    'the exported graph equals the network: $network for $size px, run at $runAt px',
    async (given) => {
      const { runAt, ...options } = given;
      const network = stirred(options);
      const nhwc = pictures(3, runAt, 9);
      const expected = embed(network, nhwc, false).dataSync();
      const session = await InferenceSession.create(encodeOnnxModel(encoderGraph(network)), {
        intraOpNumThreads: 1,
      });
      const nchw = tf.transpose(nhwc, [0, 3, 1, 2]).dataSync() as Float32Array;
      const { embedding } = await session.run({ image: new Tensor('float32', nchw, [3, 3, runAt, runAt]) });
      await session.release();
      const actual = embedding!.data as Float32Array;
      expect(actual.length).toBe(3 * 16);
      const difference = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
      expect(difference).toBeLessThan(1e-4);
      const [first, second] = [actual.subarray(0, 16), actual.subarray(16, 32)];
      expect(Math.hypot(...first)).toBeCloseTo(1, 5);
      // The pictures are told apart by far more than that difference.
      expect(Math.hypot(...first.map((value, i) => value - second[i]!))).toBeGreaterThan(0.01);
    },
  );

  test('refuses a size that the strides do not divide', () => {
    expect(() => tiny({ size: 72 })).toThrow('size is 72, multiples of 16 are allowed');
    expect(() => tiny({ network: 'resnet50', size: 240 })).toThrow(
      'size is 240, multiples of 32 are allowed',
    );
  });

  test('every kernel has its own draw, in the order of the layers', () => {
    const { trained } = tiny({ seed: 3 });
    const draw = drawFor(3, -1, 7); // after the stem, four of stage 1, two of stage 2
    const limit = 1 / Math.sqrt(8);
    const expected = Float32Array.from({ length: 8 * 16 }, () => uniform(draw, -limit, limit));
    expect(trained.get('stage2.1.shortcut.kernel')!.dataSync()).toEqual(expected);
  });

  test('an embedding is the projection of the backbone at unit length; zeros stay zeros', () => {
    const network = stirred({});
    const images = pictures(2, 32, 1);
    const features = backbone(network, images, false);
    expect(features.shape).toEqual([2, 64]);
    const plain = project(network, features).dataSync();
    const length = Math.hypot(...plain.subarray(0, 16));
    const [...unit] = embed(network, images, false).dataSync().subarray(0, 16);
    unit.forEach((value, i) => {
      expect(value).toBeCloseTo(plain[i]! / length, 6);
    });
    const rows = normalise(tf.tensor2d([3, 4, 0, 0], [2, 2])).dataSync();
    expect([...rows].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([0.6, 0.8, 0, 0]);
  });

  test('a copy has the values but not the variables, and is not trained', () => {
    const network = stirred({});
    const images = pictures(2, 32, 2);
    const before = embed(network, images, false).dataSync();
    const copy = copyNetwork(network);
    for (const variable of [...copy.trained.values(), ...copy.statistics.values()])
      expect(variable.trainable).toBe(false);
    network.trained.get('stem.gamma')!.assign(tf.zeros([8]));
    backbone(network, images, true); // moves the statistics of one of them
    expect(embed(copy, images, false).dataSync()).toEqual(before);
    copyValues(network, copy);
    expect(embed(copy, images, false).dataSync()).toEqual(embed(network, images, false).dataSync());
    expect(embed(copy, images, false).dataSync()).not.toEqual(before);
  });

  test('the classifier computes features x weights + bias from weights within 1 / sqrt(inputs)', () => {
    const classifier = createClassifier({ inputs: 4, classes: 2, seed: 1 });
    const weights = classifier.trained.get('classifier.weights')!;
    const drawn = weights.dataSync();
    expect(Math.max(...drawn.map(Math.abs))).toBeLessThanOrEqual(0.5);
    expect(new Set(drawn).size).toBe(8);
    weights.assign(tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]));
    classifier.trained.get('classifier.bias')!.assign(tf.tensor1d([10, 20]));
    expect([...logits(classifier, tf.tensor2d([[1, 0, 0, -1]])).dataSync()]).toEqual([4, 14]);
  });

  test.each(['resnet18', 'resnet50'] as const)('%s and a classifier learn labels together', (name) => {
    const network = tiny({ network: name });
    const classifier = createClassifier({
      inputs: backboneChannels(network.architecture),
      classes: 2,
      seed: 0,
    });
    const headless = [...network.trained].filter(([layer]) => !layer.startsWith('head.'));
    const weights = new Map([...headless, ...classifier.trained]);
    const optimiser = createOptimiser(weights, { momentum: 0, decay: 0 });
    const images = pictures(8, 16, 4);
    const labels = tf.tensor1d([0, 1, 0, 1, 1, 0, 1, 0], 'int32');
    const step = () =>
      tf.tidy(() => {
        const objective = () =>
          tf.mean(crossEntropy(logits(classifier, backbone(network, images, true)), labels)) as Scalar;
        const { value, grads } = tf.variableGrads(objective, [...weights.values()]);
        optimiser.step(grads, tf.scalar(0.03));
        return value.dataSync()[0]!;
      });
    const losses = Array.from({ length: 8 }, step);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! * 0.5);
  });
});
