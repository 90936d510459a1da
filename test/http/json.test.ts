/** Searches that are asked in JSON: by picture, id, vector and examples, filtered, and everything that is refused. */
import request, { type Test } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABELS, PICTURES_PER_LABEL, picture } from '../fixtures/pictures.js';
import { head, openRaw, parseAnswer, sendEndlessly, untilMetric } from './raw.js';
import { startTestServer, type TestServer } from './start.js';

const ALL = Object.keys(LABELS).length * PICTURES_PER_LABEL;
let server: TestServer;
let red: Buffer;
beforeAll(async () => {
  server = await startTestServer();
  red = await picture('red', 1);
});
afterAll(() => server.close());

const search = (body: object | string, query = '') =>
  request(server.url).post(`/v1/search${query}`).type('application/json').send(body);
const idsOf = (body: { neighbours: { id: string }[] }) => body.neighbours.map(({ id }) => id);
const image = () => red.toString('base64');
const ID = 'red/1 é.jpg';

async function refused(sent: Test, status: number, expected: Record<string, unknown>): Promise<void> {
  const { body, headers } = await sent.expect(status).expect('Content-Type', /^application\/problem\+json/);
  expect(body).toMatchObject({ status, ...expected });
  expect(body.request_id).toBe(headers['x-request-id']);
  await search({ id: ID }).expect(200);
}

describe('a search in JSON', () => {
  it('by picture is answered as the picture itself is', async () => {
    const raw = await request(server.url).post('/v1/search?k=5').type('image/jpeg').send(red).expect(200);
    expect((await search({ image: image(), k: 5 }).expect(200)).body).toEqual(raw.body);
    expect((await search({ image: image() }, '?k=5').expect(200)).body).toEqual(raw.body);
  });

  it('by id leaves the picture out, and needs neither decoder nor encoder', async () => {
    const { body, headers } = await search({ id: ID, k: 50, mode: 'exact' }).expect(200);
    expect(body.query).toEqual({ kind: 'id', id: ID });
    expect(idsOf(body)).toHaveLength(ALL - 1);
    expect(idsOf(body)).not.toContain(ID);
    expect(body.neighbours[0].label).toBe('red');
    expect(headers['server-timing']).not.toMatch(/decode|embed/);
  });

  it('by the vector that /v1/embeddings gives is that by picture', async () => {
    const embedded = await request(server.url)
      .post('/v1/embeddings')
      .type('image/jpeg')
      .send(red)
      .expect(200);
    const { vector } = embedded.body.embeddings[0];
    const { body } = await search({ vector }).expect(200);
    const byPicture = await search({ image: image() }).expect(200);
    expect(body).toEqual({ ...byPicture.body, query: { kind: 'vector' } });
  });

  it('by examples finds what is like these and unlike those', async () => {
    const examples = {
      positive: [{ id: 'red/0 é.jpg' }, { image: image() }],
      negative: [{ id: 'blue/0 é.jpg' }],
    };
    const { body } = await search({ examples, beta: 0.25, k: 50 }).expect(200);
    expect(body.query).toEqual({ kind: 'examples', positive: 2, negative: 1, beta: 0.25 });
    expect(idsOf(body)).toHaveLength(ALL - 2);
    expect(body.neighbours.slice(0, 3).map((one: { label: string }) => one.label)).toEqual(
      Array(3).fill('red'),
    );
  });

  it('takes every parameter of the query', async () => {
    const all = {
      k: 3,
      vote_k: 2,
      temperature: 0.5,
      min_score: -0.5,
      label: ['green', 'red'],
      mode: 'exact',
      ef: 10,
    };
    const { body } = await search({ id: ID, ...all, where: {}, collection: 'default', beta: 0 }).expect(200);
    const query =
      '?k=3&vote_k=2&temperature=0.5&min_score=-0.5&label=green&label=red&mode=exact&ef=10&beta=0';
    expect((await search({ id: ID }, `${query}&where={}&collection=default`).expect(200)).body).toEqual(body);
    expect(body.neighbours).toHaveLength(3);
  });
});

describe('a filter on metadata', () => {
  it('that nothing fits gives an empty answer, in every mode', async () => {
    for (const mode of ['auto', 'exact', 'hnsw']) {
      const { body } = await search({ id: ID, mode, where: { colour: 'red' } }).expect(200);
      expect([body.labels, body.neighbours]).toEqual([[], []]);
    }
    const where = encodeURIComponent('{"colour":{"exists":false}}');
    expect((await search({ id: ID, k: 50 }, `?where=${where}`).expect(200)).body.neighbours).toHaveLength(
      ALL - 1,
    );
  });

  it('that is none is refused, in the body and in the query', async () => {
    const expected = { code: 'invalid_parameter', field: 'where' };
    await refused(search({ id: ID, where: [] }), 400, expected);
    await refused(search({ id: ID, where: { a: { near: 1 } } }), 400, expected);
    await refused(search({ id: ID }, '?where=colour'), 400, expected);
  });
});

