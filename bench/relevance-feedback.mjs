#!/usr/bin/env node
// Which weight of the negative examples helps? For each held-out class member chosen at random: three positive examples of
// its class, three negative ones, precision among the ten nearest (examples left out) for each weight.
//   node bench/relevance-feedback.mjs --pictures <folder> [--model model] [--trials 2000] [--json <file>]
// Negative examples are of two kinds: `near`, the nearest pictures of other classes to the positive ones, as a person would
// mark them in a first answer; and `random`, any pictures of other classes. The same examples serve every weight.
// Needs the build (`npm run build`).
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { rocchio } from '../dist/core/relevance-feedback.js';
import { createDecoder, createEmbedder, listImages, readModel } from '../dist/offline.js';
import { randomFrom } from './kit.mjs';

const { values } = parseArgs({
  options: {
    pictures: { type: 'string' },
    model: { type: 'string', default: 'model' },
    trials: { type: 'string', default: '2000' },
    json: { type: 'string' },
  },
});
if (!values.pictures) throw new Error('--pictures is missing: a folder whose sub-folders are classes');
const BETAS = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 0.75];
const EXAMPLES = 3;
const K = 10;

const bank = await embedFolder(values.pictures);
const random = randomFrom(1);
const tallies = Object.fromEntries(['near', 'random'].map((kind) => [kind, BETAS.map(() => [])]));
for (let trial = 0; trial < Number(values.trials); trial++) {
  const label = bank[Math.floor(random() * bank.length)].label;
  const positive = draw(bank.filter((one) => one.label === label));
  const ranked = nearest(direction(positive, [], 0), new Set(positive));
  const others = ranked.filter((one) => one.label !== label);
  for (const [kind, negative] of [
    ['near', others.slice(0, EXAMPLES)],
    ['random', draw(others)],
  ])
    BETAS.forEach((beta, i) => {
      const found = nearest(direction(positive, negative, beta), new Set([...positive, ...negative])).slice(
        0,
        K,
      );
      tallies[kind][i].push(found.filter((one) => one.label === label).length / K);
    });
}
const result = Object.entries(tallies).flatMap(([negatives, byBeta]) =>
  byBeta.map((precisions, i) => ({
    negatives,
    beta: BETAS[i],
    precision: mean(precisions),
    // Of the difference to beta 0 on the same examples.
    gain: mean(precisions.map((one, trial) => one - byBeta[0][trial])),
    standard_error: error(precisions.map((one, trial) => one - byBeta[0][trial])),
  })),
);
console.table(result);
if (values.json) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);

function direction(positive, negative, beta) {
  return rocchio(
    positive.map(({ vector }) => vector),
    negative.map(({ vector }) => vector),
    beta,
  );
}

function nearest(query, leftOut) {
  const scored = [];
  for (const one of bank) {
    if (leftOut.has(one)) continue;
    let score = 0;
    for (let i = 0; i < query.length; i++) score += query[i] * one.vector[i];
    scored.push([score, one]);
  }
  return scored.sort((a, b) => b[0] - a[0]).map(([, one]) => one);
}

function draw(from) {
  const chosen = new Set();
  while (chosen.size < EXAMPLES) chosen.add(from[Math.floor(random() * from.length)]);
  return [...chosen];
}

async function embedFolder(folder) {
  const { manifest } = await readModel(values.model);
  const embedder = await createEmbedder(values.model);
  const decoder = createDecoder();
  const images = await listImages(folder);
  const made = [];
  for (let at = 0; at < images.length; at += 32) {
    const batch = images.slice(at, at + 32);
    const decoded = await Promise.all(
      batch.map(async ({ path }) => (await decoder.decode(await readFile(path), manifest.preprocess)).image),
    );
    const flat = await embedder.embed(decoded);
    batch.forEach(({ label }, i) => {
      made.push({ label, vector: flat.slice(i * manifest.dimension, (i + 1) * manifest.dimension) });
    });
  }
  await embedder.close();
  return made;
}

function mean(numbers) {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

function error(numbers) {
  const centre = mean(numbers);
  return Math.sqrt(mean(numbers.map((one) => (one - centre) ** 2)) / numbers.length);
}
