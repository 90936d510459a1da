/** Idempotency keys on the real service: a write is done once, however often it is sent. */
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../src/core/types.js';
import { paintedPng } from '../fixtures/painted.js';
import { startTestServer, type TestServer } from './start.js';

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

  it('starts one job', async () => {
    const start = () => http('post', '/v1/reindex').set('Idempotency-Key', 'job').expect(202);
    const [first, again] = [await start(), await start()];
    expect(again.body.id).toBe(first.body.id);
    const { body } = await http('get', '/v1/jobs').expect(200);
    expect(body.jobs.filter(({ id }: Job) => id === first.body.id).length).toBe(1);
  });
});
