/** Reindex over HTTP: another model is prepared, chosen and left again, while searches go on. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelManifest } from '../../src/core/manifests.js';
import type { JobAnswer, SearchAnswer } from '../../src/flow/service.js';
import { picture } from '../fixtures/pictures.js';
import { addModel, startTestServer, type TestServer } from './start.js';

let server: TestServer;
let other: ModelManifest;
let red: Buffer;
beforeAll(async () => {
  red = await picture('red', 1);
  server = await startTestServer();
  other = await addModel(server, { name: 'other', seed: 5, dimension: 20 });
});
afterAll(() => server.close());

const post = (path: string) => request(server.url).post(path);
const info = () => server.app.service.info();

async function search(): Promise<SearchAnswer> {
  const { body } = await post('/v1/search?k=12&mode=exact').type('image/jpeg').send(red).expect(200);
  return body as SearchAnswer;
}

/** Starts a job and waits for its end. */
async function run(path: string): Promise<JobAnswer> {
  const { body, headers } = await post(path).expect(202);
  expect(headers.location).toBe(`/v1/jobs/${body.id}`);
  await request(server.url).get(`${headers.location}/events`).expect(200); // ends with the job
  return server.app.service.job(body.id)!;
}

describe('with another model', () => {
  it('prepares, reports, switches when told to, and goes back to the same answers', async () => {
    const before = await search();
    const prepared = await run('/v1/reindex?model=other&switch=manual');
    expect(prepared).toMatchObject({
      kind: 'reindex',
      state: 'succeeded',
      done: 12,
      total: 12,
      result: { awaiting_switch: true, embedded: 12, report: { pictures: 12, knn_accuracy: { of: 12 } } },
    });
    expect(info().model.name).toBe('tiny');
    const switched = await run(`/v1/reindex/switch?model=${other.sha256.slice(0, 6)}`);
    expect(switched).toMatchObject({ state: 'succeeded', result: { switched: true, embedded: 0 } });
    expect(info()).toMatchObject({
      model: { name: 'other', dimension: 20 },
      bank: { rows: 12, unsearchable: 0 },
    });
    expect(info().previous_model).toMatch(/^[0-9a-f]{64}$/);
    const after = await search();
    expect(after.neighbours.map(({ score }) => score)).not.toEqual(
      before.neighbours.map(({ score }) => score),
    );
    await run('/v1/reindex/rollback');
    expect(info()).toMatchObject({ model: { name: 'tiny' }, previous_model: other.sha256 });
    const again = await search();
    expect(again.neighbours).toEqual(before.neighbours);
    expect(again.labels).toEqual(before.labels);
  });

  it('answers every search while it runs', async () => {
    let swapping = true;
    const back = info().model.name === 'tiny' ? 'other' : 'tiny';
    const swapped = run(`/v1/reindex?model=${back}`).finally(() => {
      swapping = false;
    });
    let answered = 0;
    for (; swapping; answered++) expect((await search()).neighbours.length).toBe(12);
    expect((await swapped).state).toBe('succeeded');
    expect([answered > 0, info().model.name]).toEqual([true, back]);
  });

  it('tells which pictures are missing, and drops them only when that is said', async () => {
    await rm(join(server.settings.folder!, 'red', '2 é.jpg'));
    const third = await addModel(server, { name: 'third', seed: 6 });
    const refused = await run('/v1/reindex?model=third');
    expect(refused).toMatchObject({ state: 'failed', failures: 1, result: { missing: { count: 1 } } });
    expect(refused.error).toMatch(/1 of 12 pictures .*red\/2 é\.jpg.*missing=drop/);
    expect(info().model.name).not.toBe('third');
    const dropped = await run('/v1/reindex/switch?missing=drop&keep_previous=false'); // the only one prepared
    expect(dropped).toMatchObject({ state: 'succeeded', parameters: { model: third.sha256 } });
    expect(info()).toMatchObject({ model: { name: 'third' }, previous_model: null });
    expect(info().bank).toMatchObject({ rows: 11, unsearchable: 1 });
    expect((await post('/v1/reindex/rollback').expect(409)).body.code).toBe('nothing_to_switch');
  });
});

describe('what was kept of an upload', () => {
  it.each(['originals', 'copies', 'none'] as const)(
    '%s decides whether another model can embed it',
    async (keep) => {
      const one = await startTestServer({ keep });
      try {
        await addModel(one, { name: 'other', seed: 5, dimension: 20 });
        await request(one.url).post('/v1/images?id=mine').type('image/jpeg').send(red).expect(201);
        const { body } = await request(one.url).post('/v1/reindex?model=other').expect(202);
        await request(one.url).get(`/v1/jobs/${body.id}/events`).expect(200);
        const job = one.app.service.job(body.id)!;
        if (keep === 'none') {
          expect(job).toMatchObject({
            state: 'failed',
            result: { missing: { count: 1, first: [{ id: 'mine' }] } },
          });
          expect(job.error).toMatch(/"mine".*LOOKALIKE_KEEP.*Import them again/);
          expect(one.app.service.info().model.name).toBe('tiny');
        } else expect(job).toMatchObject({ state: 'succeeded', result: { switched: true, embedded: 13 } });
      } finally {
        await one.close();
      }
    },
  );
});

describe('refuses', () => {
  const refusal = async (path: string, status: number) => (await post(path).expect(status)).body;

  it('a model that it does not know, by name', async () => {
    const { code, field, detail } = await refusal('/v1/reindex?model=nobody', 404);
    expect([code, field]).toEqual(['not_found', 'model']);
    expect(detail).toMatch(/"nobody".*tiny/);
  });

  it('the model that answers already', async () => {
    const { code, field } = await refusal(`/v1/reindex?model=${info().model.sha256}`, 409);
    expect([code, field]).toEqual(['nothing_to_switch', 'model']);
  });

  it('what says how to swap without a model, and words that it does not know', async () => {
    expect(await refusal('/v1/reindex?switch=manual', 400)).toMatchObject({ field: 'switch' });
    expect(await refusal('/v1/reindex?keep_previous=false', 400)).toMatchObject({ field: 'keep_previous' });
    expect(await refusal('/v1/reindex?model=other&switch=maybe', 400)).toMatchObject({ field: 'switch' });
    expect(await refusal('/v1/reindex?model=other&missing=yes', 400)).toMatchObject({ field: 'missing' });
    expect(await refusal('/v1/reindex/rollback?model=other', 400)).toMatchObject({
      code: 'unknown_parameter',
    });
  });
});
