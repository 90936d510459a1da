/** The log of the real service: a line a request, and nothing in it that is a secret or the caller's. */
import { PassThrough } from 'node:stream';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { HEIC } from '../fixtures/bad-pictures.js';
import { picture } from '../fixtures/pictures.js';
import { startTestServer, type TestServer } from './start.js';

const KEYS = ['first-key-of-enough-letters', 'second-key-of-enough-letters'];
const CANARY = 'canary-of-the-body';

let server: TestServer;
let red: Buffer;
const log = new PassThrough();
let text = '';
log.on('data', (chunk: Buffer) => {
  text += chunk.toString('latin1');
});
beforeAll(async () => {
  red = await picture('red', 1);
  server = await startTestServer({ apiKeys: KEYS, logLevel: 'trace' }, { log });
});
beforeEach(() => {
  text = '';
});
afterAll(() => server.close());

const lines = () =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const search = () => request(server.url).post('/v1/search').type('image/jpeg');

it('names the request by the id that came, and by one that was made', async () => {
  const named = await search()
    .set('X-API-Key', KEYS[0]!)
    .set('X-Request-Id', 'from-outside')
    .send(red)
    .expect(200);
  const made = await search()
    .set('X-API-Key', KEYS[0]!)
    .set('X-Request-Id', 'not\thar(m)less')
    .send(red)
    .expect(200);
  expect(named.headers['x-request-id']).toBe('from-outside');
  expect(made.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  const logged = () => lines().map(({ request_id }) => request_id);
  await expect.poll(logged).toEqual(['from-outside', made.headers['x-request-id']]);
  const refused = await search().set('X-API-Key', KEYS[0]!).send(HEIC).expect(415);
  expect(refused.body.request_id).toBe(refused.headers['x-request-id']);
  await expect
    .poll(() => lines().at(-1))
    .toMatchObject({
      request_id: refused.headers['x-request-id'],
      code: 'unsupported_image',
      status: 415,
      path: '/v1/search',
    });
});

it('holds no key, no header, no query and nothing of what was sent', async () => {
  const form = (key: (sent: request.Test) => request.Test) =>
    key(request(server.url).post(`/v1/images?label=${CANARY}-query`).set('Cookie', `${CANARY}-cookie`))
      .field('metadata', JSON.stringify({ secret: `${CANARY}-metadata` }))
      .attach('image', Buffer.concat([red, Buffer.from(`${CANARY}-bytes`)]), `${CANARY}-name.jpg`);
  const answers = [
    await form((sent) => sent.set('X-API-Key', KEYS[0]!)),
    await form((sent) => sent.set('Authorization', `Bearer ${KEYS[1]}`)),
    await form((sent) => sent.set('Authorization', `Bearer ${CANARY}-wrong-key`)),
    await form((sent) => sent.set('X-API-Key', KEYS[0]!).set('Idempotency-Key', `${CANARY}-idempotency`)),
    await search().set('X-API-Key', KEYS[0]!).type('application/json').send(`{"image": "${CANARY}"`),
    await search()
      .set('X-API-Key', KEYS[0]!)
      .send(Buffer.from(`${CANARY} is no picture`)),
  ];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 401, 201, 400, 415]);
  await expect.poll(() => lines().filter(({ msg }) => msg === 'request').length).toBe(answers.length);
  for (const secret of [...KEYS, CANARY]) expect(text).not.toContain(secret);
  expect(text).not.toContain(red.subarray(0, 20).toString('latin1'));
});
