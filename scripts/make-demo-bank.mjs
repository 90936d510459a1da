#!/usr/bin/env node
// Makes index/: the bank of the demo gallery, with the shipped encoder and the code that serves.
//   node scripts/make-demo-bank.mjs [model folder] [out folder]
// Pictures: npm @lobehub/fluent-emoji-3d (MIT); names and groups: npm unicode-emoji-json (MIT).
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDecoder, createEmbedder, readModel, sha256Of, toTensor, writeBank } from '../dist/offline.js';

const PACKAGE = '@lobehub/fluent-emoji-3d';
const TONES = {
  '1f3fb': 'light',
  '1f3fc': 'medium-light',
  '1f3fd': 'medium',
  '1f3fe': 'medium-dark',
  '1f3ff': 'dark',
};
const BATCH = 64;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [modelFolder = join(root, 'model'), outFolder = join(root, 'index')] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const assets = join(dirname(require.resolve(`${PACKAGE}/package.json`)), 'assets');

/** Code points of a file name or an emoji, without variation selectors, skin tones apart. */
function split(hex) {
  const points = hex.split('-').filter((point) => point !== 'fe0f');
  return {
    plain: points.filter((point) => !(point in TONES)).join('-'),
    tones: points.filter((point) => point in TONES).map((point) => TONES[point]),
  };
}

const hexOf = (emoji) =>
  [...emoji].map((char) => char.codePointAt(0).toString(16).padStart(4, '0')).join('-');
const names = new Map(
  Object.entries(require('unicode-emoji-json/data-by-emoji.json')).map(([emoji, entry]) => [
    split(hexOf(emoji)).plain,
    { emoji, ...entry },
  ]),
);

/** The gallery's pictures by id; a file whose code points have no name in Unicode is left out. */
const pictures = new Map();
for (const file of readdirSync(assets).sort()) {
  const { plain, tones } = split(file.replace(/\.webp$/, ''));
  const known = names.get(plain);
  if (!known) continue;
  const id = [known.slug, ...tones].join('_');
  const metadata = { name: known.name, emoji: known.emoji, ...(tones.length > 0 && { skin_tones: tones }) };
  if (!pictures.has(id)) pictures.set(id, { id, label: known.group, source: `assets/${file}`, metadata });
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
  const tensor = toTensor(
    images.map(({ image }) => image),
    manifest.preprocess,
  );
  vectors.set(await embedder.embed(tensor, batch.length), at * manifest.dimension);
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
