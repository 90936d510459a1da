#!/usr/bin/env node
// What compiling a training step gains: eager and compiled steps of the same run, timed in turns in one process.
//   node bench/trainer-step.mjs [--recipe two-view] [--width 0.25] [--size 32] [--pictures 50000] [--steps 5] [--rounds 5] [--json]
// Views are random numbers: only time is measured. Needs `npm run build` and `npm run trainer:setup`.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { readRecipe, resolveSettings } from '../trainer/dist/config.js';
import { createNetwork } from '../trainer/dist/network.js';
import { drawFor, normals } from '../trainer/dist/random.js';
import { createStepper, trainStep } from '../trainer/dist/step.js';
import { tf } from '../trainer/dist/tensorflow.js';
import { createRun } from '../trainer/dist/train.js';
import { viewParts } from '../trainer/dist/views.js';

const { values } = parseArgs({
  options: {
    recipe: { type: 'string', default: 'two-view' },
    width: { type: 'string', default: '0.25' },
    size: { type: 'string', default: '32' },
    pictures: { type: 'string', default: '50000' }, // rows of a memory bank
    steps: { type: 'string', default: '5' }, // in a row, before it is the other's turn
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const [width, size, pictures, steps, rounds] = ['width', 'size', 'pictures', 'steps', 'rounds'].map((name) =>
  Number(values[name]),
);

const settings = resolveSettings(readRecipe(values.recipe), { width, size });
const run = createRun(settings, createNetwork(settings), { pictures, classes: null });
const stepper = await createStepper(run);
const batch = {
  parts: viewParts(run).map(({ views, size: side }) => ({
    side,
    views: normals(drawFor(2, side), views * settings.batch * side * side * 3),
  })),
  pictures: Int32Array.from({ length: settings.batch }, (_, i) => i),
};
const viewsOfStep = viewParts(run).reduce((sum, { views }) => sum + views * settings.batch, 0);

let done = 0;
const at = () => ({ lr: 0.01, epoch: 0, step: done++ });
const ways = {
  eager: () => trainStep(run, batch, at()),
  compiled: () => stepper.step(batch, at()),
};

/** Milliseconds a step. */
function time(step) {
  const began = performance.now();
  for (let i = 0; i < steps; i++) step();
  return (performance.now() - began) / steps;
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

for (const step of Object.values(ways)) step(); // traces, allocates
const times = { eager: [], compiled: [] };
for (let round = 0; round < rounds; round++)
  for (const [name, step] of Object.entries(ways)) times[name].push(time(step));
stepper.close();

const views = (name) => (1000 * viewsOfStep) / median(times[name]);
const result = {
  recipe: values.recipe,
  width,
  size,
  pictures,
  views_per_second: { eager: views('eager'), compiled: views('compiled') },
  ratio: median(times.compiled.map((ms, i) => times.eager[i] / ms)),
  machine: `${cpus().length} x ${cpus()[0].model}, node ${process.versions.node}, TensorFlow ${tf.backend().binding.TF_Version}`,
};
if (values.json) console.log(JSON.stringify(result));
else
  console.log(
    `${values.recipe} x${width}, ${size} px: eager ${views('eager').toFixed(0)} views/s, compiled ${views('compiled').toFixed(0)} views/s, ratio ${result.ratio.toFixed(2)} (${result.machine})`,
  );
