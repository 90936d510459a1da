import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABELS, PICTURES_PER_LABEL, picture } from '../fixtures/pictures.js';
import { startTestServer, type TestServer } from './start.js';

const ALL = Object.keys(LABELS).length * PICTURES_PER_LABEL;
let server: TestServer;
let red: Buffer;
beforeAll(async () => {
  server = await startTestServer();
  red = await picture('red', 1);
});
afterAll(() => server.close());

const search = (query = '') => request(server.url).post(`/v1/search${query}`);
const raw = (query = '') => search(query).type('image/jpeg').send(red);
const idsOf = (body: { neighbours: { id: string }[] }) => body.neighbours.map(({ id }) => id);

describe('a search', () => {
  it('finds the picture itself first, its kind next, and names its label', async () => {
    const { body } = await search().attach('image', red, 'red.jpg').expect(200);
    expect(body.neighbours[0]).toMatchObject({ id: 'red/1 é.jpg', label: 'red' });
    expect(body.neighbours[0].score).toBeCloseTo(1, 5);
    expect(body.neighbours.slice(0, 4).map((one: { label: string }) => one.label)).toEqual(
      Array(4).fill('red'),
    );
    expect(body.neighbours).toHaveLength(10);
    expect(body.labels[0].label).toBe('red');
    const shares = body.labels.map(({ share }: { share: number }) => share);
    expect(shares.reduce((sum: number, share: number) => sum + share, 0)).toBeCloseTo(1, 6);
    expect(body.query).toMatchObject({ width: 96, height: 72, format: 'jpeg', bytes: red.length });
    expect(body.query.duplicate_of).toEqual(['red/1 é.jpg']);
    expect(body.index.rows).toBe(ALL);
  });

  it('gives one answer, whichever way the picture comes', async () => {
    const form = await search().attach('image', red, 'red.jpg').expect(200);
    for (const type of ['image/jpeg', 'image/png', 'application/octet-stream']) {
      const { body } = await search().type(type).send(red).expect(200);
      expect(body).toEqual(form.body);
    }
    const chunked = await fetch(`${server.url}/v1/search`, {
      method: 'POST',
      body: new Blob([new Uint8Array(red)]).stream(), // no Content-Length
      headers: { 'Content-Type': 'image/jpeg' },
      duplex: 'half',
    } as RequestInit);
    expect(await chunked.json()).toEqual(form.body);
  });

  it('takes its parameters from the query and from the form', async () => {
    const fromQuery = await raw('?k=3&mode=exact&temperature=0.5&vote_k=5').expect(200);
    const fromForm = await search('?k=3')
      .field('mode', 'exact')
      .field('temperature', '0.5')
      .attach('image', red, 'red.jpg')
      .field('vote_k', '5') // after the file
      .expect(200);
    expect(fromQuery.body.neighbours).toHaveLength(3);
    expect(fromQuery.body.index).toMatchObject({ mode: 'exact', exact: true });
    expect(fromForm.body).toEqual(fromQuery.body);
  });

  it('finds by graph what it finds by scan, in a collection this small', async () => {
    const exact = await raw('?mode=exact&k=12').expect(200);
    const graph = await raw('?mode=hnsw&k=12&ef=200').expect(200);
    expect(graph.body.index.mode).toBe('hnsw');
    expect(idsOf(graph.body)).toEqual(idsOf(exact.body));
  });

  it('keeps to the labels asked for', async () => {
    const { body } = await raw('?label=green&label=blue&k=50').expect(200);
    expect(new Set(body.neighbours.map((one: { label: string }) => one.label))).toEqual(
      new Set(['green', 'blue']),
    );
    expect(body.neighbours).toHaveLength(2 * PICTURES_PER_LABEL);
  });

  it('leaves out what is below min_score', async () => {
    const all = await raw('?k=50').expect(200);
    const scores: number[] = all.body.neighbours.map((one: { score: number }) => one.score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    const limit = 0.5;
    const { body } = await raw(`?k=50&min_score=${limit}`).expect(200);
    expect(body.neighbours).toHaveLength(scores.filter((score) => score >= limit).length);
    expect(body.neighbours.length).toBeLessThan(ALL);
  });

  it('returns a thumbnail path that leads to a WebP, cacheable by ETag', async () => {
    const { body } = await raw('?k=1').expect(200);
    const path: string = body.neighbours[0].thumbnail;
    const first = await request(server.url).get(path).expect(200).expect('Content-Type', 'image/webp');
    expect(first.body.subarray(8, 12).toString()).toBe('WEBP');
    await request(server.url).get(path).set('If-None-Match', first.headers.etag!).expect(304);
  });

  it('says how long each stage took', async () => {
    const { headers } = await raw().expect(200);
    const stages = headers['server-timing']!.split(', ').map((entry: string) => entry.split(';dur=')[0]);
    expect(stages).toEqual(['receive', 'decode', 'embed', 'search', 'vote', 'total']);
  });

  it('carries a harmless request id through, and replaces another', async () => {
    await raw().set('X-Request-Id', 'order-7:3').expect('X-Request-Id', 'order-7:3');
    const { headers } = await raw().set('X-Request-Id', 'a b{}');
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answers many at once as it answers one', async () => {
    const alone = await raw().expect(200);
    const together = await Promise.all(Array.from({ length: 12 }, () => raw().expect(200)));
    for (const { body } of together) expect(body).toEqual(alone.body);
  });
});

describe('a reindex', () => {
  it('is a job that can be followed to a new generation', async () => {
    const before = (await request(server.url).get('/v1/info').expect(200)).body.index.generation;
    const started = await request(server.url).post('/v1/reindex').expect(202);
    const path = started.headers.location!;
    expect(path).toBe(`/v1/jobs/${started.body.id}`);
    let job = started.body;
    while (['queued', 'running'].includes(job.state))
      job = (await request(server.url).get(path).expect(200)).body;
    expect(job).toMatchObject({ kind: 'reindex', state: 'succeeded', error: null });
    const list = await request(server.url).get('/v1/jobs?limit=1').expect(200);
    expect(list.body.jobs).toEqual([job]);
    const { body } = await request(server.url).get('/v1/info').expect(200);
    expect(body.index.generation).toBeGreaterThan(before);
    await raw().expect(200);
  });
});
