#!/usr/bin/env node
// Where the helping threads of the encoder are and what they do while they wait: one picture now and then, and four clients that
// also decode.
//   node bench/encoder-waiting.mjs --pictures <folder> [--model model] [--threads 2] [--rounds 6]
// The ways take turns; told are median and 90th percentile of single pictures, and the median over rounds of pictures a second.
import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openRuns } from '../dist/engines/onnx-runs.js';
import { encoderRun, openEncoderSession } from '../dist/engines/onnx-session.js';
import { createDecoder, readModel, toTensor } from '../dist/offline.js';
import { machine, quantile, spread } from './kit.mjs';
import { uploads } from './services.mjs';

const { values } = parseArgs({
  options: {
    pictures: { type: 'string' },
    model: { type: 'string', default: 'model' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '6' },
  },
});
if (!values.pictures) throw new Error('--pictures <folder> is missing');
const WAYS = {
  'sleep, wherever they are woken': { processors: [] },
  'sleep, in the half where the caller is not': {},
  'spin, also after a run': { spinning: true },
};
const RESTS = [5, 50]; // milliseconds
const CLIENTS = 4;
const SECONDS = 2;
const { manifest, onnxPath } = await readModel(values.model);
const files = await uploads(values.pictures, 20);
const decoder = createDecoder();
const bytes = await readFile(onnxPath);
const ways = [];
for (const [name, options] of Object.entries(WAYS)) {
  const open = async (threads) => encoderRun(await openEncoderSession(bytes, threads), manifest);
  const run = await openRuns({ intraOpThreads: Number(values.threads), open, ...options });
  ways.push({ name, run: (tensor) => run()(tensor, 1), alone: RESTS.map(() => []), together: [] });
}
const decoded = async (file) =>
  toTensor([(await decoder.decode(file, manifest.preprocess)).image], manifest.preprocess);

/** Milliseconds of single pictures, each decoded after a rest: threads that slept meanwhile may wake up on one core. */
async function alone({ run }, rest) {
  const times = [];
  for (const file of files) {
    await setTimeout(rest);
    const tensor = await decoded(file);
    const began = performance.now();
    await run(tensor);
    times.push(performance.now() - began);
  }
  return times;
}

/** Pictures a second of clients that decode and embed in turn. */
async function together({ run }) {
  let done = 0;
  const until = performance.now() + 1000 * SECONDS;
  const client = async (_, start) => {
    for (let i = start; performance.now() < until; i++, done++)
      await run(await decoded(files[i % files.length]));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return done / SECONDS;
}

for (let round = -1; round < Number(values.rounds); round++)
  for (const way of ways) {
    const found = [];
    for (const rest of RESTS) found.push(await alone(way, rest));
    const rate = await together(way);
    await setTimeout(1000); // threads that spin on are at rest then
    if (round < 0) continue;
    for (const [i, times] of found.entries()) way.alone[i].push(...times);
    way.together.push(rate);
  }
const { cpu, cores, flags, date } = machine();
const spreadOf = (times) => {
  const sorted = [...times].sort((a, b) => a - b);
  return [0.5, 0.9].map((part) => quantile(sorted, part).toFixed(2)).join(' / ');
};
console.log(`${cores} x ${cpu} (${flags.join(', ')}), ${date}; ${values.threads} threads\n`);
const rests = RESTS.map((rest) => `one picture after ${rest} ms of rest, ms, median / p90`);
console.log(
  `| helping threads | ${rests.join(' | ')} | four clients with decoding, a second |\n|---|---|---|---|`,
);
for (const { name, alone, together } of ways)
  console.log(`| ${name} | ${alone.map(spreadOf).join(' | ')} | ${spread(together).median.toFixed(0)} |`);
process.exit();
