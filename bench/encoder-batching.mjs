#!/usr/bin/env node
// What joining concurrent calls of the encoder gains: pictures a second and waiting times with 1, 4 and 16 callers.
//   node bench/encoder-batching.mjs [--model model] [--threads 2] [--batches 1,4,8,16] [--waits 0,2] [--seconds 4] [--rounds 3]
// Each caller embeds one picture after the other. The variants take turns; a row is the median of the rounds.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { joinCalls } from '../dist/engines/embed-batches.js';
import { createOnnxEmbedder } from '../dist/engines/onnx-embedder.js';
import { readModel } from '../dist/offline.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'model' },
    threads: { type: 'string', default: '2' },
    batches: { type: 'string', default: '1,4,8,16' },
    waits: { type: 'string', default: '0,2' },
    callers: { type: 'string', default: '1,4,16' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
  },
});
const numbers = (text) => text.split(',').map(Number);
const { manifest, onnxPath } = await readModel(values.model);
const { width, height } = manifest.input;
const encoder = await createOnnxEmbedder({
  modelPath: onnxPath,
  manifest,
  intraOpThreads: Number(values.threads),
});
const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => 128 + 127 * Math.sin(i * 0.37));
const picture = { width, height, data };
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.floor(q * (list.length - 1))];

async function run(embedder, callers, seconds) {
  const times = [];
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  const call = async () => {
    while (performance.now() - start < seconds * 1000) {
      const began = performance.now();
      await embedder.embed([picture]);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const spent = process.cpuUsage(cpu);
  return {
    perSecond: (1000 * times.length) / (performance.now() - start),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpu: (spent.user + spent.system) / 1000 / times.length,
  };
}

const variants = numbers(values.batches).flatMap((most) =>
  most === 1
    ? [{ name: 'one by one', embedder: encoder }]
    : numbers(values.waits).map((waitMs) => ({
        name: `batch ${most}, wait ${waitMs} ms`,
        embedder: joinCalls(encoder, { most, waitMs }),
      })),
);
await run(encoder, 1, 1);
console.log(
  `${cpus().length} x ${cpus()[0].model}, node ${process.versions.node}, ${manifest.name}, ${values.threads} threads`,
);
console.log('callers | variant | pictures/s | p50 ms | p99 ms | CPU ms a picture');
for (const callers of numbers(values.callers)) {
  const found = variants.map(() => []);
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [i, { embedder }] of variants.entries())
      found[i].push(await run(embedder, callers, Number(values.seconds)));
  for (const [i, { name }] of variants.entries()) {
    const mid = (key) =>
      quantile(
        found[i].map((one) => one[key]),
        0.5,
      ).toFixed(1);
    console.log([callers, name, mid('perSecond'), mid('p50'), mid('p99'), mid('cpu')].join(' | '));
  }
}
await encoder.close();
