/** Many queries in one request, and pictures to vectors: one result each, and none fails for another. */
import request, { type Test } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEIC } from '../fixtures/bad-pictures.js';
import { LABELS, type Label, picture } from '../fixtures/pictures.js';
import { metricIn } from './raw.js';
import { startTestServer, type TestServer } from './start.js';

let server: TestServer;
let pictures: Buffer[];
beforeAll(async () => {
  server = await startTestServer({ concurrency: 2 });
  const labels = Object.keys(LABELS) as Label[];
  pictures = await Promise.all(Array.from({ length: 6 }, (_, i) => picture(labels[i % 3]!, i)));
});
afterAll(() => server.close());

const post = (path: string) => request(server.url).post(path);
const json = (path: string, body: object) => post(path).type('application/json').send(body);
const form = (path: string, files: readonly Buffer[]) =>
  files.reduce<Test>((test, file) => test.attach('image', file, 'a.jpg'), post(path));
const base64 = (bytes: Buffer) => bytes.toString('base64');
const single = async (bytes: Buffer, query = '') =>
  (await post(`/v1/search${query}`).type('image/jpeg').send(bytes).expect(200)).body;

// By the exact index: what is cheaper by measured times may be another one for a batch than for one query.
describe('a batch of searches', () => {
  it('is answered as one by one, in the order of its pictures', async () => {
    const { body, headers } = await form('/v1/search/batch?k=4&mode=exact', pictures).expect(200);
    expect(body.results).toHaveLength(6);
    for (const [i, bytes] of pictures.entries())
      expect(body.results[i]).toEqual(await single(bytes, '?k=4&mode=exact'));
    expect(headers['server-timing']).toMatch(/receive.*decode.*embed.*search.*vote.*total/);
    const queries = pictures.map((bytes) => ({ image: base64(bytes) }));
    expect((await json('/v1/search/batch', { queries, k: 4, mode: 'exact' }).expect(200)).body).toEqual(body);
  });

  it('has an error of its own for every query that is wrong', async () => {
    const queries = [
      { id: 'red/1 é.jpg' },
      { id: 'nobody' },
      { image: base64(HEIC) },
      { image: '!!!!' },
      { top: 1 },
      7,
      { image: base64(pictures[0]!) },
      { vector: [1, 2] },
      { image: base64(Buffer.alloc(server.settings.maxBytes + 3)) },
    ];
    const { body, headers } = await json('/v1/search/batch', { queries, mode: 'exact' }).expect(200);
    const codes = body.results.map((one: { error?: { code: string } }) => one.error?.code ?? 'answer');
    expect(codes).toEqual([
      'answer',
      'not_found',
      'unsupported_image',
      'invalid_parameter',
      'unknown_parameter',
      'invalid_parameter',
      'answer',
      'invalid_parameter',
      'body_too_large',
    ]);
    expect(body.results[1].error).toMatchObject({
      status: 404,
      field: 'id',
      request_id: headers['x-request-id'],
    });
    expect(body.results[6]).toEqual(await single(pictures[0]!, '?mode=exact'));
  });

  it('in a form goes on past files that are no pictures, empty or too large', async () => {
    const large = Buffer.alloc(server.settings.maxBytes + 1);
    const files = [pictures[0]!, HEIC, Buffer.alloc(0), large, pictures[1]!];
    const { body } = await form('/v1/search/batch?mode=exact', files).expect(200);
    const codes = body.results.map((one: { error?: { code: string } }) => one.error?.code ?? 'answer');
    expect(codes).toEqual(['answer', 'unsupported_image', 'missing_image', 'body_too_large', 'answer']);
    expect(body.results[4]).toEqual(await single(pictures[1]!, '?mode=exact'));
    const { text } = await request(server.url).get('/metrics');
    expect(metricIn(text, 'lookalike_refusals_total{reason="missing_image"}')).toBe(1);
  });

  it('takes 64 pictures and no more, however many places there are', async () => {
    const many = Array.from({ length: 64 }, (_, i) => pictures[i % 6]!);
    const { body } = await form('/v1/search/batch?k=1', many).expect(200);
    expect(body.results).toHaveLength(64);
    const { body: refused } = await form('/v1/search/batch', [...many, pictures[0]!]).expect(400);
    expect(refused).toMatchObject({ code: 'too_many_files', detail: expect.stringContaining('64') });
    const queries = Array.from({ length: 65 }, () => ({ id: 'x' }));
    const { body: tooMany } = await json('/v1/search/batch', { queries }).expect(400);
    expect(tooMany).toMatchObject({ code: 'invalid_parameter', field: 'queries' });
  });

  it('is refused as a whole where what its queries share is wrong', async () => {
    const queries = [{ id: 'red/1 é.jpg' }];
    await json('/v1/search/batch', { queries, k: 0 }).expect(400);
    await json('/v1/search/batch', { queries, label: 'unicorn' }).expect(400);
    await json('/v1/search/batch', { queries, collection: 'nobody' }).expect(404);
    await json('/v1/search/batch?k=3', { queries, k: 3 }).expect(400);
    await form('/v1/search/batch', [pictures[0]!]).field('top', '1').expect(400);
  });

  it('of the largest size together is bounded', async () => {
    const most = server.settings.maxBytes * 64;
    const { body } = await post('/v1/search/batch')
      .type('multipart/form-data; boundary=x')
      .send(Buffer.alloc(most + 100_000))
      .expect(413);
    expect(body).toMatchObject({ code: 'body_too_large' });
  });
});

