import request from 'supertest';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BODY_OVERHEAD } from '../../src/http/upload.js';
import { picture } from '../fixtures/pictures.js';
import { head, openRaw, parseAnswer, startUpload, untilMetric } from './raw.js';
import { startTestServer, type TestServer } from './start.js';

const MAX_BYTES = 64 * 1024;
/** Room for one upload of the largest size. */
const BUDGET = MAX_BYTES + BODY_OVERHEAD;
const RUNNING = 'lookalike_gate_running{gate="upload"}';
const WAITING = 'lookalike_queue_depth{gate="upload"}';

let server: TestServer;
let red: Buffer;
beforeAll(async () => {
  red = await picture('red', 1);
});
afterEach(() => server.close());

const search = () => request(server.url).post('/v1/search').type('image/jpeg').send(red);
/** A body that fills the budget but for less than the good picture needs. */
const almostAll = () => startUpload(server.url, MAX_BYTES);
const fillBudget = async () => {
  const uploads = [almostAll(), startUpload(server.url, BUDGET - MAX_BYTES)];
  await untilMetric(server.url, RUNNING, 2);
  return uploads;
};

describe('the byte budget', () => {
  it('refuses what does not fit when nobody may wait, and takes it again later', async () => {
    server = await startTestServer({ maxBytes: MAX_BYTES, bodyBudgetBytes: BUDGET, queueLimit: 0 });
    const uploads = await fillBudget();
    const { body } = await search().expect(503).expect('Retry-After', /^\d+$/);
    expect(body).toMatchObject({ code: 'overloaded' });
    for (const { socket } of uploads) socket.destroy();
    await untilMetric(server.url, RUNNING, 0);
    await search().expect(200);
  });

  it('makes one wait its turn when one may wait', async () => {
    server = await startTestServer({ maxBytes: MAX_BYTES, bodyBudgetBytes: BUDGET, queueLimit: 1 });
    const uploads = await fillBudget();
    const waiting = search().then((response) => response);
    await untilMetric(server.url, WAITING, 1);
    await search().expect(503);
    for (const { socket } of uploads) socket.destroy();
    expect((await waiting).status).toBe(200);
  });

  it('lets a client that waits go away', async () => {
    server = await startTestServer({ maxBytes: MAX_BYTES, bodyBudgetBytes: BUDGET, queueLimit: 1 });
    const uploads = await fillBudget();
    const waiting = startUpload(server.url, 1000);
    await untilMetric(server.url, WAITING, 1);
    waiting.socket.destroy();
    await untilMetric(server.url, WAITING, 0);
    for (const { socket } of uploads) socket.destroy();
    await search().expect(200);
  });

  it('must hold one upload', async () => {
    server = await startTestServer();
    const tooSmall = startTestServer({ maxBytes: MAX_BYTES, bodyBudgetBytes: BUDGET - 1 });
    await expect(tooSmall).rejects.toMatchObject({ code: 'invalid_setting' });
  });
});

describe('running searches', () => {
  it('are bounded: beyond what may run and wait there are refusals, and every answer is one or the other', async () => {
    server = await startTestServer({ concurrency: 1, queueLimit: 1 });
    const statuses = await Promise.all(
      Array.from({ length: 30 }, () => search().then(({ status }) => status)),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    await search().expect(200);
  });
});

describe('a connection', () => {
  it('that is too slow is answered 408 and closed', async () => {
    server = await startTestServer({ requestTimeoutMs: 300 });
    const answer = parseAnswer(await startUpload(server.url, 1000).answer());
    expect(answer).toMatchObject({ status: 408, headers: { 'content-type': 'application/problem+json' } });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'request_timeout' });
    await search().expect(200);
  });

  it('with too large headers is answered 431, with nonsense 400', async () => {
    server = await startTestServer();
    const { host } = new URL(server.url);
    const large = openRaw(server.url);
    large.socket.write(head('GET /livez HTTP/1.1', `Host: ${host}`, `X-Large: ${'x'.repeat(20_000)}`));
    expect(parseAnswer(await large.answer())).toMatchObject({ status: 431 });
    const nonsense = openRaw(server.url);
    nonsense.socket.write('this is not HTTP\r\n\r\n');
    const answer = parseAnswer(await nonsense.answer());
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'malformed_request' });
    await search().expect(200);
  });
});

describe('stopping', () => {
  it('finishes what has begun, and takes nothing new', async () => {
    server = await startTestServer();
    const upload = startUpload(server.url, red.length, { first: red.subarray(0, 100) });
    await untilMetric(server.url, RUNNING, 1);
    const stopped = server.listening.stop(20_000);
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow();
    upload.socket.write(red.subarray(100));
    expect(parseAnswer(await upload.answer()).status).toBe(200);
    await stopped;
  });

  it('ends what does not finish within the grace', async () => {
    server = await startTestServer();
    const upload = startUpload(server.url, 1000);
    await untilMetric(server.url, RUNNING, 1);
    await server.listening.stop(50);
    expect(await upload.answer()).toBe('');
  });
});
