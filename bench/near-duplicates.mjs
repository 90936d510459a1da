#!/usr/bin/env node
// What score has a copy of a picture, and what score has merely the most alike of the others? Chooses the default of `near`.
//   node bench/near-duplicates.mjs --pictures <folder> [--model model] [--others 3000] [--copies 500]
// Prints, by kind of copy, the quantiles of its cosine to the picture, and for thresholds the part of copies found and
// the part of pictures that some other picture reaches.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { orientations } from '../dist/core/orientations.js';
import { createDecoder, createEmbedder, listImages, readModel } from '../dist/offline.js';

const { values } = parseArgs({
  options: {
    pictures: { type: 'string' },
    model: { type: 'string', default: 'model' },
    others: { type: 'string', default: '3000' },
    copies: { type: 'string', default: '500' },
  },
});
if (!values.pictures) throw new Error('--pictures is missing: which folder?');

const { manifest } = await readModel(values.model);
const embedder = await createEmbedder(values.model);
const decoder = createDecoder();
const { preprocess } = manifest;
const embed = (images) => embedder.embed(images);
const decode = async (bytes) => (await decoder.decode(bytes, preprocess)).image;
const d = embedder.dimension;
const cosine = (a, i, b, j) => {
  let sum = 0;
  for (let n = 0; n < d; n++) sum += a[i * d + n] * b[j * d + n];
  return sum;
};

const shrunk = (bytes, part) =>
  sharp(bytes)
    .metadata()
    .then(({ width, height }) =>
      sharp(bytes)
        .resize(Math.round(width * part), Math.round(height * part))
        .jpeg({ quality: 85 })
        .toBuffer(),
    );
const cropped = (bytes, part) =>
  sharp(bytes)
    .metadata()
    .then(({ width, height }) => {
      const [w, h] = [Math.round(width * part), Math.round(height * part)];
      const box = {
        left: Math.floor((width - w) / 2),
        top: Math.floor((height - h) / 2),
        width: w,
        height: h,
      };
      return sharp(bytes).extract(box).jpeg({ quality: 90 }).toBuffer();
    });
const KINDS = {
  'jpeg 90': (bytes) => sharp(bytes).jpeg({ quality: 90 }).toBuffer(),
  'jpeg 50': (bytes) => sharp(bytes).jpeg({ quality: 50 }).toBuffer(),
  'jpeg 25': (bytes) => sharp(bytes).jpeg({ quality: 25 }).toBuffer(),
  'webp 80': (bytes) => sharp(bytes).webp({ quality: 80 }).toBuffer(),
  'kept copy': (bytes) => decoder.thumbnail(bytes, 1024),
  'half size': (bytes) => shrunk(bytes, 0.5),
  'quarter size': (bytes) => shrunk(bytes, 0.25),
  'crop 95 %': (bytes) => cropped(bytes, 0.95),
  'crop 90 %': (bytes) => cropped(bytes, 0.9),
  'crop 80 %': (bytes) => cropped(bytes, 0.8),
  'brightness + 10 %': (bytes) => sharp(bytes).modulate({ brightness: 1.1 }).jpeg({ quality: 90 }).toBuffer(),
  grey: (bytes) => sharp(bytes).greyscale().jpeg({ quality: 90 }).toBuffer(),
  mirrored: (bytes) => sharp(bytes).flop().jpeg({ quality: 90 }).toBuffer(),
  'quarter turn': (bytes) => sharp(bytes).rotate(90).jpeg({ quality: 90 }).toBuffer(),
};
const THRESHOLDS = [0.9, 0.95, 0.97, 0.98, 0.99, 0.995];

const every = (list, count) =>
  list.filter(
    (_, i) => Math.floor((i * count) / list.length) !== Math.floor(((i - 1) * count) / list.length),
  );
const files = every(
  (await listImages(values.pictures)).map(({ path }) => path),
  Number(values.others),
);
const bank = new Float32Array(files.length * d);
for (let at = 0; at < files.length; at += 32) {
  const images = await Promise.all(
    files.slice(at, at + 32).map(async (path) => decode(await readFile(path))),
  );
  bank.set(await embed(images), at * d);
}

/** For each picture, the score of the most alike other one. */
const best = files.map((_, i) => {
  let most = -1;
  for (let j = 0; j < files.length; j++) if (j !== i) most = Math.max(most, cosine(bank, i, bank, j));
  return most;
});

const rows = { 'most alike other': { plain: best } };
const sample = every(
  files.map((_, i) => i),
  Number(values.copies),
);
for (const [kind, make] of Object.entries(KINDS)) {
  const [plain, turned] = [[], []];
  for (const i of sample) {
    const image = await decode(await make(await readFile(files[i])));
    const all = orientations(image);
    const vectors = await embed(all);
    plain.push(cosine(vectors, 0, bank, i));
    turned.push(Math.max(...all.map((_, n) => cosine(vectors, n, bank, i))));
  }
  rows[kind] = { plain, ...(['mirrored', 'quarter turn'].includes(kind) && { turned }) };
}
await embedder.close();

const quantile = (scores, q) => [...scores].sort((a, b) => a - b)[Math.floor(q * (scores.length - 1))];
const reached = (scores, at) =>
  `${((100 * scores.filter((one) => one >= at).length) / scores.length).toFixed(1)} %`;
console.log(`${files.length} pictures, ${sample.length} copies of each kind, ${manifest.name}`);
console.log(['', 'p1', 'p10', 'median', 'p99', ...THRESHOLDS.map((at) => `>= ${at}`)].join(' | '));
for (const [kind, columns] of Object.entries(rows))
  for (const [name, scores] of Object.entries(columns))
    console.log(
      [
        name === 'turned' ? `${kind}, orientations` : kind,
        ...[0.01, 0.1, 0.5, 0.99].map((q) => quantile(scores, q).toFixed(4)),
        ...THRESHOLDS.map((at) => reached(scores, at)),
      ].join(' | '),
    );
