import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeOnnxModel } from '../../../src/engines/onnx-model.js';
import { resolveSettings } from '../../../trainer/src/config.js';
import { drawFor, normals } from '../../../trainer/src/random.js';
import { nativeReady } from './native.js';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-network-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!nativeReady)('network', async () => {
  if (!nativeReady) return;
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const { createNetwork, embed } = await import('../../../trainer/src/network.js');
  const { createRun, groupsOf, train, trainStep } = await import('../../../trainer/src/train.js');
  const { readCheckpoint, readState, writeCheckpoint } = await import('../../../trainer/src/checkpoint.js');
  const { encoderGraph } = await import('../../../trainer/src/encoder-graph.js');

  const batchOf = (size: number, views: number, seed: number) => ({
    views: normals(drawFor(seed), views * 8 * size * size * 3),
    pictures: Int32Array.from([3, 1, 4, 15, 9, 2, 6, 5]),
  });
  /** A tiny network after a few steps, so that no statistic is at its start. */
  function trained(overrides: Record<string, unknown>) {
    const settings = resolveSettings({ width: 0.125, size: 32, batch: 8, dimension: 16 }, overrides);
    const run = createRun(settings, createNetwork(settings), 16);
    const views = settings.objective === 'two-view' ? 2 : 1;
    const losses = [1, 2, 3].map((seed) => trainStep(run, batchOf(settings.size, views, seed), 0.05));
    return { run, losses, settings };
  }

  test.each([
    { size: 32, head: 'mlp', runAt: 40 },
    { size: 64, head: 'linear', runAt: 64 },
    { size: 160, head: 'mlp', runAt: 128 },
  ])('the exported graph equals the network: $size px, $head head, run at $runAt px', async (given) => {
    const { runAt, ...overrides } = given;
    const { run } = trained(overrides);
    const pictures = normals(drawFor(9), 5 * runAt * runAt * 3);
    const nhwc = tf.tensor4d(pictures, [5, runAt, runAt, 3]);
    const expected = embed(run.network, nhwc, false).dataSync();
    const session = await InferenceSession.create(encodeOnnxModel(encoderGraph(run.network)), {
      intraOpNumThreads: 1,
    });
    const nchw = tf.transpose(nhwc, [0, 3, 1, 2]).dataSync() as Float32Array;
    const { embedding } = await session.run({ image: new Tensor('float32', nchw, [5, 3, runAt, runAt]) });
    await session.release();
    const actual = embedding!.data as Float32Array;
    expect(actual.length).toBe(5 * 16);
    actual.forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4);
    });
    const first = Math.hypot(...actual.subarray(0, 16));
    expect(Math.abs(first - 1)).toBeLessThan(1e-5);
  });

  test('refuses a size that the strides do not divide', () => {
    expect(() => createNetwork(resolveSettings({ size: 72 }))).toThrow(
      'size is 72, multiples of 16 are allowed',
    );
  });

  test('training on the same batch makes the loss fall and the running statistics follow', () => {
    const { run, settings } = trained({});
    const mean = run.network.statistics.get('stem.mean')!;
    expect(Math.max(...mean.dataSync().map(Math.abs))).toBeGreaterThan(0);
    const batch = batchOf(settings.size, 2, 7);
    const losses = Array.from({ length: 12 }, () => trainStep(run, batch, 0.05));
    expect(losses.at(-1)!).toBeLessThan(losses[0]! * 0.8);
  });

  test('no tensors are left behind by a step', () => {
    const { run, settings } = trained({ objective: 'memory-bank' });
    const before = tf.memory().numTensors;
    trainStep(run, batchOf(settings.size, 1, 8), 0.05);
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each(['two-view', 'memory-bank'])(
    'a run read from its checkpoint goes on bit for bit: %s',
    (objective) => {
      const { run, settings } = trained({ objective });
      const path = join(folder, `${objective}.safetensors`);
      writeCheckpoint(path, groupsOf(run), { progress: { epoch: 1 } });
      const other = createRun({ ...settings, seed: 99 }, createNetwork({ ...settings, seed: 99 }), 16);
      expect(readCheckpoint(path, groupsOf(other))).toEqual({ progress: { epoch: 1 } });
      const batch = batchOf(settings.size, objective === 'two-view' ? 2 : 1, 11);
      for (let step = 0; step < 2; step++)
        expect(trainStep(other, batch, 0.05)).toBe(trainStep(run, batch, 0.05));
      expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    },
  );

  test('a loss that is not a number stops the run, and the checkpoint before it stays', async () => {
    const { run } = trained({ epochs: 2, lr: 0.125 });
    const path = join(folder, 'diverged.safetensors');
    writeCheckpoint(path, groupsOf(run), { good: true });
    const broken = { ...batchOf(32, 2, 12), waitedMs: 0 };
    broken.views[7] = Number.NaN;
    const feed = {
      steps: 2,
      async *epoch() {
        yield { ...batchOf(32, 2, 13), waitedMs: 0 };
        yield broken;
      },
    };
    const silent = { state: {}, shouldStop: () => false, onEpoch: () => {} };
    const ended = train(run, { epoch: 1, step: 0, lossSum: 0 }, { feed, checkpoint: path, ...silent });
    await expect(ended).rejects.toThrow(/NaN in epoch 2.*lower --lr \(it is 0.125\)/);
    expect(readState(path)).toEqual({ good: true });
  });

  test('a checkpoint of another network is refused by name', () => {
    const path = join(folder, 'narrow.safetensors');
    writeCheckpoint(path, groupsOf(trained({}).run), {});
    const wide = resolveSettings({ width: 0.25, size: 32, dimension: 16 });
    expect(() => readCheckpoint(path, groupsOf(createRun(wide, createNetwork(wide), 16)))).toThrow(
      '"weights/stem.kernel" is [3,3,3,8]',
    );
  });
});
