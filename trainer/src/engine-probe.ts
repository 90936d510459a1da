/**
 * Trains a little on one engine and tells how it went. A process of its own, because a library that does not fit
 * can end it: `engine-report.ts` starts it with a `ProbeOrder` as its argument and reads its last line.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { LookalikeError, messageOf } from '../../dist/offline.js';
import { resolveSettings, type Settings } from './config.js';
import type { ProbeOrder, ProbeReport, TrainingReport } from './engine-report.js';
import type { Batch } from './feed.js';
import { drawFor, normals } from './random.js';
import { choosePlace, PLACES } from './tensorflow-path.js';
import type { Run } from './train.js';

const PICTURES = 4096; // rows of the bank of objectives that have one
const AT_START = { lr: 0.05, epoch: 0, step: 0 };

/** Everything that loads TensorFlow comes after the choice of the engine. */
async function probe(order: ProbeOrder): Promise<TrainingReport> {
  const place = PLACES.find(({ name }) => name === order.place);
  if (!place) throw new LookalikeError('internal', `there is no engine called ${order.place}`);
  choosePlace(place, order.trainer);
  const { engine } = await import('./tensorflow.js');
  const { createNetwork } = await import('./network.js');
  const { createRun } = await import('./train.js');
  const { createStepper } = await import('./step.js');
  const settings = resolveSettings(order.settings);
  const run = createRun(settings, createNetwork(settings), { pictures: PICTURES, classes: null });
  const batch = randomBatch(settings, run.objective.views);
  if (order.gradients) writeFileSync(order.gradients, await gradientsOf(run, batch));
  const stepper = await createStepper(run);
  const losses: number[] = [];
  const milliseconds: number[] = [];
  for (let step = 0; step < order.steps; step++) {
    const began = performance.now();
    losses.push(await stepper.step(batch, { ...AT_START, step }));
    milliseconds.push(performance.now() - began);
  }
  stepper.close();
  const { library, device, onGpu } = engine;
  return { library, device, onGpu, losses, milliseconds, cuda: loadedCuda() };
}

/** All gradients at the start after one another, float32, in the order of the weights. */
async function gradientsOf(run: Run, batch: Batch): Promise<Buffer> {
  const { slopesOf } = await import('./step.js');
  const { take } = await import('./tensorflow.js');
  const parts: Float32Array[] = [];
  for (const tensor of slopesOf(run, batch, AT_START)) parts.push(await take(tensor));
  return Buffer.concat(parts.map((part) => Buffer.from(Float32Array.from(part).buffer)));
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
