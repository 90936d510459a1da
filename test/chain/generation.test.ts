/** A flipped byte in any file of the index: it is set aside and built again, and the answers stay the same. */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.js';
import type { Job } from '../../src/core/types.js';
import { readModel } from '../../src/engines/manifest.js';
import { createGenerations } from '../../src/generations.js';
import { readSettings, type Settings } from '../../src/settings.js';
import { LABELS, type Label, picture, writePictures } from '../fixtures/pictures.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';

const FILES = ['vectors.f32', 'rows.i32', 'graph.hnsw', 'manifest.json', 'manifest.sha256'];

let settings: Settings;
let generations: string;

interface Run {
  jobs: Job[];
  generation: number;
  answers: unknown[]; // of both modes for one picture a label
}

/** One start of the service: what it did, and what it answers. */
async function run(): Promise<Run> {
  const app = await createApp(settings);
  try {
    const jobs = await app.startup;
    const answers = [];
    for (const label of Object.keys(LABELS) as Label[])
      for (const mode of ['exact', 'hnsw'] as const) {
        const query = { kind: 'image' as const, bytes: await picture(label, 1) };
        const request = { query, k: 12, vote_k: 12, mode, beta: 0 };
        const { labels, neighbours } = await app.service.search(request, async (_, step) => step());
        answers.push({ labels, neighbours });
      }
    return { jobs, generation: app.service.info().index.generation, answers };
  } finally {
    await app.close();
  }
}

/** Opens a copy of the index: it is refused by the file's name, renamed, and kept as it was found. */
async function expectSetAside({ number, name, bytes }: { number: number; name: string; bytes: Buffer }) {
  const copy = join(await tempFolder(), 'generations');
  await cp(generations, copy, { recursive: true });
  const { manifest } = await readModel(settings.model);
  const identity = { model_sha256: manifest.sha256, dimension: manifest.dimension };
  const parts = {
    dir: copy,
    identity,
    provider: 'cpu' as const,
    exactThreads: 2,
    maxVectorBytes: 0,
    onCrash: () => undefined,
  };
  const reasons: [number, string][] = [];
  const opened = await createGenerations(parts).openNewest((...told) => reasons.push(told));
  expect(opened).toBeNull();
  expect(reasons).toEqual([[number, expect.stringContaining(name)]]);
  expect(await readdir(copy)).toEqual([`${number}.broken`]);
  expect((await readFile(join(copy, `${number}.broken`, name))).equals(bytes)).toBe(true);
}

const rebuilt = ({ jobs }: Run) =>
  jobs.some(({ kind, state }) => kind === 'reindex' && state === 'succeeded');

describe('a damaged index', () => {
  let whole: Run;
  beforeAll(async () => {
    const home = await tempFolder();
    await writeTinyModel(join(home, 'model'));
    await writePictures(join(home, 'pictures'));
    generations = join(home, 'data', 'generations', '1');
    settings = {
      ...readSettings({}, { folder: join(home, 'pictures'), env: {} }),
      dataDir: join(home, 'data'),
      model: join(home, 'model'),
      exactProvider: 'cpu',
      logLevel: 'silent',
    };
    whole = await run();
    expect([whole.generation, rebuilt(whole)]).toEqual([1, true]);
  });

  it('is not built again while it is whole', async () => {
    const again = await run();
    expect([again.generation, rebuilt(again)]).toEqual([1, false]);
    expect(again.answers).toEqual(whole.answers);
  });

  it('answers alike with its vectors in their file', async () => {
    const { maxVectorBytes } = settings;
    try {
      settings = { ...settings, maxVectorBytes: 0 };
      expect((await run()).answers).toEqual(whole.answers);
    } finally {
      settings = { ...settings, maxVectorBytes };
    }
  });

  it.each(FILES)(
    'is set aside for one changed bit of %s, built again, and answers as before',
    async (name) => {
      const number = Math.max(...(await readdir(generations)).map((entry) => Number.parseInt(entry, 10)));
      const path = join(generations, String(number), name);
      const bytes = await readFile(path);
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      await writeFile(path, bytes);
      await expectSetAside({ number, name, bytes });
      const after = await run();
      expect([after.generation, rebuilt(after)]).toEqual([number + 1, true]);
      expect(after.answers).toEqual(whole.answers);
    },
  );
});