describe('embeddings', () => {
  it('are unit vectors of the model, one a picture, the same in both encodings and alone or together', async () => {
    const { body } = await form('/v1/embeddings', pictures).expect(200);
    const { model } = (await request(server.url).get('/v1/info')).body;
    expect(body).toMatchObject({ model_sha256: model.sha256, dimension: model.dimension });
    for (const [i, { vector }] of body.embeddings.entries()) {
      expect(vector).toHaveLength(model.dimension);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
      const alone = await post('/v1/embeddings?encoding=base64')
        .type('image/jpeg')
        .send(pictures[i]!)
        .expect(200);
      const bytes = Buffer.from(alone.body.embeddings[0].vector, 'base64');
      const floats = new Float32Array(new Uint8Array(bytes).buffer);
      expect([...Float32Array.from(vector)]).toEqual([...floats]);
    }
    const inJson = await json('/v1/embeddings', { images: pictures.map(base64), encoding: 'float' }).expect(
      200,
    );
    expect(inJson.body).toEqual(body);
  });

  it('have an error of their own for every picture that is wrong', async () => {
    const images = [base64(pictures[0]!), base64(HEIC), 'x', 7, base64(pictures[0]!)];
    const { body } = await json('/v1/embeddings', { images }).expect(200);
    const codes = body.embeddings.map((one: { error?: { code: string } }) => one.error?.code ?? 'vector');
    expect(codes).toEqual([
      'vector',
      'unsupported_image',
      'invalid_parameter',
      'invalid_parameter',
      'vector',
    ]);
    const raw = await post('/v1/embeddings').type('image/jpeg').send(HEIC).expect(200);
    expect(raw.body.embeddings).toMatchObject([{ error: { code: 'unsupported_image', status: 415 } }]);
  });

  it('are refused as a whole where the request is wrong', async () => {
    await json('/v1/embeddings', { images: [] }).expect(400);
    await json('/v1/embeddings', { images: 'x' }).expect(400);
    await json('/v1/embeddings', { image: 'x' }).expect(400);
    await json('/v1/embeddings', { images: ['x'], encoding: 'hex' }).expect(400);
    await json('/v1/embeddings?encoding=float', { images: ['x'], encoding: 'float' }).expect(400);
    await form('/v1/embeddings?encoding=float', [pictures[0]!]).field('encoding', 'float').expect(400);
    await post('/v1/embeddings').type('text/plain').send('x').expect(415);
    await post('/v1/embeddings').expect(400);
  });
});
