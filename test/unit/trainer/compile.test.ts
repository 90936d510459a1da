import { describe, expect, test } from 'vitest';
import { LookalikeError } from '../../../dist/offline.js';
import type { CompiledUpdate } from '../../../trainer/src/compile.js';
import { resolveSettings } from '../../../trainer/src/config.js';
import { drawFor, normals } from '../../../trainer/src/random.js';
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '../../../trainer/src/tensorflow.js';
import { nativeReady } from './native.js';

const BATCH = 8;
const SIZE = 32;

describe.skipIf(!nativeReady)('compile', async () => {
  if (!nativeReady) return;
  const { tf } = await import('../../../trainer/src/tensorflow.js');
  const { compile, compileUpdate } = await import('../../../trainer/src/compile.js');
  const { backend } = await import('../../../trainer/src/native.js');
  const binding = backend.binding as unknown as Record<
    'getNumOfSavedModels' | 'getNumOfTensors',
    () => number
  >;
  const { createNetwork, embed } = await import('../../../trainer/src/network.js');
  const { memoryBankLoss, twoViewLoss } = await import('../../../trainer/src/loss.js');
  const { createMemoryBank, remember } = await import('../../../trainer/src/memory-bank.js');
  const { createOptimiser } = await import('../../../trainer/src/optimiser.js');

  /** The whole state of a small training, and the step that moves it: inputs are views, pictures, rate. */
  function createStep(views: number) {
    const settings = resolveSettings({ width: 0.125, size: SIZE, dimension: 16 }, {});
    const network = createNetwork(settings);
    const optimiser = createOptimiser(network.trained, { momentum: 0.9, decay: 5e-4 });
    const bank = views === 1 ? createMemoryBank(20, 16, 1) : null;
    const softmax = { temperature: 0.1 };
    const body = ([images, pictures, rate]: Tensor[]) => {
      let vectors: Tensor2D | undefined;
      const rows = pictures as Tensor1D;
      const objective = (): Scalar => {
        vectors = tf.keep(embed(network, images as Tensor4D, true));
        return bank
          ? memoryBankLoss(vectors, { bank: bank as never, pictures: rows }, softmax)
          : twoViewLoss(vectors, softmax);
      };
      const { value, grads } = tf.variableGrads(objective, [...network.trained.values()]);
      optimiser.step(grads, rate as Scalar);
      if (bank) remember(bank, { pictures: rows, vectors: vectors!, momentum: 0.5 });
      vectors!.dispose();
      return value;
    };
    const maps = [network.trained, network.statistics, optimiser.slots];
    const variables = [...maps.flatMap((map) => [...map.values()]), ...(bank ? [bank] : [])];
    const values = () => variables.map((variable) => variable.dataSync() as Float32Array);
    return { body, variables, values };
  }

  /** The inputs of step `i`: other pictures and another rate each time. */
  const inputsOf = (views: number, i: number): Tensor[] => [
    tf.tensor4d(normals(drawFor(7, i), BATCH * views * SIZE * SIZE * 3), [BATCH * views, SIZE, SIZE, 3]),
    tf.tensor1d(
      Array.from({ length: BATCH }, (_, b) => (b * 3 + i) % 20),
      'int32',
    ),
    tf.scalar(0.05 / (i + 1)),
  ];

  function eagerSteps(views: number, count: number) {
    const { body, values } = createStep(views);
    const losses = Array.from(
      { length: count },
      (_, i) => tf.tidy(() => body(inputsOf(views, i))).dataSync()[0]!,
    );
    return { losses, values: values() };
  }

  const scoped = <T>(body: () => T): T => {
    let result!: T;
    tf.tidy(() => {
      result = body();
    });
    return result;
  };
  const compileStep = ({ body, variables }: ReturnType<typeof createStep>, views: number): CompiledUpdate =>
    scoped(() => compileUpdate(body, { inputs: inputsOf(views, 0), variables }));

  function compiledSteps(views: number, count: number) {
    const step = createStep(views);
    const update = compileStep(step, views);
    const losses = Array.from({ length: count }, (_, i) => scoped(() => update.run(inputsOf(views, i))));
    update.close();
    return { losses, values: step.values() };
  }

  test.each([1, 2])('compiled steps give the bits of eager ones, and again the same: %i view(s)', (views) => {
    const eager = eagerSteps(views, 6);
    expect(eager.losses.every(Number.isFinite)).toBe(true);
    expect(compiledSteps(views, 6)).toEqual(eager);
    expect(compiledSteps(views, 6)).toEqual(eager);
  });

  test('compiling moves nothing, also when it fails; 50 runs leave no tensors, closing no graph', () => {
    const graphs = binding.getNumOfSavedModels();
    const step = createStep(1);
    const before = step.values();
    const failing = (inputs: Tensor[]) => {
      step.body(inputs);
      throw new Error('no luck');
    };
    expect(() => compileStep({ ...step, body: failing }, 1)).toThrow('no luck');
    const update = compileStep(step, 1);
    expect(step.values()).toEqual(before);
    const held = () => [tf.memory().numTensors, tf.memory().numBytes, binding.getNumOfTensors()];
    const run = () => scoped(() => update.run(inputsOf(1, 0)));
    run();
    const first = held();
    for (let i = 0; i < 50; i++) run();
    expect(held()).toEqual(first);
    expect(step.values()).not.toEqual(before);
    update.close();
    update.close();
    expect(binding.getNumOfSavedModels()).toBe(graphs);
    expect(run).toThrow('closed');
  });

  test('variables that share a tensor are told apart', () => {
    const a = tf.variable(tf.tensor1d([1, 2]));
    const b = tf.variable(a.clone());
    const body = ([x]: Tensor[]) => {
      a.assign(tf.add(a, x!) as Tensor1D);
      b.assign(tf.sub(b, x!) as Tensor1D);
      return tf.sum(tf.mul(a, b)) as Scalar;
    };
    const update = compileUpdate(body, { inputs: [tf.scalar(0)], variables: [a, b] });
    expect(update.run([tf.scalar(3)])).toBe(4 * -2 + 5 * -1);
    expect([[...a.dataSync()], [...b.dataSync()]]).toEqual([
      [4, 5],
      [-2, -1],
    ]);
    update.close();
  });

  test('a variable that only swaps or takes an input is fetched as well', () => {
    const a = tf.variable(tf.scalar(1));
    const b = tf.variable(tf.scalar(2));
    const body = ([x]: Tensor[]) => {
      const old = a.clone();
      a.assign(b as unknown as Scalar);
      b.assign(x as Scalar);
      return old as Scalar;
    };
    const update = compileUpdate(body, { inputs: [tf.scalar(0)], variables: [a, b] });
    expect([update.run([tf.scalar(3)]), update.run([tf.scalar(4)])]).toEqual([1, 2]);
    expect([a.dataSync()[0], b.dataSync()[0]]).toEqual([3, 4]);
    update.close();
  });

  /** Operations of the other objectives and of larger networks, with constants of every type. */
  const functions: Record<string, (x: Tensor4D, rows: Tensor1D) => Tensor[]> = {
    'gather and its gradient': (x, rows) => {
      const flat = tf.reshape(x, [8, -1]);
      return [tf.grad((y) => tf.mean(tf.square(tf.gather(y, rows))))(flat), tf.gather(flat, rows, 1)];
    },
    'max pool and its gradient': (x) => [
      tf.grad((y) => tf.sum(tf.square(tf.maxPool(y as Tensor4D, 3, 2, 'same'))))(x),
    ],
    'top k, concat, one-hot, pad, transpose': (x, rows) => {
      const { values, indices } = tf.topk(tf.reshape(x, [8, -1]), 3);
      const padded = tf.pad(tf.concat([values, tf.cast(indices, 'float32')], 1), [
        [0, 1],
        [2, 0],
      ]);
      return [indices, tf.transpose(padded), tf.oneHot(rows, 8), tf.less(values, 0.5)];
    },
    'choice, sums, softmax, constants': (x) => {
      const masked = tf.where(tf.greater(x, tf.tensor1d([0, 0.1, 0.2])), x, tf.zerosLike(x));
      return [tf.logSoftmax(tf.sum(masked, [1, 2])), tf.div(tf.max(x, -1), 3), tf.slice(x, [1], [2])];
    },
  };

  test.each(Object.keys(functions))('the same bits as eager: %s', (name) => {
    const examples = () => [
      tf.tensor4d(normals(drawFor(3), 8 * 6 * 6 * 3), [8, 6, 6, 3]),
      tf.tensor1d([5, 0, 5, 7], 'int32'),
    ];
    const step = ([x, rows]: Tensor[]) => functions[name]!(x as Tensor4D, rows as Tensor1D);
    const compiled = compile(step, examples());
    const kind = (tensor: Tensor) => ({
      shape: tensor.shape,
      dtype: tensor.dtype,
      values: tensor.dataSync(),
    });
    const other = [
      tf.tensor4d(normals(drawFor(4), 8 * 6 * 6 * 3), [8, 6, 6, 3]),
      tf.tensor1d([1, 2, 3, 3], 'int32'),
    ];
    for (const inputs of [examples(), other])
      expect(compiled.run(inputs).map(kind)).toEqual(step(inputs).map(kind));
    compiled.close();
  });

  test('refuses what would be frozen', () => {
    const known = tf.variable(tf.scalar(1));
    const unknown = tf.variable(tf.scalar(2), true, 'unknown');
    const example = tf.scalar(3);
    const bodies: [(x: Scalar) => Scalar, RegExp][] = [
      [(x) => tf.scalar(tf.add(x, 1).dataSync()[0]!), /values of a tensor are read/],
      [(x) => tf.scalar(x.dataSync()[0]!), /values of a tensor are read/],
      [(x) => tf.mul(x, unknown), /reads the variable "unknown"/],
      [() => tf.square(example), /uses example 0 instead of its argument/],
      [
        (x) => {
          unknown.assign(x);
          return x;
        },
        /moves or makes a variable/,
      ],
      [(x) => tf.variable(x) as unknown as Scalar, /moves or makes a variable/],
    ];
    for (const [body, message] of bodies) {
      const attempt = () =>
        compileUpdate(([x]) => body(x as Scalar), { inputs: [example], variables: [known] });
      expect(attempt).toThrow(message);
      expect(attempt).toThrow(LookalikeError);
    }
    expect(tf.add(known, 1).dataSync()[0]).toBe(2); // the binding is as before
  });

  test('refuses inputs of another shape, type or number', () => {
    const compiled = compile(([x, y]) => [tf.add(x!, y!)], [tf.tensor1d([1, 2]), tf.scalar(1)]);
    const expected = 'compiled for float32 [2], float32 []';
    for (const inputs of [
      [tf.tensor1d([1, 2, 3]), tf.scalar(1)],
      [tf.tensor1d([1, 2]), tf.scalar(1, 'int32')],
      [tf.tensor1d([1, 2])],
    ])
      expect(() => compiled.run(inputs)).toThrow(expected);
    expect([...compiled.run([tf.tensor1d([1, 2]), tf.scalar(1)])[0]!.dataSync()]).toEqual([2, 3]);
    compiled.close();
  });

  test('an index outside is still refused by gather', () => {
    const [rows, far] = [tf.tensor2d([[1], [2]]), tf.tensor1d([2], 'int32')];
    expect(() => tf.gather(rows, far)).toThrow('not in [0, 2)');
    const compiled = compile(([x, i]) => [tf.gather(x!, i as Tensor1D)], [rows, tf.tensor1d([1], 'int32')]);
    expect(() => compiled.run([rows, far])).toThrow('not in [0, 2)');
    compiled.close();
  });
});
