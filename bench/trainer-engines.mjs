#!/usr/bin/env node
// A training step of the real network on every engine that is installed and works here, and whether they agree.
//   node bench/trainer-engines.mjs [--objective two-view] [--network resnet18] [--width 0.25] [--size 32] [--batch 128]
//     [--steps 10] [--minutes 10] [--json file] [--trainer folder]
// Each engine runs in a process of its own, one after another, on the same random pictures, and steps as in a training:
// compiled where it can be, operation by operation on WebGPU. The first step is left out of the time: kernels, shaders
// and the graph are made then. Gradients are those at the start. Needs `npm run build` and `npm run trainer:setup`
// (`-- --gpu`, `-- --webgpu`). A software adapter wants --width 0.125 --size 16 --batch 4.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveSettings } from '../trainer/dist/config.js';
import { askEngine } from '../trainer/dist/engine-report.js';
import { findPlace, PLACES, TRAINER } from '../trainer/dist/tensorflow-path.js';

const { values } = parseArgs({
  options: {
    objective: { type: 'string', default: 'two-view' },
    network: { type: 'string', default: 'resnet18' },
    width: { type: 'string', default: '0.25' },
    size: { type: 'string', default: '32' },
    batch: { type: 'string', default: '128' },
    steps: { type: 'string', default: '10' },
    minutes: { type: 'string', default: '10' }, // for one engine
    json: { type: 'string' },
    trainer: { type: 'string', default: TRAINER },
  },
});
const { objective, network, trainer } = values;
const [width, size, batch, steps] = ['width', 'size', 'batch', 'steps'].map((name) => Number(values[name]));
if (!(Number.isInteger(steps) && steps >= 2)) throw new Error(`--steps is ${values.steps}, at least 2`);
const settings = { objective, network, width, size, batch };
resolveSettings(settings); // a wrong value stops here

const scratch = mkdtempSync(join(tmpdir(), 'lookalike-engines-'));
const gradientsOf = (name) => join(scratch, name.replaceAll(' ', '-'));
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

function readGradients(name) {
  const bytes = readFileSync(gradientsOf(name));
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Length of the difference of all gradients over the length of the reference's. */
function gradientError(name, reference) {
  const [found, expected] = [readGradients(name), readGradients(reference)];
  const length = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return length(Float64Array.from(expected, (value, i) => value - found[i])) / length(expected);
}

async function measure(place) {
  const { name, engine } = place;
  if (findPlace(place, trainer) === null) return { name, engine, failure: 'not installed' };
  console.error(`${name} …`);
  const order = { place: name, trainer, settings, steps, gradients: gradientsOf(name) };
  const answer = await askEngine(order, { timeoutMs: Number(values.minutes) * 60_000 });
  if ('failure' in answer) return { name, engine, failure: answer.failure };
  const { library, onGpu, losses, milliseconds } = answer;
  const device = engine === 'webgpu' && !onGpu ? `${answer.device} (software)` : answer.device;
  const ms = median(milliseconds.slice(1));
  return { name, engine, library, device, onGpu, first_ms: milliseconds[0], ms, losses };
}

/** Adds the time and the agreement relative to the first engine that works. */
function compare(rows) {
  const [reference] = rows.filter(({ failure }) => !failure);
  return rows.map((row) => {
    if (row.failure || row === reference) return row;
    return {
      ...row,
      speedup: reference.ms / row.ms,
      loss_error: Math.abs(row.losses[0] / reference.losses[0] - 1),
      gradient_error: gradientError(row.name, reference.name),
    };
  });
}

function table(rows) {
  const line = ({ name, device, ms, failure, speedup = 1, loss_error, gradient_error }) => {
    if (failure) return `| ${name} | ${failure} | | | | | |`;
    const error = (value) => (value === undefined ? '' : value.toExponential(1));
    const rate = (batch * 1000) / ms;
    const cells = [name, device, ms.toFixed(1), rate.toFixed(1), speedup.toFixed(3)];
    return `| ${[...cells, error(loss_error), error(gradient_error)].join(' | ')} |`;
  };
  return [
    '| engine | device | ms a step | pictures/s | speed | loss differs by | gradients differ by |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(line),
  ].join('\n');
}

const rows = [];
for (const place of PLACES) rows.push(await measure(place));
const result = {
  machine: `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.versions.node,
  settings,
  steps,
  engines: compare(rows),
};
rmSync(scratch, { recursive: true });
console.log(`${network} x${width}, ${size} px, batch ${batch}, ${objective}, ${result.machine}\n`);
console.log(table(result.engines));
if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
