#!/usr/bin/env node
// Ways to decode and resize a picture: CPU time, and how near the vectors stay to those of the plain way, cut and then resize.
//   node bench/decode.mjs --pictures <folder> [--model model] [--count 60]
// Pictures that are larger than those of the folder are made in two ways, as JPEG of quality 90: enlarged with grain, which
// have no detail of their own, and mosaics of photographs at their own size, which have more than a photograph.
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { cropBox } from '../dist/core/preprocess.js';
import { createDecoder, createEmbedder, listImages, readModel } from '../dist/offline.js';

const { values } = parseArgs({
  options: {
    pictures: { type: 'string' },
    model: { type: 'string', default: 'model' },
    count: { type: 'string', default: '60' },
  },
});
if (!values.pictures) throw new Error('--pictures is missing: which folder?');
const { manifest } = await readModel(values.model);
const { preprocess } = manifest;
const decoder = createDecoder(); // also opens the loaders
const embedder = await createEmbedder(values.model);
const count = Number(values.count);
const listed = await listImages(values.pictures);
const files = Array.from(
  { length: count },
  (_, i) => listed[Math.floor(((i + 0.5) * listed.length) / count)].path,
);

const originals = await Promise.all(files.map((path) => readFile(path)));

const finish = (image, { crop, background: [r, g, b] }) =>
  image
    .flatten({ background: { r, g, b } })
    .resize(crop.width, crop.height, { fit: 'fill', kernel: preprocess.kernel })
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer();

/** Resizing first, then cutting: sharp shrinks while it loads a JPEG, by at most 8 and never below twice the result. */
const shrinking = (fastShrinkOnLoad) => async (bytes) => {
  const {
    crop,
    kernel,
    background: [r, g, b],
  } = preprocess;
  return sharp(bytes, { failOn: 'error', autoOrient: true, sequentialRead: true })
    .flatten({ background: { r, g, b } })
    .resize(crop.width, crop.height, { fit: 'cover', position: 'centre', kernel, fastShrinkOnLoad })
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer();
};
const cut = (options) => async (bytes) => {
  const { width, height } = await sharp(bytes).metadata();
  return finish(
    sharp(bytes, { failOn: 'error', autoOrient: true, ...options }).extract(
      cropBox(width, height, preprocess),
    ),
    preprocess,
  );
};
/** Shrunk while it loads to `times` the result, cut there, then resized: the cut is off by half a pixel of the larger picture. */
const twoSteps = (times) => async (bytes) => {
  const header = await sharp(bytes).metadata();
  const { width, height } = header.autoOrient ?? header;
  const box = cropBox(width, height, preprocess);
  const { crop, kernel } = preprocess;
  const across = box.width / (times * crop.width);
  const down = box.height / (times * crop.height);
  if (Math.min(across, down) < 2) return cut({ sequentialRead: true })(bytes);
  const { data, info } = await sharp(bytes, { failOn: 'error', autoOrient: true })
    .resize(Math.round(width / across), Math.round(height / down), { fit: 'fill', kernel })
    .extract({
      left: Math.round(box.left / across),
      top: Math.round(box.top / down),
      width: Math.min(times * crop.width, Math.round(width / across)),
      height: Math.min(times * crop.height, Math.round(height / down)),
    })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return finish(sharp(data, { raw: info }), preprocess);
};
const WAYS = {
  'cut, then resize': cut({ sequentialRead: true }),
  serving: async (bytes) => (await decoder.decode(bytes, preprocess)).image.data,
  'cut, then resize, with random access': cut({ sequentialRead: false }),
  'resize with shrink-on-load': shrinking(true),
  'resize, careful shrink-on-load': shrinking(false),
  'shrink-on-load to 2 x, cut, resize': twoSteps(2),
  'shrink-on-load to 3 x, cut, resize': twoSteps(3),
  'shrink-on-load to 4 x, cut, resize': twoSteps(4),
};

