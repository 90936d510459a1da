/** The index is made anew by itself once much came or went; what was written is seen the whole time. */
import request from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Info, SearchAnswer } from '../../src/flow/service.js';
import { FRESH_ROWS } from '../../src/flow/upkeep.js';
import { unitVectors } from '../contract/vectors.js';
import { ended } from './jobs.js';
import { startTestServer, type TestServer } from './start.js';

const DIMENSION = 32; // of the tiny encoder
const ROWS = FRESH_ROWS + 200;
const idOf = (i: number) => `v${i}`;

let server: TestServer;
const { vectors } = unitVectors({ rows: ROWS + 1, dimension: DIMENSION, seed: 5 });
const vectorOf = (i: number) => [...vectors.subarray(i * DIMENSION, (i + 1) * DIMENSION)];
beforeAll(async () => {
  server = await startTestServer();
  await request(server.url).post('/v1/collections').send({ name: 'grown' }).expect(201);
});
afterAll(() => server.close());

const index = async (): Promise<Info['index']> =>
  (await request(server.url).get('/v1/info?collection=grown').expect(200)).body.index;

async function bring(from: number, to: number): Promise<void> {
  const lines = Array.from({ length: to - from }, (_, i) =>
    JSON.stringify({ id: idOf(from + i), vector: vectorOf(from + i) }),
  );
  const sent = request(server.url).post('/v1/imports?collection=grown').type('application/x-ndjson');
  const { headers } = await sent.send(lines.join('\n')).expect(202);
  await ended(server.url, headers.location!);
}

/** The nearest to the vector of row i. */
async function nearest(i: number): Promise<string | undefined> {
  const asked = { vector: vectorOf(i), k: 1, collection: 'grown' };
  const { body } = await request(server.url).post('/v1/search').send(asked).expect(200);
  return (body as SearchAnswer).neighbours[0]?.id;
}

/** Asks for rows until the index is this generation; what `look` says holds at every moment. */
async function untilGeneration(generation: number, look: () => Promise<void>): Promise<Info['index']> {
  for (;;) {
    const now = await index();
    await look();
    if (now.generation >= generation) return index();
  }
}

it('builds the first index after an import, and another when the next one brought many rows', async () => {
  await bring(0, 1);
  await untilGeneration(1, async () => expect(await nearest(0)).toBe(idOf(0)));
  await bring(1, ROWS);
  const look = async () => {
    for (const i of [0, 1, ROWS - 1]) expect(await nearest(i)).toBe(idOf(i));
  };
  expect(await untilGeneration(2, look)).toMatchObject({
    generation: 2,
    rows: ROWS,
    fresh_rows: 0,
    graph_ready: true,
  });
  await bring(ROWS, ROWS + 1); // a few wait, and are found
  expect(await index()).toMatchObject({ generation: 2, fresh_rows: 1 });
  expect(await nearest(ROWS)).toBe(idOf(ROWS));
});

it('makes it anew when many rows were removed, and never finds one of them', async () => {
  const gone = Array.from({ length: FRESH_ROWS + 1 }, (_, i) => i);
  const remove = async (i: number) =>
    void (await request(server.url)
      .delete(`/v1/images/${idOf(i)}?collection=grown`)
      .expect(204));
  for (let at = 0; at < gone.length; at += 8) await Promise.all(gone.slice(at, at + 8).map(remove));
  const look = async () => {
    for (const i of [0, FRESH_ROWS]) expect(gone.map(idOf)).not.toContain(await nearest(i));
    expect(await nearest(ROWS)).toBe(idOf(ROWS));
  };
  expect(await untilGeneration(3, look)).toMatchObject({
    rows: ROWS + 1 - gone.length,
    fresh_rows: 0,
    removed_rows: 0,
  });
  await look();
});
