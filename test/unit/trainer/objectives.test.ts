import { describe, expect, test } from 'vitest';
import { OBJECTIVES, resolveSettings, type Settings } from '../../../trainer/src/config.js';
import { drawFor, normals } from '../../../trainer/src/random.js';
import { nativeReady } from './native.js';

const PICTURES = 16;
const DIMENSION = 16;

describe.skipIf(!nativeReady)('objectives', async () => {
  if (!nativeReady) return;
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const { createNetwork } = await import('../../../trainer/src/network.js');
  const { createRun, groupsOf } = await import('../../../trainer/src/train.js');
  const { createStepper, trainStep } = await import('../../../trainer/src/step.js');
  const { negativesOfViews } = await import('../../../trainer/src/objectives/nce.js');
  const { memoryBankLoss, nceLoss, queueLoss, twoViewLoss } = await import('../../../trainer/src/loss.js');

  const classes = { labels: ['a', 'b'], of: Int32Array.from({ length: PICTURES }, (_, i) => i % 2) };
  function runWith(overrides: Record<string, unknown>) {
    const small = { width: 0.125, size: 32, batch: 4, dimension: DIMENSION };
    const settings = resolveSettings(small, overrides);
    return createRun(settings, createNetwork(settings), { pictures: PICTURES, classes });
  }
  type Run = ReturnType<typeof runWith>;

  const batchFor = ({ settings, objective }: Run, seed: number) => {
    const part = (views: number, side: number) => ({
      side,
      views: normals(drawFor(seed, side), views * 4 * side * side * 3),
    });
    const { small_views: more, small_size } = settings as Settings;
    const parts = [part(objective.views, 32), ...(more > 0 ? [part(more, small_size)] : [])];
    return { parts, pictures: Int32Array.from([3, 1, 9, 12]) };
  };
  const step = (run: Run, seed = 1, at = 0) =>
    trainStep(run, batchFor(run, seed), { lr: 0.05, epoch: 0, step: at });
  /** Steps on batches by these seeds, one after the other. */
  async function steps(run: Run, seeds: readonly number[], from = 0): Promise<number[]> {
    const losses: number[] = [];
    for (const [i, seed] of seeds.entries()) losses.push(await step(run, seed, from + i));
    return losses;
  }
  const stateOf = (run: Run, name: string) => run.objective.state.get(name)!;
  const valuesOf = (run: Run, name: string) => [...stateOf(run, name).dataSync()];

  const VARIANTS: Record<string, unknown>[] = [
    ...OBJECTIVES.map((objective) => ({ objective })),
    { objective: 'two-view', decoupled: true, small_views: 2, small_size: 16 },
    { objective: 'memory-bank', views: 2, proximal: 0.1, decoupled: true },
    { objective: 'nce', negatives: 8, shared_negatives: true, views: 2, normaliser: 'constant' },
    { objective: 'nce', negatives: 8, noise: 'all', proximal: 0.5 },
    { objective: 'parametric', views: 2 },
  ];

  test.each(VARIANTS)('%j learns, leaves no tensors behind and repeats itself', async (variant) => {
    const run = runWith({ negatives: 8, queue: 8, ...variant });
    const first = await step(run);
    const before = tf.memory().numTensors;
    const losses = [first, ...(await steps(run, [1, 1, 1], 1))];
    expect(tf.memory().numTensors).toBe(before);
    for (const loss of losses) expect(Number.isFinite(loss)).toBe(true);
    expect(await steps(runWith({ negatives: 8, queue: 8, ...variant }), [1, 1, 1, 1])).toEqual(losses);
  });

  test.each(VARIANTS)('%j: the compiled step is the same step to the bit', async (variant) => {
    const compiled = async () => {
      const run = runWith({ negatives: 8, queue: 8, ...variant });
      const stepper = await createStepper(run);
      const losses: number[] = [];
      for (const at of [0, 1, 2, 3])
        losses.push(await stepper.step(batchFor(run, at), { lr: 0.05, epoch: 0, step: at }));
      stepper.close();
      return losses;
    };
    const losses = await compiled();
    expect(losses).toEqual(await steps(runWith({ negatives: 8, queue: 8, ...variant }), [0, 1, 2, 3]));
    expect(await compiled()).toEqual(losses);
  });

  test.each([
    { objective: 'memory-bank' },
    { objective: 'memory-bank', views: 2 },
    { objective: 'nce', negatives: 8 },
    { objective: 'nce', negatives: 8, shared_negatives: true },
  ])('%j changes the entries of the batch and no others, to unit length', async (variant) => {
    const run = runWith(variant);
    const before = stateOf(run, 'vectors').arraySync() as number[][];
    await step(run);
    const after = stateOf(run, 'vectors').arraySync() as number[][];
    before.forEach((row, i) => {
      if ([3, 1, 9, 12].includes(i)) expect(after[i]).not.toEqual(row);
      else expect(after[i]).toEqual(row);
      expect(Math.hypot(...after[i]!)).toBeCloseTo(1, 5);
    });
  });

  test('the proximal term keeps embeddings nearer to their entries', async () => {
    const distance = async (proximal: number) => {
      const run = runWith({ objective: 'memory-bank', proximal, bank_momentum: 0.9 });
      const before = stateOf(run, 'vectors').arraySync() as number[][];
      const losses = await steps(run, new Array(20).fill(1));
      expect(losses.every(Number.isFinite)).toBe(true);
      const after = stateOf(run, 'vectors').arraySync() as number[][];
      return [3, 1, 9, 12].reduce(
        (sum, row) => sum + Math.hypot(...before[row]!.map((value, j) => value - after[row]![j]!)),
        0,
      );
    };
    expect(await distance(5)).toBeLessThan(await distance(0));
  });

  describe('negatives', () => {
    test('never are the view itself, and are all others alike', () => {
      const pictures = Int32Array.from([0, 5, 7]);
      const about = { n: 8, m: 2000, views: 2, withoutSelf: true };
      const rows = negativesOfViews(drawFor(1), pictures, about);
      expect(rows.length).toBe(2 * 3 * 2000);
      for (let view = 0; view < 6; view++) {
        const counts = new Array(8).fill(0);
        for (const row of rows.subarray(view * 2000, (view + 1) * 2000)) counts[row]++;
        expect(counts[pictures[view % 3]!]).toBe(0);
        const others = counts.filter((_, row) => row !== pictures[view % 3]);
        for (const count of others) expect(Math.abs(count - 2000 / 7)).toBeLessThan(100);
      }
    });

    test("may be the view itself in the paper's form", () => {
      const about = { n: 4, m: 200, views: 1, withoutSelf: false };
      expect(negativesOfViews(drawFor(2), Int32Array.from([2]), about)).toContain(2);
    });
  });

  describe('Z', () => {
    async function valuesOfZ(run: Run, count: number): Promise<number[]> {
      const seen: number[] = [];
      for (let i = 0; i < count; i++) {
        await step(run, i + 1, i);
        seen.push(valuesOf(run, 'Z')[0]!);
      }
      return seen;
    }

    test('constant: the mean of the first batches, then fixed', async () => {
      const run = runWith({ objective: 'nce', negatives: 8, normaliser: 'constant', z_batches: 2 });
      const seen = await valuesOfZ(run, 4);
      expect(seen[0]).not.toBe(seen[1]);
      expect(seen[2]).toBe(seen[1]);
      expect(seen[3]).toBe(seen[1]);
    });

    test('average: goes on moving', async () => {
      const run = runWith({ objective: 'nce', negatives: 8 });
      const seen = await valuesOfZ(run, 12);
      expect(new Set(seen).size).toBe(12);
      expect(valuesOf(run, 'batches')).toEqual([12]);
    });
  });

  describe('queue', () => {
    test('the oldest keys make place for the new ones, around the end', async () => {
      const run = runWith({ objective: 'queue', queue: 6 });
      const rows = () => stateOf(run, 'keys').arraySync() as number[][];
      const [start] = [rows()];
      await step(run);
      const after = rows();
      expect(after.map((row, i) => String(row) !== String(start[i]))).toEqual([
        true,
        true,
        true,
        true,
        false,
        false,
      ]);
      await step(run, 2);
      expect(rows().map((row, i) => String(row) !== String(after[i]))).toEqual([
        true,
        true,
        false,
        false,
        true,
        true,
      ]);
      expect(valuesOf(run, 'place')).toEqual([2]);
    });

    test('the slow encoder follows by its share', async () => {
      const run = runWith({ objective: 'queue', queue: 8, encoder_momentum: 0.75 });
      const name = 'head.last.weights';
      const start = [...run.network.trained.get(name)!.dataSync()];
      expect(valuesOf(run, `slow/${name}`)).toEqual(start);
      await step(run);
      const moved = run.network.trained.get(name)!.dataSync();
      valuesOf(run, `slow/${name}`).forEach((value, i) => {
        expect(value).toBeCloseTo(0.75 * start[i]! + 0.25 * moved[i]!, 5);
      });
    });
  });

  /**
   * Two fresh views as the positive pair with stale bank entries as the negatives is the combination that
   * degenerates: all features can move away from where they were, which costs the pair nothing. Here all
   * features of a crowded space are turned by one and the same angle away from their entries.
   */
  describe('running away from the bank', () => {
    const n = 24;
    const crowded = Array.from({ length: n }, (_, i) => {
      const values = [...normals(drawFor(i, 77), DIMENSION, 0.3)].map(
        (value, j) => value + (j % 2 === 0 ? 1 : 0),
      );
      const length = Math.hypot(...values);
      return values.map((value) => value / length);
    });
    const turned = (angle: number) =>
      crowded.map((row) =>
        row.map((value, j) => {
          const [a, b] = j % 2 === 0 ? [value, row[j + 1]!] : [row[j - 1]!, value];
          return j % 2 === 0
            ? a * Math.cos(angle) - b * Math.sin(angle)
            : a * Math.sin(angle) + b * Math.cos(angle);
        }),
      );
    const bank = tf.tensor2d(crowded);
    const pictures = tf.range(0, n, 1, 'int32') as never;
    const softmax = { temperature: 0.1 };
    const pays = (loss: (views: ReturnType<typeof tf.tensor2d>) => { dataSync(): ArrayLike<number> }) =>
      loss(tf.tensor2d(turned(0.5))).dataSync()[0]! < loss(tf.tensor2d(crowded)).dataSync()[0]! - 1e-3;

    test('does not pay with the own entry as the positive', () => {
      expect(pays((views) => memoryBankLoss(views, { bank, pictures }, softmax))).toBe(false);
      expect(
        pays((views) => memoryBankLoss(views, { bank, pictures }, { ...softmax, decoupled: true })),
      ).toBe(false);
      expect(pays((views) => queueLoss(views, { keys: bank, queue: bank }, softmax))).toBe(false);
    });

    test('does not pay by noise-contrastive estimation', () => {
      const loss = (views: ReturnType<typeof tf.tensor2d>) => {
        const all = tf.div(tf.matMul(views, bank, false, true), 0.1) as ReturnType<typeof tf.tensor2d>;
        const own = tf.eye(n);
        const scores = { positive: tf.sum(tf.mul(all, own), 1), negatives: all, counted: tf.sub(1, own) };
        return nceLoss(scores as never, { Z: tf.scalar(n * Math.exp(8)), noise: n - 1 });
      };
      expect(pays(loss)).toBe(false);
    });

    test('is neither here nor there between views of the batch', () => {
      expect(pays((views) => twoViewLoss(tf.concat([views, views]), softmax))).toBe(false);
    });

    test('would pay with fresh positives against the bank: this test can tell', () => {
      expect(pays((views) => queueLoss(views, { keys: views, queue: bank }, softmax))).toBe(true);
    });
  });

  test('a checkpoint holds everything that an objective moves', async () => {
    for (const objective of OBJECTIVES) {
      const run = runWith({ objective, negatives: 8, queue: 8 });
      const held = new Set(Object.values(groupsOf(run)).flatMap((group) => [...group.values()]));
      const before = new Map([...held].map((variable) => [variable, variable.dataSync().slice()]));
      await step(run);
      // Whatever is not held must not decide the next loss: a second run with the held values repeats it.
      const other = runWith({ objective, negatives: 8, queue: 8, seed: 5 });
      const groups = groupsOf(other);
      for (const [name, group] of Object.entries(groupsOf(run)))
        for (const [key, variable] of group) groups[name]!.get(key)!.assign(variable as never);
      const settings = { ...other, settings: run.settings };
      expect(await step(settings, 2, 1)).toBe(await step(run, 2, 1));
      expect([...before].some(([variable, values]) => String(variable.dataSync()) !== String(values))).toBe(
        true,
      );
    }
  });
});
