/** Pictures over HTTP on the real service: what is written is found by the very next search, what is removed never again. */
import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import request, { type Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paintedPng } from '../fixtures/painted.js';
import { startTestServer, type TestServer } from './start.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

let painted = 100;
/** A picture that no other test has. */
const fresh = () => paintedPng(painted++);
const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const at = (id: string) => `/v1/images/${encodeURIComponent(id)}`;
const http = () => request(server.url);
const add = (bytes: Buffer, query = '') => http().post(`/v1/images${query}`).type('image/png').send(bytes);
const put = (id: string, bytes: Buffer, query = '') =>
  http()
    .put(`${at(id)}${query}`)
    .type('image/png')
    .send(bytes);
async function found(bytes: Buffer, query = ''): Promise<{ id: string; score: number }[]> {
  const { body } = await http().post(`/v1/search?k=50${query}`).type('image/png').send(bytes).expect(200);
  return body.neighbours;
}
const idsOf = async (bytes: Buffer) => (await found(bytes)).map(({ id }) => id);
const exists = (path: string) => access(path).then(() => true, () => false); // biome-ignore format: one line
const fileOf = (kind: string, sha256: string) =>
  join(server.settings.dataDir, 'images', kind, sha256.slice(0, 2), sha256);

describe('an added picture', () => {
  it('is described, is found by the very next search, and has a thumbnail', async () => {
    const bytes = await fresh();
    const { body, headers } = await http()
      .post('/v1/images')
      .field('id', 'a/ü 1')
      .field('label', 'cat')
      .field('metadata', '{"colour":"red","size":[1,2]}')
      .attach('image', bytes, 'x.png')
      .expect(201);
    expect(body).toEqual({
      collection: 'default',
      id: 'a/ü 1',
      label: 'cat',
      metadata: { colour: 'red', size: [1, 2] },
      sha256: sha256Of(bytes),
      picture: { width: 48, height: 36, format: 'png', bytes: bytes.length },
      created_at: body.updated_at,
      updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
      thumbnail: `${at('a/ü 1')}/thumbnail`,
    });
    expect(headers.location).toBe(at('a/ü 1'));
    expect((await found(bytes))[0]).toMatchObject({ id: 'a/ü 1', label: 'cat' });
    const read = await http().get(headers.location!).expect(200);
    expect([read.body, read.headers.etag]).toEqual([body, headers.etag]);
    await http().get(headers.location!).set('If-None-Match', read.headers.etag!).expect(304);
    const thumbnail = await http().get(body.thumbnail).expect(200).expect('Content-Type', 'image/webp');
    expect(await sharp(thumbnail.body).metadata()).toMatchObject({ width: 48, height: 36 });
    expect(await exists(fileOf('originals', body.sha256))).toBe(true);
  });

  it('gets an id when it brings none; the same bytes twice are two pictures unless said otherwise', async () => {
    const bytes = await fresh();
    const [one, two] = [await add(bytes).expect(201), await add(bytes).expect(201)];
    expect(one.body.id).not.toBe(two.body.id);
    expect(await idsOf(bytes)).toEqual(expect.arrayContaining([one.body.id, two.body.id]));
    await http().delete(at(one.body.id)).expect(204);
    expect(await exists(fileOf('originals', sha256Of(bytes)))).toBe(true); // the other one needs it
    await http().delete(at(two.body.id)).expect(204);
    expect(await exists(fileOf('originals', sha256Of(bytes)))).toBe(false);
  });

  it('under an id that is taken is refused, and nothing of it stays', async () => {
    const [first, second] = [await fresh(), await fresh()];
    await add(first, '?id=taken').expect(201);
    const { body } = await add(second, '?id=taken').expect(409);
    expect(body).toMatchObject({ code: 'already_exists', field: 'id' });
    expect((await found(second))[0]!.score).toBeLessThan(0.9999);
    expect(await exists(fileOf('originals', sha256Of(second)))).toBe(false);
  });

  it.each([
    ['id=', 'id'],
    [`id=${'x'.repeat(257)}`, 'id'],
    ['id=..', 'id'],
    ['label=', 'label'],
    ['metadata=red', 'metadata'],
    ['metadata=[1]', 'metadata'],
    ['near=1.5', 'near'],
    ['orientations=yes', 'orientations'],
    ['on_duplicate=ignore', 'on_duplicate'],
  ])('with %.30s is refused', async (query, field) => {
    const { body } = await add(await fresh(), `?${query}`).expect(400);
    expect(body).toMatchObject({ code: 'invalid_parameter', field });
  });
});

