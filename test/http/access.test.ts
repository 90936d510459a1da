import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { picture } from '../fixtures/pictures.js';
import { head, openRaw, parseAnswer } from './raw.js';
import { startTestServer, type TestServer } from './start.js';

const KEY = 'a-key-of-enough-letters';
const OTHER = 'another-key-that-is-good';
const OPEN = [
  '/livez',
  '/readyz',
  '/docs',
  '/openapi.yaml',
  '/',
  '/page.js',
  '/api.js',
  '/style.css',
  '/icon.svg',
];
const CLOSED = [
  '/v1/info',
  '/v1/jobs',
  '/v1/jobs/1',
  '/v1/images/x/thumbnail',
  '/V1/info',
  '/metrics',
  '/v1/none',
];

describe('with keys', () => {
  let server: TestServer;
  let red: Buffer;
  beforeAll(async () => {
    server = await startTestServer({ apiKeys: [KEY, OTHER] });
    red = await picture('red', 1);
  });
  afterAll(() => server.close());

  it.each(OPEN)('%s is open', async (path) => {
    await request(server.url).get(path).expect(200);
  });

  it.each(CLOSED)('%s is closed without a key and with a wrong one', async (path) => {
    const { body } = await request(server.url)
      .get(path)
      .expect(401)
      .expect('WWW-Authenticate', /^Bearer/);
    expect(body.code).toBe('unauthorized');
    await request(server.url).get(path).set('X-API-Key', `${KEY}x`).expect(401);
    await request(server.url).get(path).set('Authorization', `Basic ${KEY}`).expect(401);
    await request(server.url).get(path).set('Authorization', 'Bearer').expect(401);
  });

  it.each([KEY, OTHER])('either key opens, in either header', async (key) => {
    await request(server.url).get('/v1/info').set('Authorization', `Bearer ${key}`).expect(200);
    await request(server.url).get('/v1/info').set('X-API-Key', key).expect(200);
    const post = request(server.url).post('/v1/search').set('X-API-Key', key);
    await post.attach('image', red, 'red.jpg').expect(200);
  });

  it('answers 401 before the body has come, and does not hang on a client that goes on sending', async () => {
    const raw = openRaw(server.url);
    const { host } = new URL(server.url);
    raw.socket.write(
      head('POST /v1/search HTTP/1.1', `Host: ${host}`, 'Content-Type: image/jpeg', 'Content-Length: 200000'),
    );
    const early = parseAnswer(await raw.answer(/unauthorized.*\}/s));
    expect(early).toMatchObject({ status: 401, headers: { connection: 'close' } });
    raw.socket.write(Buffer.alloc(100_000)); // still sending: the answer must not be lost to a reset
    const whole = parseAnswer(await raw.answer());
    expect(JSON.parse(whole.body)).toMatchObject({ code: 'unauthorized' });
  });

  it('asks a client that waits for 100-continue for its body only when it has a key', async () => {
    const { host } = new URL(server.url);
    const lines = ['POST /v1/search HTTP/1.1', `Host: ${host}`, 'Content-Type: image/jpeg'];
    const more = [`Content-Length: ${red.length}`, 'Expect: 100-continue', 'Connection: close'];
    const without = openRaw(server.url);
    without.socket.write(head(...lines, ...more));
    expect(await without.answer()).toMatch(/^HTTP\/1.1 401 /);

    const withKey = openRaw(server.url);
    withKey.socket.write(head(...lines, ...more, `X-API-Key: ${KEY}`));
    expect(await withKey.answer(/\r\n\r\n/)).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\n$/);
    withKey.socket.write(red);
    expect(await withKey.answer()).toMatch(/HTTP\/1.1 200 OK/);
  });

  it('asks nothing about the host name: the key says enough', () =>
    request(server.url).get('/v1/info').set({ Host: 'photos.example', 'X-API-Key': KEY }).expect(200));
});

describe('without keys', () => {
  let server: TestServer;
  let port: string;
  beforeAll(async () => {
    server = await startTestServer({ allowedHosts: ['photos.lan'] });
    ({ port } = new URL(server.url));
  });
  afterAll(() => server.close());

  const get = (host: string) => request(server.url).get('/v1/info').set('Host', host);

  it('answers under its own names only (DNS rebinding)', async () => {
    for (const host of ['localhost', `localhost:${port}`, 'LOCALHOST', `127.0.0.1:${port}`, `[::1]:${port}`])
      await get(host).expect(200);
    await get('photos.lan:80').expect(200);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
    ]) {
      const { body } = await get(host).expect(403);
      expect(body).toMatchObject({ code: 'forbidden' });
    }
    await request(server.url).get('/').set('Host', 'evil.example').expect(403);
  });

  it('refuses what a page of another origin sends', async () => {
    const post = (origin: string) => request(server.url).post('/v1/reindex').set('Origin', origin);
    for (const origin of ['https://evil.example', 'null', `http://localhost:${Number(port) + 1}`])
      await post(origin).expect(403);
    await post(`http://127.0.0.1:${port}`).expect(202);
    await request(server.url).get('/v1/info').set('Origin', 'https://evil.example').expect(200);
  });
});

describe('with --no-auth', () => {
  it('answers under every host name, but not to pages of another origin', async () => {
    const server = await startTestServer({ noAuth: true });
    await request(server.url).get('/v1/info').set('Host', 'anything.example').expect(200);
    await request(server.url)
      .post('/v1/reindex')
      .set({ Host: 'anything.example', Origin: 'https://evil.example' })
      .expect(403);
    await server.close();
  });
});

describe('every answer', () => {
  it('tells browsers to keep to our own files, and not what runs here', async () => {
    const server = await startTestServer();
    for (const path of ['/', '/docs', '/v1/info', '/none']) {
      const { headers } = await request(server.url).get(path);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-powered-by']).toBeUndefined();
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
    await server.close();
  });
});
