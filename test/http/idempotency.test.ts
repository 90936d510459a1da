/** Idempotency keys on the real service: a write is done once, however often it is sent. */
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../src/core/types.js';
import { packFolder } from '../../src/engines/tar-folder.js';
import { paintedPng } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { addModel, startTestServer, type TestServer } from './start.js';

const KEYS = ['a-key-of-enough-letters', 'another-key-of-enough-letters'];
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ apiKeys: KEYS });
});
afterAll(() => server.close());

let number = 500;
const rows = () => server.app.service.info().bank.rows;
const http = (method: 'get' | 'post', path: string, apiKey = KEYS[0]!) =>
  request(server.url)[method](path).set('X-API-Key', apiKey);
const add = (bytes: Buffer, key: string, { query = '', apiKey = KEYS[0]! } = {}) =>
  http('post', `/v1/images${query}`, apiKey).type('image/png').set('Idempotency-Key', key).send(bytes);

describe('a write with a key', () => {
  it('that is sent again is answered as before, and nothing is stored', async () => {
    const bytes = await paintedPng(number++);
    const first = await add(bytes, 'again').expect(201);
    const before = rows();
    const again = await add(bytes, 'again').expect(201);
    expect([again.body, rows()]).toEqual([first.body, before]);
    for (const name of ['location', 'etag']) expect(again.headers[name]).toBe(first.headers[name]);
    expect([first.headers, again.headers].map((one) => one['idempotency-replayed'])).toEqual([
      undefined,
      'true',
    ]);
  });

  it('in a form is known again in spite of another boundary and another order of the fields', async () => {
    const bytes = await paintedPng(number++);
    const form = () => http('post', '/v1/images').set('Idempotency-Key', 'form');
    const first = await form()
      .field('label', 'x')
      .field('id', 'formed')
      .attach('image', bytes, 'a')
      .expect(201);
    const again = await form()
      .attach('image', bytes, 'b')
      .field('id', 'formed')
      .field('label', 'x')
      .expect(201);
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([first.body, 'true']);
  });

  it('of another request is refused, and so is one that still runs', async () => {
    const [bytes, other] = [await paintedPng(number++), await paintedPng(number++)];
    await add(bytes, 'mine').expect(201);
    const before = rows();
    for (const sent of [add(other, 'mine'), add(bytes, 'mine', { query: '?label=x' })])
      expect((await sent.expect(422)).body).toMatchObject({ code: 'idempotency_mismatch' });
    expect(rows()).toBe(before);
    const together = await Promise.all([1, 2, 3, 4].map(() => add(other, 'together')));
    expect(rows()).toBe(before + 1);
    for (const { status, body } of together) expect([201, 409]).toContain(status ?? body.code);
    expect(
      together.filter(({ headers, status }) => status === 201 && !headers['idempotency-replayed']).length,
    ).toBe(1);
  });

  it('belongs to the API key that it came with', async () => {
    const bytes = await paintedPng(number++);
    const first = await add(bytes, 'shared').expect(201);
    const second = await add(bytes, 'shared', { apiKey: KEYS[1]! }).expect(201);
    expect(second.body.id).not.toBe(first.body.id);
  });

  it('that was refused may be sent again', async () => {
    const bytes = await paintedPng(number++);
    await add(bytes, 'refused', { query: '?id=there' }).expect(201);
    await add(bytes, 'later', { query: '?id=there' }).expect(409);
    await request(server.url).delete('/v1/images/there').set('X-API-Key', KEYS[0]!).expect(204);
    await add(bytes, 'later', { query: '?id=there' }).expect(201);
  });

  it('must have a key of visible ASCII', async () => {
    const bytes = await paintedPng(number++);
    for (const key of ['', 'a b', 'x'.repeat(256)])
      expect((await add(bytes, key).expect(400)).body).toMatchObject({ field: 'Idempotency-Key' });
  });
});

describe('a write that starts a job or makes something', () => {
  const keyed = (path: string, key: string) => http('post', path).set('Idempotency-Key', key);
  const jobs = async (): Promise<Job[]> => (await http('get', '/v1/jobs?limit=100').expect(200)).body.jobs;
  const kept = () => server.app.service.collections().map(({ name }) => name);

  it('starts one job, of every kind that a caller can start', async () => {
    const { sha256 } = await addModel(server, { name: 'other', seed: 3 });
    for (const path of [
      '/v1/reindex',
      `/v1/reindex?model=${sha256}&switch=manual`,
      '/v1/reindex/switch',
      '/v1/reindex/rollback',
      '/v1/snapshots',
    ]) {
      const first = await keyed(path, path).expect(202);
      const again = await keyed(path, path).expect(202);
      expect([again.body, again.headers.location]).toEqual([first.body, first.headers.location]);
      expect(again.headers['idempotency-replayed']).toBe('true');
      expect((await jobs())[0]!.id).toBe(first.body.id); // the newest first: there is no other
      await expect.poll(async () => (await jobs())[0]!.state, { timeout: 30_000 }).toBe('succeeded');
    }
  });

  it('makes one collection, and another body under the key is refused', async () => {
    const make = (name: string) => keyed('/v1/collections', 'collection').send({ name });
    const first = await make('made').expect(201);
    const again = await make('made').expect(201);
    expect([again.body, again.headers.location]).toEqual([first.body, '/v1/collections/made']);
    expect((await make('other').expect(422)).body).toMatchObject({ code: 'idempotency_mismatch' });
    expect(kept()).toEqual(['default', 'made']);
    expect((await keyed('/v1/collections', 'second').send({ name: 'made' }).expect(409)).body).toMatchObject({
      code: 'already_exists',
    });
  });

  it('brings one model, and knows the key again from the bytes that come', async () => {
    const home = await tempFolder();
    await writeTinyModel(home, { name: 'sent', seed: 9 });
    const chunks: Buffer[] = [];
    for await (const chunk of packFolder(home)) chunks.push(chunk);
    const bring = (body: Buffer) => keyed('/v1/models', 'model').type('application/x-tar').send(body);
    const tar = Buffer.concat(chunks);
    expect((await bring(Buffer.from('no tar')).expect(400)).body.code).toBe('malformed_body');
    const first = await bring(tar).expect(201); // what was refused is not kept
    const again = await bring(tar).expect(201);
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([first.body, 'true']);
    expect((await bring(Buffer.concat([tar, tar])).expect(422)).body.code).toBe('idempotency_mismatch');
  });
});