describe('a duplicate', () => {
  it('of the same file is refused with its id, or linked; nothing is stored', async () => {
    const bytes = await fresh();
    const { body: first } = await add(bytes, '?label=x').expect(201);
    const { body } = await add(bytes, '?on_duplicate=reject').expect(409);
    expect(body).toMatchObject({ code: 'duplicate', duplicates: [{ id: first.id, same_file: true }] });
    expect(body.detail).toContain(first.id);
    expect((await add(bytes, '?on_duplicate=link').expect(200)).body).toEqual(first);
    expect((await http().get(`/v1/images?sha256=${first.sha256.toUpperCase()}`)).body.images).toEqual([
      first,
    ]);
  });

  it('that is another file is known by its vector, from the score that is asked for', async () => {
    const bytes = await fresh();
    const { body: first } = await add(bytes).expect(201);
    const copy = await sharp(bytes).resize(96, 72).webp({ quality: 95 }).toBuffer();
    const { body } = await add(copy, '?on_duplicate=reject').expect(409);
    const [{ score, ...duplicate }] = body.duplicates;
    expect(duplicate).toEqual({ id: first.id, same_file: false });
    expect(score).toBeGreaterThan(0.95);
    await add(copy, '?on_duplicate=reject&near=1').expect(201);
  });

  it('that is mirrored or turned counts when orientations are asked for', async () => {
    const bytes = await sharp(await fresh())
      .resize(48, 48, { fit: 'fill', kernel: 'nearest' })
      .png()
      .toBuffer();
    const { body: first } = await add(bytes).expect(201);
    for (const [angle, mirror] of [
      [0, true],
      [90, false],
      [270, true],
    ] as const) {
      // biome-ignore format: a table
      const turned = await sharp(await sharp(bytes).rotate(angle).png().toBuffer()).flop(mirror).png().toBuffer();
      const { body } = await add(turned, '?on_duplicate=reject&orientations=true').expect(409);
      expect(body.duplicates[0]).toMatchObject({ id: first.id, same_file: false });
    }
    const { body } = await add(await sharp(bytes).flop().png().toBuffer(), '?on_duplicate=link').expect(201);
    expect(body.id).not.toBe(first.id);
  });

  it('that comes at the same moment is stored once', async () => {
    const bytes = await fresh();
    const near = await sharp(bytes).jpeg({ quality: 98 }).toBuffer();
    const sent = await Promise.all([bytes, near, bytes, near].map((one) => add(one, '?on_duplicate=reject')));
    expect(sent.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });
});

describe('PUT', () => {
  it('makes a picture, then replaces it and keeps the time of its creation', async () => {
    const [first, second] = [await fresh(), await fresh()];
    const made = await put('put', first, '?label=a&metadata={"x":1}').expect(201);
    expect(made.headers.location).toBe(at('put'));
    const replaced = await put('put', second).expect(200);
    expect(replaced.body).toMatchObject({ label: null, metadata: {}, sha256: sha256Of(second) });
    expect(replaced.body.created_at).toBe(made.body.created_at);
    expect(replaced.headers.etag).not.toBe(made.headers.etag);
    expect((await found(second))[0]!.id).toBe('put');
    const old = (await found(first)).find(({ id }) => id === 'put')!;
    expect(old.score).toBeLessThan(0.9999);
    expect(await exists(fileOf('originals', sha256Of(first)))).toBe(false);
    const thumbnail = await http().get(replaced.body.thumbnail).expect(200);
    expect(thumbnail.body.length).toBeGreaterThan(0);
  });

  it('keeps to its preconditions', async () => {
    const bytes = await fresh();
    const { headers } = await put('conditional', bytes).set('If-None-Match', '*').expect(201);
    const again = await put('conditional', bytes).set('If-None-Match', '*').expect(412);
    expect(again.body).toMatchObject({ code: 'precondition_failed', field: 'If-None-Match' });
    await put('conditional', bytes).set('If-Match', '"other"').expect(412);
    await put('nobody', bytes).set('If-Match', '*').expect(412);
    await put('conditional', await fresh())
      .set('If-Match', `"other", ${headers.etag}`)
      .expect(200);
    await put('conditional', bytes).set('If-Match', headers.etag!).expect(412); // it has changed
  });

  it('with one ETag by many at once succeeds once', async () => {
    const { headers } = await put('raced', await fresh()).expect(201);
    const pictures = await Promise.all([1, 2, 3, 4].map(fresh));
    const sent = await Promise.all(
      pictures.map((bytes) => put('raced', bytes).set('If-Match', headers.etag!)),
    );
    expect(sent.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
  });
});

describe('PATCH', () => {
  const patch = (id: string, body: object) => http().patch(at(id)).send(body);

  it('is a merge patch of label and metadata, and searches see it at once', async () => {
    const bytes = await fresh();
    await put('patched', bytes, `?label=old&metadata=${encodeURIComponent('{"a":1,"b":{"c":2,"d":3}}')}`);
    const { body } = await patch('patched', {
      label: 'quite new',
      metadata: { a: null, b: { c: 9 } },
    }).expect(200);
    expect(body).toMatchObject({ label: 'quite new', metadata: { b: { c: 9, d: 3 } } });
    expect((await found(bytes, '&label=quite%20new')).map(({ id }) => id)).toEqual(['patched']);
    expect((await patch('patched', { label: null }).expect(200)).body).toMatchObject({
      label: null,
      metadata: { b: { c: 9, d: 3 } },
    });
    expect((await patch('patched', { metadata: null }).expect(200)).body.metadata).toEqual({});
    expect((await found(bytes))[0]).toMatchObject({ id: 'patched', label: null });
  });

  it('keeps to If-Match', async () => {
    const { headers } = await put('patched 2', await fresh()).expect(201);
    const changed = await patch('patched 2', { label: 'x' }).set('If-Match', headers.etag!).expect(200);
    expect(changed.headers.etag).not.toBe(headers.etag);
    await patch('patched 2', { label: 'y' }).set('If-Match', headers.etag!).expect(412);
    expect((await http().get(at('patched 2'))).body.label).toBe('x');
  });

  it.each([
    [{ label: 3 }, 'invalid_parameter', 'label'],
    [{ label: '' }, 'invalid_parameter', 'label'],
    [{ metadata: [1] }, 'invalid_parameter', 'metadata'],
    [{ metadata: { text: 'x'.repeat(17_000) } }, 'invalid_parameter', 'metadata'],
    [{ labels: 'x' }, 'unknown_field', 'labels'],
    [[], 'malformed_body', undefined],
  ])('that is wrong is refused and changes nothing: %#', async (body, code, field) => {
    const { body: before } = await put('unchanged', await fresh(), '?label=kept');
    const refused = await patch('unchanged', body).expect(400);
    expect(refused.body).toMatchObject({ code, ...(field && { field }) });
    expect((await http().get(at('unchanged'))).body).toEqual(before);
  });

  it('of a patch that is nested deep is refused, not overflown by', async () => {
    const nested = (levels: number) => `{"metadata":${'{"a":'.repeat(levels)}1${'}'.repeat(levels + 1)}`;
    const refused = (levels: number) =>
      http().patch(at('unchanged')).type('application/json').send(nested(levels)).expect(400);
    expect((await refused(20)).body).toMatchObject({ code: 'invalid_parameter', field: 'metadata' });
    expect((await refused(8000)).body).toMatchObject({ code: 'malformed_body' }); // not even read that far
  });
});

describe('DELETE', () => {
  it('is for good: no search, no reading, no file, no thumbnail', async () => {
    const bytes = await fresh();
    const { body, headers } = await add(bytes).expect(201);
    await http().get(body.thumbnail).expect(200);
    expect(await exists(`${fileOf('thumbnails', body.sha256)}.webp`)).toBe(true);
    await http().delete(at(body.id)).set('If-Match', '"other"').expect(412);
    await http().delete(at(body.id)).set('If-Match', headers.etag!).expect(204);
    expect(await idsOf(bytes)).not.toContain(body.id);
    await http().get(at(body.id)).expect(404);
    await http().delete(at(body.id)).expect(404);
    await http().get(body.thumbnail).expect(404);
    expect(await exists(fileOf('originals', body.sha256))).toBe(false);
    expect(await exists(`${fileOf('thumbnails', body.sha256)}.webp`)).toBe(false);
  });

  it('is kept to while a rebuild runs, and so is what was added', async () => {
    const { body: job } = await http().post('/v1/reindex').expect(202);
    for (let n = 0; n < 200; n++) {
      const [kept, gone] = [await fresh(), await fresh()];
      await add(kept, `?id=kept${n}`).expect(201);
      await add(gone, `?id=gone${n}`).expect(201);
      await http()
        .delete(at(`gone${n}`))
        .expect(204);
      expect((await found(kept))[0]!.id).toBe(`kept${n}`);
      expect(await idsOf(gone)).not.toContain(`gone${n}`);
      const { state } = (await http().get(`/v1/jobs/${job.id}`)).body;
      if (state === 'succeeded' && n > 3) break;
    }
    const kept0 = (await http().get(at('kept0')).expect(200)).body;
    expect(kept0.id).toBe('kept0');
    await http().get(at('gone0')).expect(404);
  });
});

describe('the list', () => {
  const list = async (query: string) =>
    (await http().get(`/v1/images?collection=listed&${query}`).expect(200)).body;
  const ids: string[] = [];
  beforeAll(async () => {
    await http().post('/v1/collections').send({ name: 'listed' }).expect(201);
    for (const id of ['b', 'ä', 'a', '𝄞', 'c', '\uffff', 'd']) {
      ids.push(id);
      const label = ids.length % 3 === 0 ? '' : `&label=${ids.length % 3 === 1 ? 'odd' : 'even'}`;
      await put(id, await fresh(), `?collection=listed${label}`).expect(201);
    }
  });
  const all = async (query: string): Promise<string[]> => {
    const seen: string[] = [];
    for (let path: string | undefined = `/v1/images?collection=listed&${query}`; path !== undefined; ) {
      const page: Response = await http().get(path).expect(200);
      seen.push(...page.body.images.map(({ id }: { id: string }) => id));
      path = /^<([^>]+)>; rel="next"$/.exec(page.headers.link ?? '')?.[1];
      expect(path === undefined).toBe(page.body.next_cursor === null);
    }
    return seen;
  };
  const byBytes = (some: readonly string[]) =>
    some.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

  it('comes in pages that join without a gap, in each order', async () => {
    for (const limit of [1, 2, 3, 7, 100]) {
      expect(await all(`limit=${limit}`)).toEqual(byBytes(ids));
      expect(await all(`limit=${limit}&order=created`)).toEqual(ids);
      expect(await all(`limit=${limit}&order=-created`)).toEqual(ids.toReversed());
    }
  });

  it('keeps to labels, in each order, over the pages', async () => {
    const labelled = ids.filter((_, i) => (i + 1) % 3 !== 0);
    expect(await all('label=odd&label=even&limit=2')).toEqual(byBytes(labelled));
    expect(await all('label=odd&label=even&label=odd&limit=2&order=-created')).toEqual(labelled.toReversed());
    expect(await all('label=odd&order=created&limit=1')).toEqual(ids.filter((_, i) => i % 3 === 0));
    expect(await all('label=nobody')).toEqual([]);
  });

  it('keeps to what the metadata must be, as a search does', async () => {
    for (const [i, id] of ids.entries())
      await http()
        .patch(`${at(id)}?collection=listed`)
        .send({ metadata: { place: i, ...(i % 2 === 0 && { tags: ['even'] }) } })
        .expect(200);
    const filtered = (where: object, rest: string) =>
      all(`where=${encodeURIComponent(JSON.stringify(where))}&${rest}`);
    const even = ids.filter((_, i) => i % 2 === 0);
    const odd = ids.filter((_, i) => i % 2 === 1);
    for (const limit of [1, 2, 100]) {
      expect(await filtered({ tags: 'even' }, `limit=${limit}&order=created`)).toEqual(even);
      expect(await filtered({ tags: { not: 'even' } }, `limit=${limit}`)).toEqual(byBytes(odd));
      expect(await filtered({ place: { gte: 5 } }, `limit=${limit}&order=-created`)).toEqual(
        ids.slice(5).toReversed(),
      );
      expect(await filtered({ place: { lt: 5 } }, `limit=${limit}&label=odd`)).toEqual(
        byBytes(ids.filter((_, i) => i < 5 && i % 3 === 0)),
      );
    }
    const { body } = await http().get('/v1/images?where=red').expect(400);
    expect(body).toMatchObject({ code: 'invalid_parameter', field: 'where' });
  });

  it('goes on where it was although things come and go', async () => {
    const first = await list('limit=2&order=created');
    await http()
      .delete(`${at('ä')}?collection=listed`)
      .expect(204);
    await put('ä', await fresh(), '?collection=listed').expect(201);
    const rest = await list(`limit=100&order=created&cursor=${first.next_cursor}`);
    expect(rest.images.map(({ id }: { id: string }) => id)).toEqual([...ids.slice(2), 'ä']);
  });

  it('refuses a cursor that is none, or of another order', async () => {
    const { next_cursor } = await list('limit=1');
    for (const query of ['cursor=abc', `order=created&cursor=${next_cursor}`]) {
      const { body } = await http().get(`/v1/images?${query}`).expect(400);
      expect(body).toMatchObject({ code: 'invalid_parameter', field: 'cursor' });
    }
  });
});

describe('collections', () => {
  it('hold pictures of their own, and go with all that is in them', async () => {
    const bytes = await fresh();
    const made = await http().post('/v1/collections').send({ name: 'other' }).expect(201);
    expect(made.headers.location).toBe('/v1/collections/other');
    expect(made.body).toMatchObject({ name: 'other', rows: 0, labels: 0, dimension: 32 });
    await http().post('/v1/collections').send({ name: 'other' }).expect(409);
    const { body, headers } = await add(bytes, '?collection=other&id=mine&label=x').expect(201);
    expect(headers.location).toBe('/v1/images/mine?collection=other');
    await http().get(headers.location!).expect(200);
    await http().get(body.thumbnail).expect(200);
    await http().get(at('mine')).expect(404);
    expect((await found(bytes, '&collection=other')).map(({ id }) => id)).toEqual(['mine']);
    expect(await idsOf(bytes)).not.toContain('mine');
    expect((await http().get('/v1/collections/other')).body).toMatchObject({ rows: 1, labels: 1 });
    await http().delete('/v1/collections/other').expect(204);
    expect(await exists(fileOf('originals', body.sha256))).toBe(false);
    await http().get('/v1/collections/other').expect(404);
    const { body: listed } = await http().get('/v1/collections').expect(200);
    expect(listed.collections.map(({ name }: { name: string }) => name)).toEqual(['default', 'listed']);
  });

  it('of a wrong name, and the removal of the default one, are refused', async () => {
    for (const name of ['', 'A', '../x', 'x'.repeat(65)])
      await http().post('/v1/collections').send({ name }).expect(400);
    await http().post('/v1/collections').send({ name: 3 }).expect(400);
    const { body } = await http().delete('/v1/collections/default').expect(400);
    expect(body.code).toBe('invalid_parameter');
  });
});

describe('what is kept', () => {
  it.each(['copies', 'none'] as const)('of LOOKALIKE_KEEP=%s', async (keep) => {
    const one = await startTestServer({ keep });
    try {
      const bytes = await sharp(await fresh())
        .resize(1600, 1200, { kernel: 'nearest' })
        .jpeg()
        .toBuffer();
      const { body } = await request(one.url).post('/v1/images').type('image/jpeg').send(bytes).expect(201);
      const file = (kind: string) =>
        join(one.settings.dataDir, 'images', kind, body.sha256.slice(0, 2), body.sha256);
      expect(await exists(file('originals'))).toBe(false);
      expect(await exists(file('copies'))).toBe(keep === 'copies');
      if (keep === 'copies')
        expect(await sharp(await readFile(file('copies'))).metadata()).toMatchObject({
          width: 1024,
          height: 768,
          format: 'webp',
        });
      const thumbnail = await request(one.url).get(body.thumbnail).expect(200);
      expect(await sharp(thumbnail.body).metadata()).toMatchObject({ width: 256, height: 192 });
      await request(one.url).delete(`/v1/images/${body.id}`).expect(204);
      expect(await exists(file('copies'))).toBe(false);
      expect(await exists(`${file('thumbnails')}.webp`)).toBe(false);
    } finally {
      await one.close();
    }
  });
});
