/** A rebuild of the index is killed in the middle, while pictures come and go: the next start has every write, and builds again. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Job } from '../../src/core/types.js';
import type { Info, SearchAnswer } from '../../src/flow/service.js';
import { unitVectors } from '../contract/vectors.js';
import { openDefault } from '../fixtures/database.js';
import { paintedPng } from '../fixtures/painted.js';
import { writePictures } from '../fixtures/pictures.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { getJson, readyAt, startCli } from './cli-process.js';

const DIMENSION = 32; // of the tiny encoder
const FIRST = 500; // rows of the index that serves meanwhile
const ROWS = 30_000; // of the one that is being built: seconds of work
const { vectors } = unitVectors({ rows: ROWS, dimension: DIMENSION, seed: 11 });
const vectorOf = (i: number) => [...vectors.subarray(i * DIMENSION, (i + 1) * DIMENSION)];

const post = (url: string, path: string, body: string | Uint8Array<ArrayBuffer>, type: string) =>
  fetch(new URL(path, url), { method: 'POST', body, headers: { 'Content-Type': type } });

async function bring(url: string, from: number, to: number): Promise<void> {
  const lines = Array.from({ length: to - from }, (_, i) =>
    JSON.stringify({ id: `v${from + i}`, vector: vectorOf(from + i) }),
  );
  const answer = await post(url, '/v1/imports?collection=grown', lines.join('\n'), 'application/x-ndjson');
  expect(answer.status).toBe(202);
}

const indexOf = async (url: string) => (await getJson<Info>(url, '/v1/info?collection=grown')).index;
const rebuilds = async (url: string) =>
  (await getJson<{ jobs: Job[] }>(url, '/v1/jobs')).jobs.filter(
    ({ kind, collection }) => kind === 'reindex' && collection === 'grown',
  );
const generation = async (url: string) => (await indexOf(url)).generation;
const running = async (url: string) => (await rebuilds(url)).find(({ state }) => state === 'running')?.id;

/** The nearest of the collection to a row of `vectors`, or to a picture. */
async function nearest(url: string, asked: number | Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  const response =
    typeof asked === 'number'
      ? await post(
          url,
          '/v1/search',
          JSON.stringify({ vector: vectorOf(asked), k: 1, collection: 'grown' }),
          'application/json',
        )
      : await post(url, '/v1/search?k=1&collection=grown', asked, 'image/png');
  return ((await response.json()) as SearchAnswer).neighbours[0]?.id;
}

it('every write made before and during the rebuild is there after the next start', {
  timeout: 300_000,
}, async () => {
  const home = await tempFolder();
  const [folder, data, model] = [join(home, 'pictures'), join(home, 'data'), join(home, 'model')];
  await writeTinyModel(model);
  await writePictures(folder);
  const serve = () =>
    startCli('serve', folder, '--data-dir', data, '--model', model, '--port', '0', '--exact-provider', 'cpu');
  const picture = new Uint8Array(await paintedPng(4711));
  const added = `/v1/images?id=added&collection=grown`;

  const first = serve();
  const url = await readyAt(first);
  await post(url, '/v1/collections', '{"name":"grown"}', 'application/json');
  await bring(url, 0, FIRST);
  await expect.poll(() => generation(url), { timeout: 60_000 }).toBe(1);
  await expect.poll(() => running(url), { timeout: 60_000 }).toBeUndefined(); // the rebuild that made it has ended too
  await bring(url, FIRST, ROWS);
  await expect.poll(() => running(url), { interval: 5, timeout: 120_000 }).toBeDefined();
  const rebuild = await running(url);
  expect((await post(url, added, picture, 'image/png')).status).toBe(201);
  for (const id of ['v1', `v${ROWS - 1}`]) {
    const path = `/v1/images/${id}?collection=grown`;
    expect((await fetch(new URL(path, url), { method: 'DELETE' })).status).toBe(204);
  }
  first.child.kill('SIGKILL');
  expect((await first.ended).signal).toBe('SIGKILL');
  const { database } = openDefault(join(data, 'lookalike.db'));
  expect(database.job(rebuild!)).toMatchObject({ state: 'running' });
  database.close();

  const second = serve();
  const again = await readyAt(second);
  const look = async () => {
    expect(await nearest(again, picture)).toBe('added');
    expect(await nearest(again, 2)).toBe('v2');
    expect(await nearest(again, ROWS - 2)).toBe(`v${ROWS - 2}`);
    for (const gone of [1, ROWS - 1]) expect(await nearest(again, gone)).not.toBe(`v${gone}`);
  };
  await look();
  while ((await generation(again))! < 2) await look();
  await look();
  expect(await indexOf(again)).toMatchObject({ rows: ROWS - 1, graph_ready: true });
  second.child.kill('SIGTERM');
  expect(await second.ended).toMatchObject({ code: 0, signal: null });
});
