#!/usr/bin/env node
// Makes index/: the bank of the demo gallery, with the shipped encoder and the code that serves.
//   node scripts/make-demo-bank.mjs [model folder] [out folder]
// Pictures: npm @lobehub/fluent-emoji-3d (MIT); names and groups: npm unicode-emoji-json (MIT).
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDecoder, createEmbedder, readModel, sha256Of, writeBank } from '../dist/offline.js';

const PACKAGE = '@lobehub/fluent-emoji-3d';
/** Skin tones are left out: five copies of a gesture would be each other's neighbours and nothing else. */
const SKIN_TONE = /^1f3f[b-f]$/;
const BATCH = 64;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [modelFolder = join(root, 'model'), outFolder = join(root, 'index')] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const assets = join(dirname(require.resolve(`${PACKAGE}/package.json`)), 'assets');

/** Code points of a file name or an emoji, without variation selectors. */
const plain = (hex) =>
  hex
    .split('-')
    .filter((point) => point !== 'fe0f')
    .join('-');
const hexOf = (emoji) =>
  [...emoji].map((char) => char.codePointAt(0).toString(16).padStart(4, '0')).join('-');
const names = new Map(
  Object.entries(require('unicode-emoji-json/data-by-emoji.json')).map(([emoji, entry]) => [
    plain(hexOf(emoji)),
    { emoji, ...entry },
  ]),
);

/** The gallery's pictures by id; a file whose code points have no name in Unicode is left out. */
const pictures = new Map();
for (const file of readdirSync(assets).sort()) {
  const hex = plain(file.replace(/\.webp$/, ''));
  const known = names.get(hex);
  if (!known || hex.split('-').some((point) => SKIN_TONE.test(point))) continue;
  const { slug: id, group: label, name, emoji } = known;
  if (!pictures.has(id)) pictures.set(id, { id, label, source: `assets/${file}`, metadata: { name, emoji } });
}

const { manifest } = await readModel(modelFolder);
const decoder = createDecoder();
const embedder = await createEmbedder(modelFolder);
const entries = [...pictures.values()];
const vectors = new Float32Array(entries.length * manifest.dimension);
const items = [];
for (let at = 0; at < entries.length; at += BATCH) {
  const batch = entries.slice(at, at + BATCH);
  const files = batch.map(({ source }) => readFileSync(join(assets, '..', source)));
  const images = await Promise.all(files.map((bytes) => decoder.decode(bytes, manifest.preprocess)));
  vectors.set(await embedder.embed(images.map(({ image }) => image)), at * manifest.dimension);
  for (const [i, entry] of batch.entries()) items.push({ ...entry, sha256: sha256Of(files[i]) });
  process.stderr.write(`\r${items.length} of ${entries.length}`);
}
await embedder.close();
await writeBank(
  outFolder,
  { vectors, items },
  {
    model_sha256: manifest.sha256,
    dimension: manifest.dimension,
    name: 'Fluent Emoji 3D',
    terms:
      'Pictures: Microsoft Fluent Emoji, MIT (npm @lobehub/fluent-emoji-3d 1.1.0). Labels: Unicode emoji groups (npm unicode-emoji-json, MIT).',
    source_package: PACKAGE,
  },
);
console.error(`\nwrote ${items.length} pictures to ${outFolder}`);
