/** The quota of a caller: who counts as one, what is said of it, and what it spares. */
import request from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import { picture } from '../fixtures/pictures.js';
import { head, metricIn, openRaw, parseAnswer } from './raw.js';
import { startTestServer, type TestServer } from './start.js';

const KEY = 'a-key-of-enough-letters';
const OTHER = 'another-key-that-is-good';

let server: TestServer;
afterEach(() => server.close());

const info = (headers: Record<string, string> = {}) => request(server.url).get('/v1/info').set(headers);

describe('a limit of requests a minute', () => {
  it('is told with every answer, counts down, and refuses what is beyond', async () => {
    server = await startTestServer({ rateLimit: 2 });
    const first = await info().expect(200);
    expect(first.headers['ratelimit-policy']).toMatch(/^"requests"; q=2; w=60; pk=:[\w+/=]+:$/);
    expect(first.headers.ratelimit).toMatch(/^"requests"; r=1; t=\d+$/);
    await request(server.url).get('/v1/none').expect(404); // a wrong request is a request
    const { body, headers } = await info().expect(429);
    expect(headers.ratelimit).toMatch(/^"requests"; r=0; t=\d+$/);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ status: 429, code: 'rate_limited', title: 'Too Many Requests' });
    expect(body.detail).toMatch(/^2 requests a minute are allowed; the next one in \d+ s$/);
  });

  it('refuses an upload before its body has come', async () => {
    server = await startTestServer({ rateLimit: 1 });
    await info().expect(200);
    const raw = openRaw(server.url);
    const { host } = new URL(server.url);
    const type = 'Content-Type: image/jpeg';
    raw.socket.write(head('POST /v1/search HTTP/1.1', `Host: ${host}`, type, 'Content-Length: 200000'));
    expect(parseAnswer(await raw.answer(/rate_limited.*\}/s))).toMatchObject({ status: 429 });
    raw.socket.destroy();
  });

  it('is of each key alone, in whichever header it comes', async () => {
    server = await startTestServer({ rateLimit: 2, apiKeys: [KEY, OTHER] });
    await info({ 'X-API-Key': KEY }).expect(200);
    await info({ Authorization: `Bearer ${KEY}` }).expect(200);
    await info({ 'X-API-Key': KEY }).expect(429);
    await info({ 'X-API-Key': OTHER }).expect(200);
    await info().expect(401); // who has no key is told so, and spends nobody's requests
    await info({ 'X-API-Key': OTHER }).expect(200);
  });

  it('is of the connection, not of an address that the caller claims', async () => {
    server = await startTestServer({ rateLimit: 1 });
    await info({ 'X-Forwarded-For': '203.0.113.7' }).expect(200);
    await info({ 'X-Forwarded-For': '203.0.113.8', Forwarded: 'for=203.0.113.9' }).expect(429);
  });

  it('spares the probes, the metrics and the pages, and is counted as a refusal', async () => {
    server = await startTestServer({ rateLimit: 1 });
    await info().expect(200);
    for (let i = 0; i < 3; i++) await info().expect(429);
    for (const path of ['/livez', '/readyz', '/docs', '/openapi.yaml', '/']) {
      const { headers } = await request(server.url).get(path).expect(200);
      expect(headers.ratelimit).toBeUndefined();
    }
    const { text } = await request(server.url).get('/metrics').expect(200);
    expect(metricIn(text, 'lookalike_refusals_total{reason="rate_limited"}')).toBe(3);
  });
});

it('there is none unless it is set', async () => {
  server = await startTestServer();
  for (let i = 0; i < 20; i++) {
    const { headers } = await info().expect(200);
    expect(headers.ratelimit).toBeUndefined();
    expect(headers['ratelimit-policy']).toBeUndefined();
  }
  const search = request(server.url).post('/v1/search').type('image/jpeg');
  await search.send(await picture('red', 1)).expect(200);
});
