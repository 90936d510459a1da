// Row 8: a folder of pictures into an empty collection, beside decoding and encoding the same pictures and nothing else.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createOnnxEmbedder } from '../../dist/engines/onnx-embedder.js';
import { createDecoder, listImages, readModel } from '../../dist/offline.js';
import { inTurns, ratio } from '../kit.mjs';
import { startOurs } from '../services.mjs';

const BATCH = 32; // as the import has it

export const row = {
  id: 'import-rate',
  title: 'Import of pictures (row 8)',
  needs: ['pictures'],
  async run({ model, pictures, scratch, quick, say }) {
    const count = quick ? 96 : 960;
    const folder = join(scratch, 'pictures');
    say(`${count} pictures`);
    await copyPictures(pictures, folder, count);
    const { manifest, onnxPath } = await readModel(model);
    // As many threads as the service gives it.
    const embedder = await createOnnxEmbedder({ modelPath: onnxPath, manifest, intraOpThreads: 2 });
    const bare = { decoder: createDecoder(), embedder, preprocess: manifest.preprocess };
    const images = await listImages(folder);
    try {
      const sides = await inTurns(
        [
          { name: `decoding and encoding ${count} pictures`, once: () => decodeAndEncode(images, bare) },
          {
            name: `importing ${count} pictures`,
            once: (i) => importAll(folder, { model, data: join(scratch, `data-${i}`), count }),
          },
        ],
        { rounds: quick ? 1 : 3, warmUp: 1 },
      );
      const [alone, whole] = Object.values(sides).map(({ median }) => median);
      return {
        sides,
        ratios: [ratio('rate, to decoding and encoding alone', alone / whole, 0.85, { atLeast: true })],
        facts: {
          pictures: count,
          per_second: { alone: (1000 * count) / alone, import: (1000 * count) / whole },
        },
        notes: [
          'Of a folder neither thumbnails nor copies are made at its import, so the other side makes none either. It reads the next 32 pictures while 32 are encoded.',
        ],
      };
    } finally {
      await embedder.close();
    }
  },
};

async function copyPictures(from, folder, count) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const all = await listImages(from);
  if (all.length < count) throw new Error(`${from} has ${all.length} pictures, ${count} are needed`);
  for (let i = 0; i < count; i++) {
    const { path } = all[Math.floor((i * all.length) / count)];
    copyFileSync(path, join(folder, `${i}${/\.\w+$/.exec(path)[0]}`));
  }
}

/** Decoding of the next batch goes on while one is encoded. */
async function decodeAndEncode(images, { decoder, embedder, preprocess }) {
  const batches = [];
  for (let at = 0; at < images.length; at += BATCH) batches.push(images.slice(at, at + BATCH));
  const decode = (batch) =>
    Promise.all(
      batch.map(async ({ path }) => (await decoder.decode(await readFile(path), preprocess)).image),
    );
  let next = decode(batches[0]);
  for (const [i] of batches.entries()) {
    const pictures = await next;
    if (i + 1 < batches.length) next = decode(batches[i + 1]);
    await embedder.embed(pictures);
  }
}

/** Milliseconds of the import itself, as the job has them. */
async function importAll(folder, { model, data, count }) {
  const service = await startOurs({ folder: data, model }, [folder]);
  try {
    const { jobs } = JSON.parse((await service.get('/v1/jobs')).text);
    const { started_at, finished_at, result } = jobs.find(({ kind }) => kind === 'import');
    if (result.embedded !== count) throw new Error(`imported ${result.embedded} of ${count} pictures`);
    return Date.parse(finished_at) - Date.parse(started_at);
  } finally {
    await service.stop();
    rmSync(data, { recursive: true, force: true });
  }
}
