/** `POST /v1/imports` on the real server: every source, every refusal, and what is left afterwards. */
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReadableStream } from 'node:stream/web';
import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../src/engines/safetensors.js';
import type { Info } from '../../src/flow/service.js';
import { unitVectors } from '../contract/vectors.js';
import { tarBytes, zipBytes } from '../fixtures/archives.js';
import { npyBytes } from '../fixtures/npy.js';
import { paintedPng } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { ended } from './jobs.js';
import { startUpload } from './raw.js';
import { startTestServer, type TestServer } from './start.js';

const MAX_IMPORT = 2 * 1024 * 1024;
const TINY_DIMENSION = 32; // of the tiny encoder
const KEY = 'a-key-of-enough-letters';

let server: TestServer;
let root: string;
let png: Buffer[];
beforeAll(async () => {
  root = await tempFolder();
  png = await Promise.all(Array.from({ length: 12 }, (_, seed) => paintedPng(seed + 1)));
  server = await startTestServer({ importRoots: [root], maxImportBytes: MAX_IMPORT });
});
afterAll(() => server.close());

type Query = Record<string, string>;
const TYPES = {
  tar: 'application/x-tar',
  gzip: 'application/gzip',
  zip: 'application/zip',
  ndjson: 'application/x-ndjson',
} as const;

const post = (query: Query = {}) => request(server.url).post('/v1/imports').query(query);
const upload = (kind: keyof typeof TYPES, body: Buffer | string, query: Query = {}) =>
  post(query).type(TYPES[kind]).send(body);
