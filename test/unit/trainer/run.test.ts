import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { OBJECTIVES, resolveSettings } from '../../../trainer/src/config.js';
import { drawFor, normals } from '../../../trainer/src/random.js';
import { nativeReady } from './native.js';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!nativeReady)('runs', async () => {
  if (!nativeReady) return;
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const { createNetwork } = await import('../../../trainer/src/network.js');
  const { createRun, groupsOf, train } = await import('../../../trainer/src/train.js');
  const { trainStep } = await import('../../../trainer/src/step.js');
  const { readCheckpoint, readState, writeCheckpoint } = await import('../../../trainer/src/checkpoint.js');

  const about = { pictures: 16, classes: null };
  const batchOf = (side: number, views: number, seed: number) => ({
    parts: [{ side, views: normals(drawFor(seed), views * 8 * side * side * 3) }],
    pictures: Int32Array.from([3, 1, 4, 15, 9, 2, 6, 5]),
    waitedMs: 0,
  });
  const at = (step: number) => ({ lr: 0.05, epoch: 0, step });
  /** A tiny network after a few steps, so that no statistic is at its start. */
  async function trained(overrides: Record<string, unknown>) {
    const settings = resolveSettings({ width: 0.125, size: 32, batch: 8, dimension: 16 }, overrides);
    const run = createRun(settings, createNetwork(settings), about);
    for (const seed of [1, 2, 3])
      await trainStep(run, batchOf(settings.size, run.objective.views, seed), at(seed));
    return { run, settings };
  }

  test('training on the same batch makes the loss fall and the running statistics follow', async () => {
    const { run, settings } = await trained({});
    const mean = run.network.statistics.get('stem.mean')!;
    expect(Math.max(...mean.dataSync().map(Math.abs))).toBeGreaterThan(0);
    const batch = batchOf(settings.size, 2, 7);
    const losses: number[] = [];
    for (let step = 0; step < 12; step++) losses.push(await trainStep(run, batch, at(step)));
    expect(losses.at(-1)!).toBeLessThan(losses[0]! * 0.8);
  });

  test('no tensors are left behind by a step', async () => {
    const { run, settings } = await trained({ objective: 'memory-bank' });
    const before = tf.memory().numTensors;
    await trainStep(run, batchOf(settings.size, 1, 8), at(4));
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each(OBJECTIVES.filter((name) => name !== 'supervised'))(
    'a run read from its checkpoint goes on bit for bit: %s',
    async (objective) => {
      const { run, settings } = await trained({ objective, negatives: 8, queue: 16 });
      const path = join(folder, `${objective}.safetensors`);
      writeCheckpoint(path, groupsOf(run), { progress: { epoch: 1 } });
      const other = createRun({ ...settings, seed: 99 }, createNetwork({ ...settings, seed: 99 }), about);
      // The draws of a step go by the seed: it is a setting, which the checkpoint keeps beside the values.
      const resumed = { ...other, settings };
      expect(readCheckpoint(path, groupsOf(other))).toEqual({ progress: { epoch: 1 } });
      const batch = batchOf(settings.size, run.objective.views, 11);
      for (let step = 0; step < 2; step++)
        expect(await trainStep(resumed, batch, at(step))).toBe(await trainStep(run, batch, at(step)));
      expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    },
  );

  test('a loss that is not a number stops the run, and the checkpoint before it stays', async () => {
    const { run } = await trained({ epochs: 2, lr: 0.125 });
    const path = join(folder, 'diverged.safetensors');
    writeCheckpoint(path, groupsOf(run), { good: true });
    const broken = batchOf(32, 2, 12);
    broken.parts[0]!.views[7] = Number.NaN;
    const feed = {
      steps: 2,
      async *epoch() {
        yield batchOf(32, 2, 13);
        yield broken;
      },
    };
    const silent = { state: {}, shouldStop: () => false, onEpoch: async () => {} };
    const ended = train(run, { epoch: 1, step: 0, lossSum: 0 }, { feed, checkpoint: path, ...silent });
    await expect(ended).rejects.toThrow(/NaN in epoch 2.*lower --lr \(it is 0.125\)/);
    expect(readState(path)).toEqual({ good: true });
  });

  test('a checkpoint of another network is refused by name', async () => {
    const path = join(folder, 'narrow.safetensors');
    writeCheckpoint(path, groupsOf((await trained({})).run), {});
    const wide = resolveSettings({ width: 0.25, size: 32, dimension: 16 });
    expect(() => readCheckpoint(path, groupsOf(createRun(wide, createNetwork(wide), about)))).toThrow(
      '"weights/stem.kernel" is F32 [3,3,3,8]',
    );
  });
});
