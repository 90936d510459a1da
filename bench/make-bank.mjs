#!/usr/bin/env node
// The vectors that the benchmarks search: real embeddings of pictures.
//   node bench/make-bank.mjs --pictures <folder> [--pictures <folder> …] --queries <folder> --out <folder>
//                            [--crops 2] [--limit 10000] [--model model]
// Writes real.f32 (rows x dimension, unit length) and queries.f32 (of pictures that are not among them), each a picture
// whole and in `crops` random crops (an area of 0.35 to 1, aspect 3/4 to 4/3, seeded), and bank.json, which says so.
// --limit: at most so many pictures of each folder, taken evenly.
// `bench/bank.mjs` makes larger banks from them.
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { createDecoder, createEmbedder, listImages, readModel } from '../dist/offline.js';
import { randomFrom } from './kit.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    pictures: { type: 'string', multiple: true },
    queries: { type: 'string' },
    out: { type: 'string' },
    crops: { type: 'string', default: '2' },
    limit: { type: 'string', default: '10000' },
    model: { type: 'string', default: join(root, 'model') },
  },
});
if (!values.pictures || !values.queries || !values.out)
  throw new Error(
    '--pictures, --queries and --out are needed: folders of pictures, and where the vectors go',
  );
const crops = Number(values.crops);
const limit = Number(values.limit);
const BATCH = 32;

const { manifest } = await readModel(values.model);
const { preprocess } = manifest;
const decoder = createDecoder();
const embedder = await createEmbedder(values.model);

/** At most `most` of a list, taken evenly. */
const evenly = (list, most) =>
  list.length <= most
    ? list
    : Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]);

/** A random part of the picture, its pixels as they are. */
async function crop(bytes, random) {
  const { width, height } = await sharp(bytes).metadata();
  const area = width * height * (0.35 + 0.65 * random());
  const aspect = (3 / 4) ** (1 - 2 * random());
  const w = Math.max(1, Math.min(width, Math.round(Math.sqrt(area * aspect))));
  const h = Math.max(1, Math.min(height, Math.round(Math.sqrt(area / aspect))));
  const left = Math.floor(random() * (width - w + 1));
  const top = Math.floor(random() * (height - h + 1));
  return sharp(bytes).extract({ left, top, width: w, height: h }).png({ compressionLevel: 0 }).toBuffer();
}

/** One picture after the other, whole and in crops; what cannot be read is passed over. */
async function* views(images, each) {
  for (const [i, { path }] of images.entries()) {
    const bytes = await readFile(path);
    const random = randomFrom(i);
    try {
      const parts = [bytes];
      for (let n = 0; n < each; n++) parts.push(await crop(bytes, random));
      yield* await Promise.all(parts.map(async (part) => (await decoder.decode(part, preprocess)).image));
    } catch {
      console.error(`${path} cannot be read`);
    }
  }
}

async function embedAll(images, each, file) {
  const out = createWriteStream(join(values.out, file));
  let rows = 0;
  let batch = [];
  const flush = async () => {
    if (batch.length === 0) return;
    const vectors = await embedder.embed(batch);
    out.write(Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength));
    rows += batch.length;
    batch = [];
    if (process.stderr.isTTY) process.stderr.write(`\r${file}: ${rows} vectors `);
  };
  for await (const image of views(images, each)) {
    batch.push(image);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  await new Promise((resolve) => out.end(resolve));
  return rows;
}

mkdirSync(values.out, { recursive: true });
const images = [];
for (const folder of values.pictures) images.push(...evenly(await listImages(folder), limit));
const rows = await embedAll(images, crops, 'real.f32');
const queries = await embedAll(evenly(await listImages(values.queries), 1000), 0, 'queries.f32');
const about = {
  model_sha256: manifest.sha256,
  dimension: embedder.dimension,
  pictures: images.length,
  crops,
  rows,
  queries,
};
writeFileSync(join(values.out, 'bank.json'), `${JSON.stringify(about, null, 2)}\n`);
console.log(JSON.stringify(about));
await embedder.close();