/** Makes a collection of this name, so that tests do not see each other's pictures. */
async function fresh(name: string): Promise<Query> {
  await request(server.url).post('/v1/collections').send({ name }).expect(201);
  return { collection: name };
}
/** The job of an accepted import, once it has ended. */
async function done(answer: request.Test, state: 'succeeded' | 'failed' = 'succeeded') {
  const { headers, body } = await answer.expect(202);
  expect(headers.location).toBe(`/v1/jobs/${body.id}`);
  return ended(server.url, headers.location!, state);
}
async function idsOf({ collection }: Query): Promise<Record<string, string | null>> {
  const { body } = await request(server.url).get('/v1/images').query({ collection, limit: 500 }).expect(200);
  return Object.fromEntries(body.images.map(({ id, label }: { id: string; label: string }) => [id, label]));
}
async function errorsOf(
  id: string,
): Promise<{ place: string; id?: string; code: string; message: string }[]> {
  const { text, headers } = await request(server.url)
    .get(`/v1/imports/${id}/errors`)
    .buffer(true)
    .parse((res, end) => {
      let all = '';
      res.on('data', (chunk) => {
        all += chunk;
      });
      res.on('end', () => end(null, all));
    })
    .expect(200)
    .then(({ body, headers }) => ({ text: body as string, headers }));
  expect(headers['content-type']).toBe('application/x-ndjson');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const waiting = () => readdir(join(server.settings.dataDir, 'imports', 'uploads'));
const problem = async (answer: request.Test, status: number, code: string, ...parts: string[]) => {
  const { body } = await answer.expect(status);
  expect(body).toMatchObject({ code, status });
  for (const part of parts) expect(body.detail).toContain(part);
  return body as { field?: string };
};

describe('an archive that is sent', () => {
  it('is taken in by its paths; the same again changes nothing and says so', async () => {
    const where = await fresh('tar');
    const bad = { 'cat/bad.jpg': 'no picture', 'notes.txt': 'ignored' };
    const tar = await tarBytes({ 'cat/1.png': png[0]!, 'dog/2.png': png[1]!, 'top.png': png[2]!, ...bad });
    const job = await done(upload('tar', tar, where));
    expect(job).toMatchObject({ kind: 'import', collection: 'tar', done: 4, total: 4, failures: 1 });
    const counts = { found: 4, embedded: 3, copied: 0, unchanged: 0, refused: 1, ignored: 1 };
    expect(job.result).toMatchObject({ ...counts, report: `/v1/imports/${job.id}/errors` });
    expect(await idsOf(where)).toEqual({ 'cat/1.png': 'cat', 'dog/2.png': 'dog', 'top.png': null });
    const [refused, ...others] = await errorsOf(job.id);
    expect(others).toEqual([]);
    expect(refused).toMatchObject({ place: 'cat/bad.jpg', id: 'cat/bad.jpg', code: 'unsupported_image' });

    const again = await done(upload('gzip', gzipSync(tar), where));
    expect(again.result).toMatchObject({ ...counts, embedded: 0, unchanged: 3 });
    await expect.poll(waiting).toEqual([]);
    const { body } = await request(server.url)
      .post('/v1/search')
      .query({ ...where, k: 1 })
      .type('image/png')
      .send(png[1]);
    expect(body.neighbours[0]).toMatchObject({ id: 'dog/2.png', label: 'dog' });
    const { headers } = await request(server.url)
      .get(`/v1/images/dog%2F2.png/thumbnail`)
      .query(where)
      .expect(200);
    expect(headers['content-type']).toBe('image/webp'); // what was sent is kept
  });

  it('may be a zip, and a picture that changed takes the place of the one before', async () => {
    const where = await fresh('zip');
    const entry = (name: string, content: Buffer) => ({ name, content });
    await done(upload('zip', zipBytes([entry('cat/1.png', png[0]!), entry('cat/2.png', png[1]!)]), where));
    await request(server.url)
      .patch('/v1/images/cat%2F1.png')
      .query(where)
      .send({ metadata: { by: 'me' } });
    const job = await done(upload('zip', zipBytes([entry('cat/1.png', png[3]!), 'x/../../y.png']), where));
    expect(job.result).toMatchObject({ embedded: 1, replaced: 1, refused: 1 });
    expect(await errorsOf(job.id)).toMatchObject([{ place: 'x/../../y.png', code: 'invalid_parameter' }]);
    const { body } = await request(server.url).get('/v1/images/cat%2F1.png').query(where);
    expect(body).toMatchObject({ label: 'cat', metadata: { by: 'me' } });
    expect(Object.keys(await idsOf(where))).toEqual(['cat/1.png', 'cat/2.png']);
  });

  it('with pictures that are there under other ids: stores, passes over or refuses them', async () => {
    const where = await fresh('twins');
    await done(upload('tar', await tarBytes({ 'a.png': png[0]! }), where));
    const twice = await tarBytes({ 'b.png': png[0]!, 'c.png': png[4]!, 'd.png': png[4]! });
    const linked = await done(upload('tar', twice, { ...where, on_duplicate: 'link' }));
    expect(linked.result).toMatchObject({ embedded: 1, duplicates: 2, refused: 0 });
    expect(Object.keys(await idsOf(where))).toEqual(['a.png', 'c.png']);
    const rejected = await done(upload('tar', twice, { ...where, on_duplicate: 'reject' }));
    expect(rejected.result).toMatchObject({ unchanged: 1, refused: 2 });
    expect((await errorsOf(rejected.id)).map(({ code }) => code)).toEqual(['duplicate', 'duplicate']);
    const allowed = await done(upload('tar', twice, where));
    expect(allowed.result).toMatchObject({ copied: 2, unchanged: 1, refused: 0 });
    expect(Object.keys(await idsOf(where))).toEqual(['a.png', 'b.png', 'c.png', 'd.png']);
  });

  it('that is cut short keeps what came before the fault and fails', async () => {
    const where = await fresh('cut');
    const tar = await tarBytes({ 'a.png': png[0]!, 'b.png': png[1]! });
    const job = await done(upload('tar', tar.subarray(0, tar.length - 1500), where), 'failed');
    expect(job.error).toMatch(/cannot be read past b\.png/);
    expect(job.result).toMatchObject({ embedded: 1 });
    expect(Object.keys(await idsOf(where))).toEqual(['a.png']);
    await expect.poll(waiting).toEqual([]);
  });

  it('without a picture that can be taken fails and says why', async () => {
    const where = await fresh('nothing');
    const empty = await done(upload('tar', await tarBytes({ 'a.txt': 'x' }), where), 'failed');
    expect(empty.error).toMatch(/no picture in it, 1 other/);
    const bad = await done(upload('tar', await tarBytes({ 'a.jpg': 'x' }), where), 'failed');
    expect(bad.error).toMatch(/none of its 1 entries .* a\.jpg: .*JPEG, PNG, WebP/);
  });
});

describe('lines', () => {
  it('hold pictures in base64, paths and vectors, with labels and metadata', async () => {
    const where = await fresh('lines');
    await writeFile(join(root, 'of a line.png'), png[5]!);
    const { vectors } = unitVectors({ rows: 1, dimension: TINY_DIMENSION, seed: 3 });
    const body = lines(
      { id: 'one', image: png[6]!.toString('base64'), label: 'cat', metadata: { year: 2024 } },
      { path: 'of a line.png' },
      { id: 'three', vector: [...vectors], label: 'dog' },
      { id: 'four', vector: [1, 2, 3] },
      { id: 'five', path: '/etc/passwd' },
      { id: 'six', nonsense: 1 },
      { id: '..', image: png[6]!.toString('base64') },
    );
    const job = await done(upload('ndjson', `${body}not json\n`, where));
    expect(job.result).toMatchObject({ found: 8, embedded: 2, imported: 1, refused: 5 });
    expect(job).toMatchObject({ failures: 5, total: 8 });
    expect(await idsOf(where)).toEqual({ one: 'cat', 'of a line.png': null, three: 'dog' });
    expect((await errorsOf(job.id)).map(({ place, code }) => `${place} ${code}`)).toEqual([
      'line 4 invalid_vector',
      'line 5 forbidden',
      'line 6 unknown_field',
      'line 7 invalid_parameter',
      'line 8 malformed_body',
    ]);
    const again = await done(upload('ndjson', body, where));
    expect(again.result).toMatchObject({ embedded: 0, imported: 0, unchanged: 3 });
    const { body: one } = await request(server.url).get('/v1/images/one').query(where);
    expect(one).toMatchObject({ metadata: { year: 2024 }, picture: { width: 48 } });
  });

  it('change labels and metadata of what is there only when that is asked for', async () => {
    const where = await fresh('update');
    const line = (label: string) => lines({ id: 'a', image: png[0]!.toString('base64'), label });
    await done(upload('ndjson', line('cat'), where));
    const kept = await done(upload('ndjson', line('fox'), where));
    expect(kept.result).toMatchObject({ unchanged: 1, updated: 0 });
    expect(await idsOf(where)).toEqual({ a: 'cat' });
    const updated = await done(upload('ndjson', line('fox'), { ...where, update: 'true' }));
    expect(updated.result).toMatchObject({ unchanged: 1, updated: 1 });
    expect(await idsOf(where)).toEqual({ a: 'fox' });
  });
});

describe('a bank', () => {
  const { vectors } = unitVectors({ rows: 3, dimension: TINY_DIMENSION, seed: 5 });
  const items = lines({ id: 'a', label: 'x' }, { id: 'b' }, { id: 'c', metadata: { n: 1 } });

  it('is sent as a tar of its files, or lies below an allowed folder', async () => {
    const where = await fresh('bank');
    const safetensors = encodeSafetensors('vectors', vectors, [3, TINY_DIMENSION]);
    const tar = await tarBytes({ 'bank/bank.safetensors': safetensors, 'bank/items.ndjson': items });
    const job = await done(upload('tar', tar, { ...where, holds: 'bank' }));
    expect(job).toMatchObject({ total: 3, result: { imported: 3 } });
    expect(await idsOf(where)).toEqual({ a: 'x', b: null, c: null });
    await expect.poll(waiting).toEqual([]);
    await writeFile(
      join(root, 'rows.npy'),
      npyBytes(`(3, ${TINY_DIMENSION})`, new Uint8Array(vectors.buffer)),
    );
    await writeFile(join(root, 'rows.ndjson'), items);
    const there = await done(post(where).send({ path: 'rows.npy', items: 'rows.ndjson' }));
    expect(there.result).toMatchObject({ unchanged: 3 });
    const numbered = await done(post(where).send({ path: 'rows.npy' }));
    expect(numbered.result).toMatchObject({ imported: 3 });
    expect(Object.keys(await idsOf(where))).toEqual(['0', '1', '2', 'a', 'b', 'c']);
  });

  it('that is none, or of another model or size, fails and says why', async () => {
    const where = { ...(await fresh('no-bank')), holds: 'bank' };
    const send = async (files: Record<string, string | Uint8Array>) =>
      (await done(upload('tar', await tarBytes(files), where), 'failed')).error;
    expect(await send({ 'a.txt': 'x' })).toMatch(/one \.npy or \.safetensors .* holds a\.txt/);
    const narrow = encodeSafetensors('vectors', vectors, [6, TINY_DIMENSION / 2]);
    expect(await send({ 'b.safetensors': narrow })).toMatch(/dimensions, the model/);
    const bank = { 'b.safetensors': encodeSafetensors('vectors', vectors, [3, TINY_DIMENSION]) };
    expect(await send({ ...bank, 'items.ndjson': '{}\n' })).toMatch(/3 vectors and 1 items/);
    const manifest = {
      format_version: 1,
      name: 'other',
      model_sha256: 'a'.repeat(64),
      dimension: TINY_DIMENSION,
      rows: 3,
      normalised: true,
      terms: 'none',
      source_package: null,
      files: {},
    };
    expect(await send({ ...bank, 'manifest.json': JSON.stringify(manifest) })).toMatch(
      /made by the model aaaa/,
    );
  });
});

describe('what lies below an allowed folder', () => {
  it('may be a folder: followed file by file, pruned when that is asked for', async () => {
    const where = await fresh('folder');
    const folder = join(root, 'photos');
    await mkdir(join(folder, 'cat'), { recursive: true });
    for (const [name, bytes] of [
      ['cat/1.png', png[0]!],
      ['2.png', png[1]!],
      ['bad.png', Buffer.from('no')],
    ] as const)
      await writeFile(join(folder, name), bytes);
    await symlink('/etc/passwd', join(folder, 'link.png'));
    const job = await done(post(where).send({ path: 'photos' }));
    expect(job.result).toMatchObject({ found: 4, embedded: 2, report: `/v1/imports/${job.id}/errors` });
    expect(job).toMatchObject({ failures: 2 });
    expect((await errorsOf(job.id)).map(({ place, code }) => [place, code])).toEqual([
      ['bad.png', 'unsupported_image'],
      ['link.png', 'forbidden'],
    ]);
    expect(await idsOf(where)).toEqual({ 'cat/1.png': 'cat', '2.png': null });
    await rm(join(folder, '2.png'));
    const again = await done(post({ ...where, prune: 'true' }).send({ path: folder }));
    expect(again.result).toMatchObject({ embedded: 0, unchanged: 1, removed: 1 });
    expect(await idsOf(where)).toEqual({ 'cat/1.png': 'cat' });
  });

  it('may be an archive or lines', async () => {
    const where = await fresh('files');
    await writeFile(join(root, 'a.zip'), zipBytes([{ name: 'x/1.png', content: png[0]! }]));
    await writeFile(join(root, 'b.tgz'), gzipSync(await tarBytes({ 'x/2.png': png[1]! })));
    await writeFile(join(root, 'c.jsonl'), lines({ id: '3', image: png[2]!.toString('base64') }));
    for (const path of ['a.zip', 'b.tgz', 'c.jsonl'])
      expect((await done(post(where).send({ path }))).result).toMatchObject({ embedded: 1 });
    expect(Object.keys(await idsOf(where))).toEqual(['3', 'x/1.png', 'x/2.png']);
  });

  it('is refused outside of it, when it is nothing that can be read, and where none is allowed', async () => {
    await problem(post().send({ path: '/etc' }), 403, 'forbidden', 'LOOKALIKE_IMPORT_ROOTS');
    await problem(post().send({ path: '../..' }), 403, 'forbidden');
    await problem(post().send({ path: 'nowhere' }), 404, 'not_found');
    await writeFile(join(root, 'a.txt'), 'x');
    expect(await problem(post().send({ path: 'a.txt' }), 400, 'invalid_parameter', '.tar')).toMatchObject({
      field: 'path',
    });
    await problem(post().send({ path: 'photos', items: 'a.txt' }), 400, 'invalid_parameter', 'items');
    await problem(post({ update: 'true' }).send({ path: 'photos' }), 400, 'invalid_parameter', 'folder');
    await problem(post({ prune: 'true' }).send({ path: 'a.zip' }), 400, 'invalid_parameter', 'pruned');
    await problem(post().send({ path: '' }), 400, 'invalid_parameter', 'path');
    await problem(post().send({ folder: 'x' }), 400, 'unknown_field', 'path, items');
  });
});

describe('what is sent is refused', () => {
  it('by its headers alone, and nothing of it is left', async () => {
    await problem(post().type('text/plain').send('x'), 415, 'unsupported_media_type', 'application/x-tar');
    await problem(upload('tar', 'x').set('Content-Encoding', 'gzip'), 415, 'unsupported_media_type');
    await problem(upload('tar', Buffer.alloc(MAX_IMPORT + 1)), 413, 'body_too_large', String(MAX_IMPORT));
    await problem(upload('zip', Buffer.alloc(0)), 415, 'unsupported_media_type');
    await problem(upload('tar', 'x', { collection: 'nobody' }), 404, 'unknown_collection');
    await problem(upload('tar', 'x', { on_duplicate: 'maybe' }), 400, 'invalid_parameter');
    await problem(upload('tar', 'x', { nonsense: '1' }), 400, 'unknown_parameter');
    await problem(upload('zip', 'x', { holds: 'bank' }), 400, 'invalid_parameter', 'application/x-tar');
    await expect.poll(waiting).toEqual([]);
  });

  it('by a first look, and nothing of it is left', async () => {
    await problem(upload('tar', zipBytes(['a.png'])), 415, 'unsupported_media_type', 'zip');
    await problem(upload('zip', 'no zip at all'), 400, 'malformed_body', 'no zip');
    await problem(
      upload('tar', await tarBytes({ 'a.png': png[0]! }), { prune: 'true' }),
      400,
      'invalid_parameter',
    );
    await expect.poll(waiting).toEqual([]);
  });

  it('when it is larger than it may be without saying so, or breaks off', async () => {
    const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(64 * 1024)) });
    const init = { method: 'POST', body: endless, duplex: 'half', headers: { 'Content-Type': TYPES.tar } };
    const answer = await fetch(`${server.url}/v1/imports`, init as RequestInit);
    expect([answer.status, await answer.json()]).toMatchObject([413, { code: 'body_too_large' }]);
    const broken = startUpload(server.url, 5000, { to: 'POST /v1/imports', type: TYPES.tar });
    await expect.poll(waiting).toHaveLength(1);
    broken.socket.destroy();
    await expect.poll(waiting).toEqual([]);
  });

  it('when more come at once than may', async () => {
    const held = Array.from({ length: 4 }, () =>
      startUpload(server.url, 5000, { to: 'POST /v1/imports', type: TYPES.tar }),
    );
    await expect.poll(waiting).toHaveLength(4);
    await problem(upload('tar', await tarBytes({ 'a.png': png[0]! })), 503, 'overloaded');
    for (const { socket } of held) socket.destroy();
    await expect.poll(waiting).toEqual([]);
  });

  it('without a key before a byte of it is read', async () => {
    const locked = await startTestServer({ apiKeys: [KEY] });
    const raw = startUpload(locked.url, 5000, { to: 'POST /v1/imports', type: TYPES.tar });
    expect(await raw.answer()).toMatch(/^HTTP\/1\.1 401 /);
    const { rows } = (
      (await (await fetch(`${locked.url}/v1/info`, { headers: { 'X-API-Key': KEY } })).json()) as Info
    ).bank;
    expect(rows).toBeGreaterThan(0);
    await locked.close();
  });
});

