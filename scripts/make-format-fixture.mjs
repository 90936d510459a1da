#!/usr/bin/env node
// Writes test/fixtures/formats/<n>/: a small data folder and a snapshot as this version makes them, with the encoder they
// need and the answers they gave. Later versions must open both. Run it once for each new format, under a new number:
//   npm run build && node scripts/make-format-fixture.mjs <n>
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { createServer } from 'vite';
import { createApp } from '../dist/app.js';
import { packFolder } from '../dist/engines/tar-folder.js';
import { readSettings } from '../dist/settings.js';

const [number] = process.argv.slice(2);
if (!/^\d+$/.test(number ?? '')) throw new Error('the number of the format is missing');
const target = fileURLToPath(new URL(`../test/fixtures/formats/${number}`, import.meta.url));
const MOST_BYTES = 150_000;

const vite = await createServer({ server: { middlewareMode: true }, appType: 'custom', logLevel: 'error' });
const { writeTinyModel } = await vite.ssrLoadModule('/test/fixtures/tiny-encoder.ts');
const { paintedPng } = await vite.ssrLoadModule('/test/fixtures/painted.ts');
await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await writeTinyModel(join(target, 'model'));

const home = await mkdtemp(join(tmpdir(), 'lookalike-format-'));
const settings = {
  ...readSettings({}, { env: {} }),
  dataDir: join(home, 'data'),
  model: join(target, 'model'),
  exactProvider: 'cpu',
  logLevel: 'warn',
};
const app = await createApp(settings, { kind: 'none' });
const { service } = app;
const untimed = async (_stage, step) => step();
await service.createCollection('other');
for (let seed = 1; seed <= 12; seed++) {
  const request = { bytes: await paintedPng(seed), label: seed % 3 ? ['odd', 'even'][seed % 2] : null };
  const metadata = { seed, tags: ['painted'], place: { row: seed % 4 } };
  const collection = seed > 10 ? 'other' : 'default';
  const asked = {
    ...request,
    metadata,
    collection,
    id: `p${seed}`,
    on_duplicate: 'allow',
    near: 1,
    orientations: false,
  };
  await service.addImage(asked, untimed);
}
await service.removeImage({ id: 'p10' });
await ended((await service.reindex()).id);
const { id } = (await ended(service.snapshots.start().id)).result;
await writeFile(join(target, 'snapshot.tar.gz'), gzipSync(await readFile(await service.snapshots.path(id))));
await service.snapshots.remove(id);
const answers = {};
for (const seed of [1, 2, 77]) {
  const query = { kind: 'image', bytes: await paintedPng(seed) };
  const { labels, neighbours } = await service.search(
    { query, k: 5, vote_k: 200, mode: 'exact', beta: 0 },
    untimed,
  );
  answers[seed] = {
    labels: labels.map(({ label, share }) => ({ label, share })),
    neighbours: neighbours.map(({ id, label, score }) => ({ id, label, score })),
  };
}
await app.startup;
await app.close();
await vite.close();
const chunks = [];
for await (const chunk of packFolder(join(home, 'data'))) chunks.push(chunk);
await writeFile(join(target, 'data.tar.gz'), gzipSync(Buffer.concat(chunks), { level: 9 }));
await writeFile(join(target, 'answers.json'), `${JSON.stringify(answers, null, 2)}\n`);
await rm(home, { recursive: true });
for (const name of await readdir(target)) {
  const { size } = await stat(join(target, name));
  console.log(`${name}: ${size} bytes`);
  if (size > MOST_BYTES) throw new Error(`${name} is larger than ${MOST_BYTES} bytes`);
}

async function ended(job) {
  for (;;) {
    const now = service.job(job);
    if (now.state === 'failed') throw new Error(now.error);
    if (now.finished_at !== null) return now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