/** n x n photographs side by side, at their own size: real detail at every scale. */
async function mosaic(n, seed, m = n) {
  const side = 160;
  const parts = await Promise.all(
    Array.from({ length: n * m }, (_, i) =>
      sharp(originals[(seed * 7 + i * 13) % files.length])
        .resize(side, side)
        .toBuffer(),
    ),
  );
  const composite = parts.map((input, i) => ({ input, left: (i % n) * side, top: Math.floor(i / n) * side }));
  return sharp({ create: { width: n * side, height: m * side, channels: 3, background: '#888888' } })
    .composite(composite)
    .jpeg({ quality: 90 })
    .toBuffer();
}
/** A photograph enlarged, with grain: the size of a camera's file, and the detail of a small one. */
async function enlarged(path, width, height) {
  const { data, info } = await sharp(await readFile(path))
    .resize(width, height, { kernel: 'lanczos3' })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  let state = 7;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = Math.max(0, Math.min(255, data[i] + ((state >>> 24) - 128) / 16));
  }
  return sharp(data, { raw: info }).jpeg({ quality: 90 }).toBuffer();
}

const sources = {
  'as they are (160 x 160)': originals,
  'enlarged to 500 x 375': await Promise.all(files.map((path) => enlarged(path, 500, 375))),
  'enlarged to 1280 x 960': await Promise.all(files.slice(0, 30).map((path) => enlarged(path, 1280, 960))),
  'enlarged to 2400 x 1800': await Promise.all(files.slice(0, 12).map((path) => enlarged(path, 2400, 1800))),
  'enlarged to 4000 x 3000': await Promise.all(files.slice(0, 6).map((path) => enlarged(path, 4000, 3000))),
  'mosaic of 2 x 2 (320)': await Promise.all(files.map((_, i) => mosaic(2, i))),
  'mosaic of 4 x 4 (640)': await Promise.all(files.map((_, i) => mosaic(4, i))),
  'mosaic of 8 x 8 (1280)': await Promise.all(files.slice(0, 30).map((_, i) => mosaic(8, i))),
  'mosaic of 7 x 5 (1120 x 800)': await Promise.all(files.slice(0, 30).map((_, i) => mosaic(7, i, 5))),
  'mosaic of 16 x 12 (2560 x 1920)': await Promise.all(files.slice(0, 12).map((_, i) => mosaic(16, i, 12))),
  'mosaic of 25 x 18 (4000 x 2880)': await Promise.all(files.slice(0, 6).map((_, i) => mosaic(25, i, 18))),
};
const embed = (data) => embedder.embed([{ ...preprocess.crop, data }]);
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.floor(q * (list.length - 1))];
console.log(
  `${cpus().length} x ${cpus()[0].model}, node ${process.versions.node}, sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, ${manifest.name}, input ${preprocess.crop.width} px, kernel ${preprocess.kernel}`,
);
console.log('pictures | way | CPU ms, median | cosine: mean | least');
for (const [name, pictures] of Object.entries(sources)) {
  const found = Object.fromEntries(Object.keys(WAYS).map((way) => [way, { cpu: [], cosine: [] }]));
  for (const bytes of pictures) {
    let reference;
    for (const [way, decode] of Object.entries(WAYS)) {
      const cpu = process.cpuUsage();
      const data = await decode(bytes);
      const { user, system } = process.cpuUsage(cpu);
      found[way].cpu.push((user + system) / 1000);
      const vector = await embed(data);
      reference ??= vector;
      found[way].cosine.push(vector.reduce((sum, value, i) => sum + value * reference[i], 0));
    }
  }
  for (const [way, { cpu, cosine }] of Object.entries(found))
    console.log(
      [
        name,
        way,
        quantile(cpu, 0.5).toFixed(2),
        (cosine.reduce((a, b) => a + b, 0) / cosine.length).toFixed(5),
        Math.min(...cosine).toFixed(5),
      ].join(' | '),
    );
}
await embedder.close();