describe('time', () => {
  it('an upload that goes on may take longer than a request may; one that stands still may not', async () => {
    const patient = await startTestServer({ requestTimeoutMs: 1000 });
    const tar = await tarBytes({ 'a/1.png': png[0]!, 'a/2.png': png[1]! });
    const step = Math.ceil(tar.length / 8);
    async function* slowly() {
      for (let at = 0; at < tar.length; at += step) {
        yield tar.subarray(at, at + step);
        await new Promise((resolve) => setTimeout(resolve, 400));
      }
    }
    const send = (body: AsyncIterable<Uint8Array>) =>
      fetch(`${patient.url}/v1/imports`, {
        method: 'POST',
        body: ReadableStream.from(body),
        duplex: 'half',
        headers: { 'Content-Type': TYPES.tar },
      } as RequestInit);
    const answer = await send(slowly());
    expect(answer.status).toBe(202);
    expect((await ended(patient.url, answer.headers.get('location')!)).result).toMatchObject({ embedded: 2 });
    const still = startUpload(patient.url, 5000, { to: 'POST /v1/imports', type: TYPES.tar });
    expect(await still.answer()).toMatch(/^HTTP\/1\.1 408 [\s\S]*request_timeout/);
    await patient.close();
  });
});

describe('keys of idempotency', () => {
  it('a request that is sent again is answered as before and imports nothing', async () => {
    const where = await fresh('keyed');
    const tar = await tarBytes({ 'a.png': png[0]! });
    const keyed = (body: Buffer) => upload('tar', body, where).set('Idempotency-Key', 'once');
    const first = await keyed(tar).expect(202);
    const second = await keyed(tar).expect(202);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.body.id).toBe(first.body.id);
    await problem(keyed(await tarBytes({ 'b.png': png[1]! })), 422, 'idempotency_mismatch');
    await ended(server.url, first.headers.location!);
    await expect.poll(waiting).toEqual([]);
    const { body } = await request(server.url)
      .get('/v1/jobs')
      .query({ ...where, kind: 'import' });
    expect(body.jobs).toHaveLength(1);
    await problem(request(server.url).get('/v1/imports/nobody/errors'), 404, 'not_found');
  });
});

describe('a job of an import', () => {
  it('is cancelled between two batches, and what it had is kept', async () => {
    const where = await fresh('cancelled');
    const many = Object.fromEntries(
      await Promise.all(
        Array.from({ length: 300 }, async (_, n) => [`${n}.png`, await paintedPng(n + 100)] as const),
      ),
    );
    const { headers } = await upload('tar', await tarBytes(many), where).expect(202);
    await request(server.url).delete(headers.location!).expect(202);
    const job = await ended(server.url, headers.location!, 'cancelled');
    expect(job.done).toBeLessThan(300);
    expect(Object.keys(await idsOf(where)).length).toBe(job.done);
    await expect.poll(waiting).toEqual([]);
  });
});
