/** Data folders and snapshots that earlier versions wrote, one of each format: this version opens them and answers as they did. */
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type App, createApp } from '../../src/app.js';
import { parseWhere } from '../../src/core/where.js';
import { unpackFolder } from '../../src/engines/tar-folder.js';
import type { SearchAnswer, Timed } from '../../src/flow/service.js';
import { restoreSnapshot } from '../../src/restore.js';
import { readSettings } from '../../src/settings.js';
import { ROOT } from '../fixtures/data.js';
import { paintedPng } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';

const FORMATS = join(ROOT, 'test/fixtures/formats');
/** What another build of the decoder or of onnxruntime may change in a score. */
const TOLERANCE = 1e-4;
const untimed: Timed = async (_stage, step) => step();

let app: App | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function open(format: string, dataDir: string): Promise<App> {
  const settings = readSettings({}, { env: {} });
  const model = join(FORMATS, format, 'model');
  app = await createApp(
    { ...settings, dataDir, model, exactProvider: 'cpu', logLevel: 'silent' },
    { kind: 'none' },
  );
  await app.startup;
  return app;
}

type Known = Pick<SearchAnswer, 'labels' | 'neighbours'>;

async function answersAsKnown({ service }: App, format: string): Promise<void> {
  const known = JSON.parse(readFileSync(join(FORMATS, format, 'answers.json'), 'utf8')) as Record<
    string,
    Known
  >;
  for (const mode of ['exact', 'hnsw'] as const)
    for (const [seed, { labels, neighbours }] of Object.entries(known)) {
      const query = { kind: 'image' as const, bytes: await paintedPng(Number(seed)) };
      const answer = await service.search({ query, k: 5, vote_k: 200, mode, beta: 0 }, untimed);
      expect(answer.neighbours.map(({ id, label }) => [id, label])).toEqual(
        neighbours.map(({ id, label }) => [id, label]),
      );
      answer.neighbours.forEach(({ score }, i) => {
        expect(Math.abs(score - neighbours[i]!.score)).toBeLessThan(TOLERANCE);
      });
      expect(answer.labels.map(({ label }) => label)).toEqual(labels.map(({ label }) => label));
    }
}

async function hasWhatWasPut({ service }: App): Promise<void> {
  expect(service.collections().map(({ name, rows }) => [name, rows])).toEqual([
    ['default', 9],
    ['other', 2],
  ]);
  expect(() => service.image('p10')).toThrow(/p10/); // was removed
  const listed = await service.images({ order: 'created', limit: 10, where: parseWhere({ 'place.row': 1 }) });
  expect(listed.map(({ id }) => id)).toEqual(['p1', 'p5', 'p9']);
  expect(listed[0]!.metadata).toEqual({ seed: 1, tags: ['painted'], place: { row: 1 } });
  expect((await service.thumbnail('p11', 'other')).length).toBeGreaterThan(20); // the original was kept
}

describe.each(readdirSync(FORMATS))('format %s', (format) => {
  const file = (name: string) => join(FORMATS, format, name);

  it('a data folder is opened, answers as before, and takes a new picture', async () => {
    const dataDir = join(await tempFolder(), 'data');
    await unpackFolder(createReadStream(file('data.tar.gz')).pipe(createGunzip()), dataDir);
    const opened = await open(format, dataDir);
    await hasWhatWasPut(opened);
    await answersAsKnown(opened, format);
    expect(opened.service.jobs(10).filter(({ kind }) => kind === 'snapshot').length).toBe(1);
    const bytes = await paintedPng(500);
    const asked = {
      bytes,
      label: null,
      metadata: {},
      on_duplicate: 'allow',
      near: 1,
      orientations: false,
    } as const;
    const { image } = await opened.service.addImage(asked, untimed);
    const query = { kind: 'image' as const, bytes };
    const found = await opened.service.search({ query, k: 1, vote_k: 1, mode: 'auto', beta: 0 }, untimed);
    expect(found.neighbours[0]!.id).toBe(image.id);
  });

  it('a snapshot is restored, and answers as before', async () => {
    const home = await tempFolder();
    const [path, dataDir] = [join(home, 'snapshot.tar'), join(home, 'data')];
    await writeFile(path, gunzipSync(readFileSync(file('snapshot.tar.gz'))));
    await restoreSnapshot(path, { dataDir, replace: false, now: new Date().toISOString() });
    const opened = await open(format, dataDir);
    await hasWhatWasPut(opened);
    await answersAsKnown(opened, format);
  });
});
