#!/usr/bin/env node
// Which 128 numbers are the better embedding: those of the learned head, or the backbone's features by a whitening
// that is learned from the same pictures without labels? Weighted kNN with each, from a trained checkpoint.
//   node bench/embedding-choice.mjs --checkpoint <folder> --pictures <train> --held-out <val>
//     [--sizes 64,80,96] [--dimension 128] [--k 200] [--temperature 0.07] [--json <file>]
// To choose by is the kNN among the training pictures; held-out pictures are only measured with.
// Uses the built trainer (`npm run build`, `npm run trainer:setup`); pictures are decoded once into <checkpoint>/pack.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCheckpoint, readState } from '../trainer/dist/checkpoint.js';
import { backboneFeatures, innerAccuracy, knnAccuracy, labelledPart } from '../trainer/dist/evaluate.js';
import { splitFolder } from '../trainer/dist/folder.js';
import { createNetwork, normalise, project } from '../trainer/dist/network.js';
import { packImages } from '../trainer/dist/pack.js';
import { tf } from '../trainer/dist/tensorflow.js';
import { whitening, withWhitening } from '../trainer/dist/whitening.js';

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    pictures: { type: 'string' },
    'held-out': { type: 'string' },
    sizes: { type: 'string' },
    dimension: { type: 'string', default: '128' },
    k: { type: 'string', default: '200' },
    temperature: { type: 'string', default: '0.07' },
    json: { type: 'string' },
  },
});
for (const name of ['checkpoint', 'pictures', 'held-out'])
  if (!values[name]) throw new Error(`--${name} is missing: which folder?`);
const vote = { k: Number(values.k), temperature: Number(values.temperature) };
const dimension = Number(values.dimension);
const POWERS = [0, 0.25, 0.5, 0.75, 1];

const path = join(values.checkpoint, 'checkpoint.safetensors');
const { settings, progress } = readState(path);
const network = createNetwork({ network: 'resnet18', ...settings }); // older checkpoints do not say which
readCheckpoint(path, { weights: network.trained, statistics: network.statistics });
const sizes = (values.sizes ?? String(settings.size)).split(',').map(Number);

const split = await splitFolder(values.pictures, values['held-out'], settings.seed);
const packed = (images, size) => packImages(images, size, { cacheDir: join(values.checkpoint, 'pack') });

/** The head's output for features (count x channels), not yet of unit length. */
const projected = (of, rows, count) =>
  tf.tidy(() => project(of, tf.tensor2d(rows, [count, rows.length / count])).dataSync());
const unit = (rows, count) =>
  tf.tidy(() => normalise(tf.tensor2d(rows, [count, rows.length / count])).dataSync());

/** Each candidate turns the features of both parts into vectors; what is learned, is learned from `known`. */
function candidates(known, count) {
  const channels = known.length / count;
  const own = projected(network, known, count);
  const learned = (power, numbers) => {
    const whitened = withWhitening(network, whitening(known, { count, dimension: numbers, power }));
    return (rows, n) => projected(whitened, rows, n);
  };
  const onProjection = (power) => {
    const { weights, bias } = whitening(own, { count, dimension: settings.dimension, power });
    return (rows, n) =>
      tf.tidy(() => {
        const x = tf.tensor2d(projected(network, rows, n), [n, settings.dimension]);
        return tf.add(tf.matMul(x, tf.tensor2d(weights, [settings.dimension, bias.length])), bias).dataSync();
      });
  };
  const named = (power) => (power === 0 ? 'PCA' : `whitening, power ${power}`);
  return [
    ['projection', (rows, n) => projected(network, rows, n)],
    ...[0.5, 1].map((power) => [`projection, then ${named(power)}`, onProjection(power)]),
    ['backbone as it is', (rows) => rows],
    [`backbone centred`, learned(0, channels)],
    ...(dimension <= channels ? POWERS : []).map((power) => [
      `backbone, ${named(power)}`,
      learned(power, dimension),
    ]),
  ];
}

const results = [];
for (const size of sizes) {
  const known = await packed(split.training, size);
  const asked = await packed(split.heldOut, size);
  const features = {
    known: await backboneFeatures(network, known),
    asked: await backboneFeatures(network, asked),
  };
  for (const [name, of] of candidates(features.known, known.count)) {
    const vectors = unit(of(features.known, known.count), known.count);
    const clean = labelledPart(known, vectors);
    const queries = labelledPart(asked, unit(of(features.asked, asked.count), asked.count));
    const result = {
      size,
      name,
      dimension: vectors.length / known.count,
      knn_training: await innerAccuracy(clean, vote),
      knn_held_out: await knnAccuracy(queries, clean, vote),
    };
    results.push(result);
    console.error(`${size} px, ${name}: ${(100 * result.knn_held_out).toFixed(1)} % held out`);
  }
}

const about = {
  settings,
  progress,
  pictures: split.training.length,
  held_out: split.heldOut.length,
  ...vote,
};
if (values.json) writeFileSync(values.json, `${JSON.stringify({ ...about, results }, null, 2)}\n`);
const percent = (share) => (100 * share).toFixed(1);
console.log(`| input, pixels | embedding | numbers | kNN % among training pictures (to choose by) | kNN % held out |
|---|---|---|---|---|
${results.map((r) => `| ${r.size} | ${r.name} | ${r.dimension} | ${percent(r.knn_training)} | ${percent(r.knn_held_out)} |`).join('\n')}`);
