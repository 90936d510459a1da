/**
 * Trains a little on one engine and tells how it went. A process of its own, because a library that does not fit
 * can end it: `engine-report.ts` starts it with a `ProbeOrder` as its argument and reads its last line.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { LookalikeError, messageOf } from '../../dist/offline.js';
import { resolveSettings, type Settings } from './config.js';
import type { ProbeOrder, ProbeReport, TrainingReport } from './engine-report.js';
import type { Batch } from './feed.js';
import type { StepInputs } from './objectives/index.js';
import { drawFor, normals } from './random.js';
import type { Tensor2D } from './tensorflow.js';
import { choosePlace, PLACES } from './tensorflow-path.js';

const PICTURES = 4096; // rows of the bank of objectives that have one
const RATE = 0.05;

/** Everything that loads TensorFlow comes after the choice of the engine. */
async function probe(order: ProbeOrder): Promise<TrainingReport> {
  const place = PLACES.find(({ name }) => name === order.place);
  if (!place) throw new LookalikeError('internal', `there is no engine called ${order.place}`);
  choosePlace(place, order.trainer);
  const { engine, take, tf } = await import('./tensorflow.js');
  const { createNetwork } = await import('./network.js');
  const { createRun } = await import('./train.js');
  const { createStepper } = await import('./step.js');
  const settings = resolveSettings(order.settings);
  const run = createRun(settings, createNetwork(settings), { pictures: PICTURES, classes: null });
  const batch = randomBatch(settings, run.objective.views);
  if (order.gradients) writeFileSync(order.gradients, await gradients());
  const stepper = engine.native ? await createStepper(run) : { step: eagerStep, close: () => {} };
  const losses: number[] = [];
  const milliseconds: number[] = [];
  for (let step = 0; step < order.steps; step++) {
    const began = performance.now();
    losses.push(await stepper.step(batch, { lr: RATE, epoch: 0, step }));
    milliseconds.push(performance.now() - began);
  }
  stepper.close();
  const { library, device, onGpu } = engine;
  return { library, device, onGpu, losses, milliseconds, cuda: loadedCuda() };

  function inputsOf({ parts, pictures }: Batch): StepInputs {
    const [{ views, side }] = parts as [Batch['parts'][number]];
    const images = tf.tensor4d(views, [views.length / (side * side * 3), side, side, 3]);
    const drawn = run.objective.draw?.(drawFor(settings.seed, 2), pictures) ?? [];
    return { images, small: null, pictures: tf.tensor1d(pictures, 'int32'), drawn };
  }

  function slopes(inputs: StepInputs, remember: (vectors: Tensor2D) => void) {
    const weights = [...run.network.trained.values(), ...run.objective.trained.values()];
    return { weights, ...tf.variableGrads(() => run.objective.loss(inputs, remember), weights) };
  }

  /** All gradients at the start after one another, float32, in the order of the weights. */
  async function gradients(): Promise<Buffer> {
    const found = tf.tidy(() => {
      const { weights, grads } = slopes(inputsOf(batch), () => {});
      return weights.map(({ name }) => grads[name]!);
    });
    const parts: Float32Array[] = [];
    for (const tensor of found) parts.push(await take(tensor));
    return Buffer.concat(parts.map((part) => Buffer.from(Float32Array.from(part).buffer)));
  }

  /** A step where nothing can be compiled and values are not there at once: the same calls as in `step.ts`. */
  async function eagerStep(batch: Batch): Promise<number> {
    const loss = tf.tidy(() => {
      const inputs = inputsOf(batch);
      let kept: Tensor2D | undefined;
      const { value, grads } = slopes(inputs, (vectors) => {
        kept = tf.keep(tf.clone(vectors));
      });
      run.optimiser.step(grads, tf.scalar(RATE));
      if (kept) run.objective.update?.(inputs, kept);
      kept?.dispose();
      return value;
    });
    return (await take(loss))[0]!;
  }
}

/** Random pixels: the loss falls all the same when every step sees the same ones. */
function randomBatch({ batch, size, seed }: Settings, views: number): Batch {
  const pixels = normals(drawFor(seed, 1), views * batch * size * size * 3);
  const pictures = Int32Array.from({ length: batch }, (_, i) => i);
  return { parts: [{ views: pixels, side: size }], pictures };
}

/** Which CUDA libraries are mapped into this process now (Linux); the GPU build loads them when it needs them. */
function loadedCuda(): string[] {
  try {
    const paths = readFileSync('/proc/self/maps', 'utf8').split('\n');
    const names = paths.map((line) => line.slice(line.indexOf('/')));
    return [...new Set(names.filter((name) => /\/lib(cuda|cudart|cudnn|cublas)[^/]*\.so/.test(name)))];
  } catch {
    return [];
  }
}

const report: ProbeReport = await probe(JSON.parse(process.argv[2]!) as ProbeOrder).catch(
  (error: unknown) => ({
    failure: messageOf(error),
    noDevice: error instanceof LookalikeError && error.code === 'provider_unavailable',
  }),
);
console.log(JSON.stringify(report));
