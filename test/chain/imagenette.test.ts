/** The shipped encoder on real photographs, through the whole service: its accuracy, and that it is the plain kNN's. */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../client/dist/index.js';
import { type App, createApp } from '../../src/app.js';
import { evaluate } from '../../src/cli/evaluate.js';
import { type Listening, listen } from '../../src/http/listen.js';
import { createDecoder, createEmbedder, listImages, readModel } from '../../src/offline.js';
import { readSettings } from '../../src/settings.js';
import { dataArchive, listArchive, ROOT, unpack } from '../fixtures/data.js';
import { tempFolder } from '../fixtures/temp-folder.js';

const photos = dataArchive('imagenette-160.tar');
const odd = dataArchive('odd-images.tar.gz');
const model = process.env.LOOKALIKE_MODEL ?? join(ROOT, 'model');
const modelThere = existsSync(join(model, 'encoder.onnx'));
if (!modelThere) console.warn(`skipped: there is no model in ${model}`);

const TRAIN = 300;
const VAL = 100;
const K = 20; // of 30 pictures a class
const TEMPERATURE = 0.07;
/** Ten classes: chance is 10 %. Raw pixels reach about 36 % with thirty times as many pictures. */
const FLOOR = 40;

let app: App;
let door: Listening;
let folder: string;

/** The same number of pictures of every class, taken evenly from each. */
function stratified(names: readonly string[], count: number): string[] {
  const classes = [...new Set(names.map((name) => dirname(name)))].sort();
  const each = count / classes.length;
  return classes.flatMap((one) => {
    const all = names.filter((name) => dirname(name) === one).sort();
    return Array.from({ length: each }, (_, i) => all[Math.floor((i * all.length) / each)]!);
  });
}

beforeAll(async () => {
  if (photos === null || !modelThere) return;
  folder = await tempFolder();
  const names = await listArchive(photos);
  const train = stratified(
    names.filter((name) => name.startsWith('train/')),
    TRAIN,
  );
  const val = stratified(
    names.filter((name) => name.startsWith('val/')),
    VAL,
  );
  await unpack(photos, folder, [...train, ...val]);
  const settings = {
    ...readSettings({}, { folder: join(folder, 'train'), env: {} }),
    port: 0,
    dataDir: join(folder, 'data'),
    model,
    exactProvider: 'cpu' as const,
    logLevel: 'silent' as const,
  };
  app = await createApp(settings);
  const jobs = await app.startup;
  expect(jobs[0]).toMatchObject({ state: 'succeeded', result: { found: TRAIN, embedded: TRAIN } });
  door = await listen(app.http, settings);
});
afterAll(async () => {
  await door?.stop(0);
  await app?.close();
});

interface Embedded {
  label: string;
  vector: Float32Array;
}

/** Pictures decoded and embedded `batch` at a time, in the order of their names. */
async function embedAll(part: string, batch: number): Promise<Embedded[]> {
  const { manifest } = await readModel(model);
  const embedder = await createEmbedder(model);
  const decoder = createDecoder();
  const pictures = await listImages(join(folder, part));
  const all: Embedded[] = [];
  for (let at = 0; at < pictures.length; at += batch) {
    const some = pictures.slice(at, at + batch);
    const images = await Promise.all(
      some.map(async ({ path }) => (await decoder.decode(await readFile(path), manifest.preprocess)).image),
    );
    const flat = await embedder.embed(images);
    const { dimension } = embedder;
    some.forEach(({ label }, i) => {
      all.push({ label: label!, vector: flat.slice(i * dimension, (i + 1) * dimension) });
    });
  }
  await embedder.close();
  return all;
}

/** The paper's weighted kNN, written down once more from its formula. */
function classify(bank: readonly Embedded[], query: Float32Array): string {
  const scored = bank.map(({ label, vector }) => ({
    label,
    score: vector.reduce((sum, value, i) => sum + value * query[i]!, 0),
  }));
  const weights = new Map<string, number>();
  for (const { label, score } of scored.sort((a, b) => b.score - a.score).slice(0, K))
    weights.set(label, (weights.get(label) ?? 0) + Math.exp(score / TEMPERATURE));
  return [...weights].sort((a, b) => b[1] - a[1])[0]![0];
}

describe.skipIf(photos === null || !modelThere)('the shipped encoder on Imagenette', () => {
  const ask = (mode: 'exact' | 'hnsw') =>
    evaluate({
      folder: join(folder, 'val'),
      client: createClient({ url: door.url }),
      mode,
      voteK: K,
      temperature: TEMPERATURE,
      concurrency: 2,
      limit: Number.POSITIVE_INFINITY,
      onProgress: () => undefined,
    });

  it(`is right for more than ${FLOOR} % of unseen photos, for just as many as a kNN over its vectors`, async () => {
    const bank = await embedAll('train', 32); // as the import does: a batch may differ in its last bits
    const queries = await embedAll('val', 1);
    expect([bank.length, queries.length]).toEqual([TRAIN, VAL]);
    const correct = queries.filter(({ label, vector }) => classify(bank, vector) === label).length;
    const result = await ask('exact');
    expect(result).toMatchObject({ pictures: VAL, refused: 0, correct });
    expect(result.accuracy).toBeGreaterThan(FLOOR);
    expect(await ask('hnsw')).toMatchObject({ pictures: VAL, refused: 0, correct });
  });

  it.skipIf(odd === null)('answers or refuses every odd picture, and goes on', async () => {
    const pictures = await tempFolder();
    await mkdir(join(pictures, 'odd'));
    await unpack(odd!, join(pictures, 'odd'));
    const names = (await listArchive(odd!)).filter((name) => /\.(png|jpe?g)$/i.test(name));
    expect(names.length).toBeGreaterThan(190);
    for (const name of names) {
      const body = new Uint8Array(await readFile(join(pictures, 'odd', name)));
      const response = await fetch(new URL('/v1/search?k=1', door.url), {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/octet-stream' },
      });
      const broken = basename(name).startsWith('x');
      expect([name, broken ? [415, 422, 413] : [200]]).toEqual([
        name,
        expect.arrayContaining([response.status]),
      ]);
      await response.json();
    }
  });
});