describe('JSON that is not as agreed is refused', () => {
  const deep = `{"examples":{"positive":[{"vector":${'['.repeat(50)}1${']'.repeat(50)}}]}}`;
  it.each<[string, string, string, string | undefined]>([
    ['no JSON', 'k=5', 'malformed_body', undefined],
    ['an end too soon', '{"id":"a"', 'malformed_body', undefined],
    ['NaN', '{"vector":[NaN]}', 'malformed_body', undefined],
    ['a number past all', '{"vector":[1e999]}', 'invalid_parameter', 'vector'],
    ['a name twice', '{"k":1,"id":"a","k":2}', 'malformed_body', undefined],
    ['what is too deep', deep, 'malformed_body', undefined],
    ['too many values', `{"vector":[${'0,'.repeat(50_000)}0]}`, 'malformed_body', undefined],
    ['the prototype', '{"id":"a","__proto__":{"k":1}}', 'unknown_parameter', '__proto__'],
    ['an unknown name', '{"id":"a","top":5}', 'unknown_parameter', 'top'],
    ['a wrong type', '{"id":"a","k":"5"}', 'invalid_parameter', 'k'],
    ['no query', '{}', 'invalid_parameter', 'image'],
    ['a list', '[]', 'invalid_parameter', undefined],
    ['no base64', '{"image":"data:image/png;base64,AAAA"}', 'invalid_parameter', 'image'],
    ['a vector of another dimension', '{"vector":[1]}', 'invalid_parameter', 'vector'],
    ['a vector of another length', `{"vector":[${Array(32).fill(1)}]}`, 'invalid_parameter', 'vector'],
  ])('%s', async (_what, body, code, field) => {
    await refused(search(body), 400, { code, ...(field !== undefined && { field }) });
  });

  it('bytes that are no UTF-8', async () => {
    const body = Buffer.from('{"id":"\xff"}', 'latin1');
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${server.url}/v1/search`, { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'malformed_body', detail: 'the body is not UTF-8' }),
    ]);
  });

  it('a parameter in the query and in the body', () =>
    refused(search({ id: ID, k: 5 }, '?k=5'), 400, { code: 'invalid_parameter', field: 'k' }));

  it('a picture that is none, and an id that nobody has', async () => {
    await refused(search({ image: 'AAAA' }), 415, { code: 'unsupported_image' });
    await refused(search({ image: red.subarray(0, 300).toString('base64') }), 422, {
      code: 'undecodable_image',
    });
    await refused(search({ id: 'nobody' }), 404, { code: 'not_found', field: 'id' });
    const examples = { positive: [{ id: ID }], negative: [{ id: 'nobody' }] };
    await refused(search({ examples }), 404, { code: 'not_found', field: 'examples.negative[0].id' });
  });

  it('examples that cancel each other out', () =>
    refused(search({ examples: { positive: [{ id: ID }], negative: [{ id: ID }] }, beta: 1 }), 400, {
      code: 'invalid_parameter',
      field: 'examples',
    }));

  it('an empty body, a compressed one', async () => {
    await refused(search('').set('Content-Length', '0'), 400, { code: 'missing_image' });
    await refused(search('{}').set('Content-Encoding', 'gzip'), 415, { code: 'unsupported_media_type' });
  });

  it('a picture or a body that is too large, announced or not', async () => {
    const large = Buffer.alloc(server.settings.maxBytes + 3).toString('base64');
    await refused(search({ image: large }), 413, { code: 'body_too_large', field: 'image' });
    await refused(search({ image: 'A'.repeat(4 * 1024 * 1024) }), 413, { code: 'body_too_large' });
    const answer = parseAnswer(await sendEndlessly(server.url, 'Content-Type: application/json'));
    expect(answer).toMatchObject({ status: 413, headers: { connection: 'close' } });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'body_too_large' });
  });

  it('a body that is broken off gives its bytes back', async () => {
    const raw = openRaw(server.url);
    const { host } = new URL(server.url);
    const type = 'Content-Type: application/json';
    raw.socket.write(head('POST /v1/search HTTP/1.1', `Host: ${host}`, type, 'Content-Length: 999'));
    raw.socket.write('{"id":');
    await untilMetric(server.url, 'lookalike_gate_running{gate="upload"}', 1);
    raw.socket.destroy();
    await untilMetric(server.url, 'lookalike_gate_running{gate="upload"}', 0);
  });
});
