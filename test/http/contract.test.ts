import { spawnSync } from 'node:child_process';
import { mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packFolder } from '../../src/engines/tar-folder.js';
import { embeddingParameters } from '../../src/http/embeddings.js';
import { addParameters, listParameters, NEAR, putParameters } from '../../src/http/image-parameters.js';
import { STATUS } from '../../src/http/problem.js';
import { searchParameters } from '../../src/http/search-parameters.js';
import { BODY_OVERHEAD } from '../../src/http/upload.js';
import { tarBytes } from '../fixtures/archives.js';
import { HEIC } from '../fixtures/bad-pictures.js';
import { picture } from '../fixtures/pictures.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import {
  contract,
  differences,
  documented,
  type Exchange,
  exampleFaults,
  operations,
  sent,
} from './contract.js';
import { ended } from './jobs.js';
import { head, openRaw, parseAnswer, startUpload, untilMetric } from './raw.js';
import { addModel, startTestServer, type TestServer } from './start.js';

const KEY = 'a-key-of-enough-letters';
const MAX_BYTES = 64 * 1024;
const MODEL_BYTES = 1024 * 1024;
const IMPORT_BYTES = 1024 * 1024;

/** Documented answers that no test can provoke on a healthy service, each with its reason. */
const UNPROVOKED: Partial<Record<Exchange, string>> = {
  'GET /v1/images/{id}/thumbnail 503': '256 thumbnails must wait at once; the gate has its own test',
  ...everywhere('500', 'a fault of the service itself; test/unit/http/problem.test.ts shows the answer'),
  ...everywhere('507', 'the disk has to be full; test/http/full-disk.test.ts fills a small one'),
};

function everywhere(status: string, reason: string): Partial<Record<Exchange, string>> {
  const exchanges = documented().filter((exchange) => exchange.endsWith(` ${status}`));
  return Object.fromEntries(exchanges.map((exchange) => [exchange, reason]));
}

const exercised = new Set<string>();

/** Judges an answer by the contract and ticks it off. */
function judge(method: string, path: string, answer: Awaited<ReturnType<typeof sent>>): void {
  expect(differences(method, path, answer), `${method} ${path} ${answer.status}`).toEqual([]);
  exercised.add(`${method} ${path} ${answer.status}`);
}

/** A path of the contract with its parameters filled in. */
const filled = (path: string) =>
  path
    .replace('{id}', encodeURIComponent(path.includes('images') ? 'red/1 é.jpg' : 'none'))
    .replace('{name}', 'default');

let server: TestServer;
let locked: TestServer;
let red: Buffer;
beforeAll(async () => {
  red = await picture('red', 1);
  server = await startTestServer({
    maxModelBytes: MODEL_BYTES,
    maxImportBytes: IMPORT_BYTES,
    importRoots: [await tempFolder()],
  });
  locked = await startTestServer({
    apiKeys: [KEY],
    maxBytes: MAX_BYTES,
    bodyBudgetBytes: MAX_BYTES + BODY_OVERHEAD,
    queueLimit: 0,
    requestTimeoutMs: 2000,
  });
});
afterAll(async () => {
  await server.close();
  await locked.close();
});

const search = (query = '') => request(server.url).post(`/v1/search${query}`).type('image/jpeg');
const send = (method: string, path: string) => request(server.url)[method.toLowerCase() as 'get'](path);
const sendPicture = (method: string, path: string, bytes = red) =>
  send(method, path).type('image/jpeg').send(bytes);

/** What takes a body, by the kind of body. */
const taking = (type: string) =>
  operations().filter(({ operation }) => type in (operation.requestBody?.content ?? {}));

describe('the contract and the code name the same things', () => {
  it('routes', () => {
    const layers = server.app.http.router.stack;
    const routes = layers.map(({ route }) => route?.path).filter((path) => path !== undefined);
    const paths = routes.map((path) => path.replaceAll(/:(\w+)/g, '{$1}'));
    // The page is served from its folder, not by a route.
    expect([...paths, '/'].sort()).toEqual(Object.keys(contract.paths).sort());
  });

  it('methods', async () => {
    for (const [path, item] of Object.entries(contract.paths)) {
      const { headers } = await request(server.url).trace(filled(path)).expect(405);
      const expected = Object.keys(item).flatMap((method) =>
        method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
      );
      expect(headers.allow).toBe(expected.join(', '));
    }
  });

  it('error codes', () => {
    const readable = Object.entries(STATUS).filter(
      ([code, status]) => status < 499 || status === 503 || status === 507 || code === 'internal',
    );
    const codes = readable.map(([code]) => code).sort();
    expect([...contract.components.schemas.ErrorCode!.enum!].sort()).toEqual(codes);
  });

  it('parameters, in the query, in the form and in JSON', () => {
    const inQuery = (path: string) =>
      contract.paths[path]!.post!.parameters!.map(({ $ref }) => $ref!.split('/').at(-1)!)
        .filter((name) => name !== 'request_id')
        .sort();
    const inSchema = (name: string) => Object.keys(contract.components.schemas[name]!.properties!).sort();
    const query = ['image', 'id', 'vector', 'examples'];
    const names = Object.keys(searchParameters(50).shape).sort();
    for (const path of ['/v1/search', '/v1/search/batch']) expect(inQuery(path)).toEqual(names);
    for (const form of ['SearchForm', 'BatchForm'])
      expect(inSchema(form)).toEqual(['image', ...names].sort());
    expect(inSchema('SearchBody')).toEqual([...query, ...names].sort());
    expect(inSchema('BatchBody')).toEqual(['queries', ...names].sort());
    expect(inSchema('BatchQuery')).toEqual(query.sort());
    const embedding = Object.keys(embeddingParameters.shape).sort();
    expect(inQuery('/v1/embeddings')).toEqual(embedding);
    expect(inSchema('EmbeddingsForm')).toEqual(['image', ...embedding].sort());
    expect(inSchema('EmbeddingsBody')).toEqual(['images', ...embedding].sort());
  });

  it('parameters of pictures, in the query and in the form', () => {
    const { properties: addForm } = contract.components.schemas.AddForm!;
    const { properties: putForm } = contract.components.schemas.PutForm!;
    expect(Object.keys(addForm!).sort()).toEqual(['image', ...Object.keys(addParameters.shape)].sort());
    expect(Object.keys(putForm!).sort()).toEqual(['image', ...Object.keys(putParameters.shape)].sort());
    for (const [method, shape] of [
      ['post', addParameters.shape],
      ['get', listParameters.shape],
    ] as const) {
      // biome-ignore format: a table
      const references = contract.paths['/v1/images']![method]!.parameters!.map(({ $ref }) => $ref!.split('/').at(-1)!);
      const inQuery = references
        .map((name) => contract.components.parameters[name]!)
        .filter((one) => one.in === 'query')
        .map(({ name }) => name);
      expect(inQuery.sort()).toEqual(Object.keys(shape).sort());
    }
    expect(contract.components.parameters.near!.schema).toMatchObject({ default: NEAR });
  });

  it('examples that keep to the schemas', () => {
    expect(exampleFaults()).toEqual([]);
  });
});

describe('every answer is as documented', () => {
  it('POST /v1/search', async () => {
    judge('POST', '/v1/search', await sent(search().send(red)));
    judge('POST', '/v1/search', await sent(search('?label=red&min_score=0.999&mode=exact').send(red)));
    judge('POST', '/v1/search', await sent(search('?k=0').send(red)));
    judge('POST', '/v1/search', await sent(search().send(Buffer.alloc(1024 * 1024))));
    judge('POST', '/v1/search', await sent(search().send(HEIC)));
    judge('POST', '/v1/search', await sent(search().send(red.subarray(0, 300))));
  });

  it('POST /v1/search in JSON', async () => {
    const json = (body: object) => search().type('application/json').send(body);
    const id = 'red/1 é.jpg';
    const { vector } = (await request(server.url).post('/v1/embeddings').type('image/jpeg').send(red)).body
      .embeddings[0];
    judge('POST', '/v1/search', await sent(json({ image: red.toString('base64'), where: {} })));
    judge('POST', '/v1/search', await sent(json({ id, k: 2 })));
    judge('POST', '/v1/search', await sent(json({ vector })));
    judge(
      'POST',
      '/v1/search',
      await sent(json({ examples: { positive: [{ id }], negative: [{ vector }] } })),
    );
    judge('POST', '/v1/search', await sent(json({ id: 'nobody' })));
    judge('POST', '/v1/search', await sent(json({ id, vector })));
  });

  it('POST /v1/search/batch and /v1/embeddings', async () => {
    const form = (path: string) =>
      request(server.url).post(path).attach('image', red, 'a.jpg').attach('image', HEIC, 'b.jpg');
    judge('POST', '/v1/search/batch', await sent(form('/v1/search/batch')));
    judge('POST', '/v1/embeddings', await sent(form('/v1/embeddings')));
    judge('POST', '/v1/embeddings', await sent(form('/v1/embeddings?encoding=base64')));
  });

  it('uploads when the service is full', async () => {
    const upload = startUpload(locked.url, MAX_BYTES, { headers: [`X-API-Key: ${KEY}`] });
    const rest = startUpload(locked.url, BODY_OVERHEAD, { headers: [`X-API-Key: ${KEY}`] });
    await untilMetric(locked.url, 'lookalike_gate_running{gate="upload"}', 2, KEY);
    for (const { method, path } of taking('image/*')) {
      const full = request(locked.url)[method.toLowerCase() as 'post'](filled(path)).set('X-API-Key', KEY);
      const answer = await sent(full.type('image/jpeg').send(red));
      expect(answer.status).toBe(503);
      judge(method, path, answer);
    }
    upload.socket.destroy();
    rest.socket.destroy();
  });

  it('bodies that do not arrive in time', async () => {
    const slow = ['image/*', 'application/json'].flatMap((type) =>
      taking(type).map(async ({ method, path }) => {
        const to = `${method} ${filled(path)}`;
        const given = { to, type: type.replace('*', 'jpeg'), headers: [`X-API-Key: ${KEY}`] };
        const { status, headers, body } = parseAnswer(await startUpload(locked.url, 1000, given).answer());
        expect(status).toBe(408);
        judge(method, path, { status, headers, body: Buffer.from(body) });
      }),
    );
    await Promise.all(slow);
  });

  it('pictures', async () => {
    const [all, one] = ['/v1/images', '/v1/images/{id}'];
    const at = '/v1/images/of%20the%20contract';
    const made = await sent(sendPicture('PUT', at).set('If-None-Match', '*'));
    expect(made.status).toBe(201);
    judge('PUT', one, made);
    judge('PUT', one, await sent(sendPicture('PUT', at).set('If-None-Match', '*')));
    judge('PUT', one, await sent(sendPicture('PUT', at)));
    judge('GET', one, await sent(send('GET', at)));
    const { headers } = await sent(send('GET', at));
    judge('GET', one, await sent(send('GET', at).set('If-None-Match', headers.etag!)));
    judge('GET', one, await sent(send('GET', '/v1/images/nobody')));
    judge('PATCH', one, await sent(send('PATCH', at).send({ label: 'x', metadata: { a: 1 } })));
    judge('PATCH', one, await sent(send('PATCH', at).set('If-Match', headers.etag!).send({ label: 'y' })));
    judge('PATCH', one, await sent(send('PATCH', at).send({ nonsense: 1 })));
    judge('DELETE', one, await sent(send('DELETE', at).set('If-Match', headers.etag!)));

    const refused = await sent(sendPicture('POST', `${all}?on_duplicate=reject&orientations=true`));
    expect(JSON.parse(refused.body.toString())).toMatchObject({ code: 'duplicate' });
    judge('POST', all, refused);
    judge('POST', all, await sent(sendPicture('POST', `${all}?on_duplicate=link`)));
    const keyed = (query: string) =>
      sent(
        sendPicture('POST', `${all}?${query}`).set('Idempotency-Key', 'of the contract'.replaceAll(' ', '-')),
      );
    for (const query of ['id=keyed', 'id=keyed', 'id=other']) judge('POST', all, await keyed(query));
    const taken = await sent(sendPicture('POST', `${all}?id=keyed`));
    expect(taken.status).toBe(409);
    judge('POST', all, taken);

    for (const query of ['', '?limit=2', '?order=-created&label=red'])
      judge('GET', all, await sent(send('GET', all + query)));
    judge('DELETE', one, await sent(send('DELETE', at)));
    judge('DELETE', one, await sent(send('DELETE', '/v1/images/keyed')));
    judge('DELETE', one, await sent(send('DELETE', '/v1/images/keyed')));
  });

  it('bodies that are refused', async () => {
    for (const { method, path } of taking('image/*')) {
      judge(method, path, await sent(sendPicture(method, filled(path), Buffer.alloc(1024 * 1024))));
      judge(method, path, await sent(sendPicture(method, filled(path), HEIC)));
      judge(method, path, await sent(sendPicture(method, filled(path), red.subarray(0, 300))));
    }
    for (const { method, path } of taking('application/json')) {
      judge(method, path, await sent(send(method, filled(path)).type('text/plain').send('{}')));
      const large = JSON.stringify({ name: 'x'.repeat(70_000) });
      judge(method, path, await sent(send(method, filled(path)).type('application/json').send(large)));
    }
  });

  it('collections', async () => {
    const [all, one] = ['/v1/collections', '/v1/collections/{name}'];
    for (let i = 0; i < 2; i++) judge('POST', all, await sent(send('POST', all).send({ name: 'made' })));
    judge('GET', all, await sent(send('GET', all)));
    judge('GET', one, await sent(send('GET', '/v1/collections/made')));
    for (let i = 0; i < 2; i++) judge('DELETE', one, await sent(send('DELETE', '/v1/collections/made')));
    judge('GET', one, await sent(send('GET', '/v1/collections/made')));
  });

  it('jobs', async () => {
    const started = await sent(send('POST', '/v1/reindex'));
    judge('POST', '/v1/reindex', started);
    for (const query of ['', '?collection=default']) {
      const keyed = send('POST', `/v1/reindex${query}`).set('Idempotency-Key', 'reindex');
      judge('POST', '/v1/reindex', await sent(keyed));
    }
    const path = started.headers.location!;
    judge('GET', '/v1/jobs/{id}/events', await sent(send('GET', `${path}/events`))); // ends with the job
    judge('GET', '/v1/jobs/{id}', await sent(send('GET', path)));
    judge('DELETE', '/v1/jobs/{id}', await sent(send('DELETE', path)));
    const seen = send('GET', `${path}/events`).set('Last-Event-ID', `${Date.now() + 1000}`);
    judge('GET', '/v1/jobs/{id}/events', await sent(seen));
    for (const [method, of] of [
      ['GET', '/v1/jobs/{id}'],
      ['DELETE', '/v1/jobs/{id}'],
      ['GET', '/v1/jobs/{id}/events'],
    ] as const)
      judge(method, of, await sent(send(method, filled(of))));
    judge('GET', '/v1/jobs', await sent(send('GET', '/v1/jobs?kind=reindex&state=succeeded')));
    const first = await sent(send('GET', '/v1/jobs?limit=1'));
    judge('GET', '/v1/jobs', first);
    const next = /^<(\/v1\/jobs\?limit=1&cursor=[^>]+)>; rel="next"$/.exec(first.headers.link!)?.[1];
    const second = await sent(send('GET', next!));
    judge('GET', '/v1/jobs', second);
    const idOf = ({ body }: { body: Buffer }) => JSON.parse(body.toString()).jobs[0].id;
    expect(idOf(second)).not.toBe(idOf(first));
    judge('GET', '/v1/jobs', await sent(send('GET', '/v1/jobs?cursor=nobody')));
  });

  it('a job that is cancelled, and more listeners than there may be', async () => {
    await withStalledImport(async (url) => {
      const { body } = await request(url).post('/v1/reindex').expect(202);
      const path = `/v1/jobs/${body.id}`;
      const gone = new AbortController();
      for (let n = 0; n < 64; n++) await fetch(`${url}${path}/events`, { signal: gone.signal });
      judge('GET', '/v1/jobs/{id}/events', await sent(request(url).get(`${path}/events`)));
      gone.abort();
      judge('DELETE', '/v1/jobs/{id}', await sent(request(url).delete(path)));
    });
  });

  it('an address that is too long, where parameters may be long', async () => {
    for (const path of ['/v1/search', '/v1/search/batch']) {
      const raw = openRaw(server.url);
      raw.socket.write(head(`POST ${path}?${'label=x&'.repeat(3000)} HTTP/1.1`, 'Host: localhost'));
      const { status, headers, body } = parseAnswer(await raw.answer());
      expect(status).toBe(431);
      judge('POST', path, { status, headers, body: Buffer.from(body) });
    }
  });

  it('reports', async () => {
    for (const path of ['/v1/duplicates', '/v1/reports/labels']) {
      const first = await sent(send('GET', path));
      judge('GET', path, first);
      expect(first.status).toBe(202);
      await ended(server.url, first.headers.location!);
      judge('GET', path, await sent(send('GET', path)));
    }
  });

  it('imports', async () => {
    const [all, one] = ['/v1/imports', '/v1/imports/{id}/errors'];
    const bad = await tarBytes({ 'cat/1.png': red, 'bad.png': 'no picture' });
    const tar = (body: Buffer, query = '') =>
      send('POST', all + query)
        .type('application/x-tar')
        .send(body);
    const started = await sent(tar(bad));
    expect(started.status).toBe(202);
    judge('POST', all, started);
    const { id } = await ended(server.url, started.headers.location!);
    judge('GET', one, await sent(send('GET', `/v1/imports/${id}/errors`)));
    judge('GET', one, await sent(send('GET', '/v1/imports/nobody/errors')));
    for (const body of [bad, bad, await tarBytes({ 'a.png': red })])
      judge('POST', all, await sent(tar(body).set('Idempotency-Key', 'import')));
    let attempt = 0;
    const twiceAtOnce = async () => {
      const key = `at-once-${attempt++}`;
      const large = Buffer.alloc(IMPORT_BYTES); // its checksum is looked at before the job is queued
      const both = [1, 2].map(() => sent(tar(large).set('Idempotency-Key', key)));
      const refused = (await Promise.all(both)).find(({ status }) => status === 409);
      if (refused) judge('POST', all, refused);
      return refused !== undefined;
    };
    await expect.poll(twiceAtOnce, { timeout: 30_000 }).toBe(true);
    judge('POST', all, await sent(tar(Buffer.alloc(IMPORT_BYTES + 1))));
    judge('POST', all, await sent(tar(bad).type('text/plain')));
    judge('POST', all, await sent(send('POST', all).type('application/zip').send('no zip')));
    for (const path of ['here.zip', '/etc']) judge('POST', all, await sent(send('POST', all).send({ path })));

    const options = { to: 'POST /v1/imports', type: 'application/x-tar', headers: [`X-API-Key: ${KEY}`] };
    const uploads = Array.from({ length: 4 }, () => startUpload(locked.url, 1000, options));
    await untilMetric(locked.url, 'lookalike_gate_running{gate="import"}', 4, KEY);
    const full = request(locked.url).post(all).set('X-API-Key', KEY).type('application/x-tar').send(bad);
    judge('POST', all, await sent(full));
    for (const { socket } of uploads) socket.destroy();
  });

  it('models', async () => {
    const model = await addModel(server, { name: 'other', seed: 3 });
    const ask = async (path: string, query = '') => {
      const answer = await sent(send('POST', `${path}${query}`));
      judge('POST', path, answer);
      if (answer.status === 202) await sent(send('GET', `${answer.headers.location}/events`));
      return answer.status;
    };
    expect(await ask('/v1/reindex', '?model=tiny')).toBe(409);
    expect(await ask('/v1/reindex/switch')).toBe(409);
    expect(await ask('/v1/reindex/rollback')).toBe(409);
    expect(await ask('/v1/reindex', `?model=${model.sha256.slice(0, 8)}&switch=manual`)).toBe(202);
    expect(await ask('/v1/reindex/switch')).toBe(202);
    judge('GET', '/v1/info', await sent(send('GET', '/v1/info')));
    expect(await ask('/v1/reindex/rollback')).toBe(202);
    judge('GET', '/v1/jobs', await sent(send('GET', '/v1/jobs')));
  });

  it('models', async () => {
    const home = await tempFolder();
    await writeTinyModel(home, { name: 'sent', seed: 9 });
    const chunks: Buffer[] = [];
    for await (const chunk of packFolder(home)) chunks.push(chunk);
    const tar = Buffer.concat(chunks);
    const sendModel = (body: Buffer, type = 'application/x-tar') =>
      sent(send('POST', '/v1/models').type(type).send(body));
    for (let i = 0; i < 2; i++) judge('POST', '/v1/models', await sendModel(tar));
    const given = { to: 'POST /v1/models', type: 'application/x-tar', headers: ['Idempotency-Key: model'] };
    const stalled = startUpload(server.url, 1024, given); // holds the key
    const refused = async () => {
      const answer = await sent(
        send('POST', '/v1/models').type(given.type).set('Idempotency-Key', 'model').send(tar),
      );
      if (answer.status === 409) judge('POST', '/v1/models', answer);
      return answer.status;
    };
    await expect.poll(refused, { timeout: 30_000 }).toBe(409);
    stalled.socket.destroy();
    judge('POST', '/v1/models', await sendModel(Buffer.from('no tar')));
    judge('POST', '/v1/models', await sendModel(tar, 'text/plain'));
    judge('POST', '/v1/models', await sendModel(Buffer.alloc(MODEL_BYTES + 1)));
    const mute = pack();
    mute.entry({ name: 'readme.txt' }, 'no model');
    mute.finalize();
    const without: Buffer[] = [];
    for await (const chunk of mute) without.push(chunk as Buffer);
    judge('POST', '/v1/models', await sendModel(Buffer.concat(without)));
    const { models } = (await request(server.url).get('/v1/models')).body as { models: { sha256: string }[] };
    judge('GET', '/v1/models', await sent(send('GET', '/v1/models')));
    const [base, added] = models.map(({ sha256 }) => `/v1/models/${sha256}`);
    for (const path of [base!, '/v1/models/nobody'])
      judge('GET', '/v1/models/{id}', await sent(send('GET', path)));
    for (const path of [base!, added!, added!])
      judge('DELETE', '/v1/models/{id}', await sent(send('DELETE', path)));
  });

  it('snapshots', async () => {
    const started = await sent(send('POST', '/v1/snapshots'));
    judge('POST', '/v1/snapshots', started);
    const { result } = await ended(server.url, started.headers.location!);
    const path = `/v1/snapshots/${result!.id}`;
    judge('GET', '/v1/snapshots', await sent(send('GET', '/v1/snapshots')));
    judge('GET', '/v1/snapshots/{id}', await sent(send('GET', path)));
    for (let i = 0; i < 2; i++) judge('DELETE', '/v1/snapshots/{id}', await sent(send('DELETE', path)));
    judge('GET', '/v1/snapshots/{id}', await sent(send('GET', path)));
  });

  it('thumbnails', async () => {
    const path = filled('/v1/images/{id}/thumbnail');
    const first = await sent(send('GET', path));
    judge('GET', '/v1/images/{id}/thumbnail', first);
    const again = await sent(send('GET', path).set('If-None-Match', first.headers.etag!));
    judge('GET', '/v1/images/{id}/thumbnail', again);
    judge('GET', '/v1/images/{id}/thumbnail', await sent(send('GET', '/v1/images/none/thumbnail')));
  });

  it('what is read', async () => {
    for (const path of ['/v1/info', '/livez', '/readyz', '/metrics', '/openapi.yaml', '/docs', '/'])
      judge('GET', path, await sent(send('GET', path)));
    const page = await sent(send('GET', '/'));
    judge('GET', '/', await sent(send('GET', '/').set('If-None-Match', page.headers.etag!)));
  });

  it('GET /readyz while the first import runs', async () => {
    await withStalledImport(async (url) => {
      const answer = await sent(request(url).get('/readyz'));
      expect(answer.status).toBe(503);
      judge('GET', '/readyz', answer);
      expect((await request(url).get('/livez')).status).toBe(200);
    });
  });

  it('an unknown parameter, wherever parameters are read', async () => {
    for (const { method, path, operation } of operations())
      if ('400' in operation.responses)
        judge(method, path, await sent(send(method, `${filled(path)}?nonsense=1`)));
  });

  it('an idempotency key that came with another request, wherever one is taken', async () => {
    const keyed = (method: string, path: string) => send(method, path).set('Idempotency-Key', 'everywhere');
    await sent(keyed('POST', '/v1/reindex?collection=default'));
    for (const { method, path, operation } of operations()) {
      const parameters = operation.parameters ?? [];
      if (!parameters.some(({ $ref }) => $ref === '#/components/parameters/idempotency_key')) continue;
      const asked = keyed(method, path);
      const types = Object.keys(operation.requestBody?.content ?? {});
      if (types.includes('image/*')) asked.type('image/jpeg').send(red);
      else if (types.includes('application/x-tar')) asked.type('application/x-tar').send('x');
      else if (types.includes('application/json')) asked.send({ name: 'x' });
      const answer = await sent(asked);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'idempotency_mismatch' });
      judge(method, path, answer);
    }
  });

  it('an unknown collection, wherever one may be named', async () => {
    for (const { method, path, operation } of operations()) {
      const parameters = operation.parameters ?? [];
      if (!parameters.some(({ $ref }) => $ref === '#/components/parameters/collection')) continue;
      const asked = send(method, `${filled(path)}?collection=nobody`);
      const types = Object.keys(operation.requestBody?.content ?? {});
      if (types.includes('image/*')) asked.type('image/jpeg').send(red);
      else if (types.includes('application/json')) asked.send({});
      const answer = await sent(asked);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        code: 'unknown_collection',
        field: 'collection',
      });
      judge(method, path, answer);
    }
  });

  it('a foreign host name, everywhere', async () => {
    for (const { method, path } of operations())
      judge(method, path, await sent(send(method, filled(path)).set('Host', 'evil.example')));
  });

  it('the quota used up, under /v1 and nowhere else', async () => {
    const limited = await startTestServer({ rateLimit: 1 });
    await request(limited.url).get('/v1/info').expect(200);
    for (const { method, path } of operations()) {
      const answer = await sent(request(limited.url)[method.toLowerCase() as 'get' | 'post'](filled(path)));
      expect(answer.status === 429, path).toBe(path.startsWith('/v1/'));
      judge(method, path, answer);
    }
    await limited.close();
  });

  it('no key, where one is asked for and nowhere else', async () => {
    for (const { method, path, operation } of operations()) {
      const answer = await sent(request(locked.url)[method.toLowerCase() as 'get'](filled(path)));
      const isOpen = operation.security?.length === 0;
      expect(answer.status === 401, path).toBe(!isOpen);
      judge(method, path, answer);
    }
  });

  it('none is documented and never seen, none is excused without need', () => {
    const unseen = documented().filter((exchange) => !exercised.has(exchange));
    expect(unseen.sort()).toEqual(Object.keys(UNPROVOKED).sort());
  });
});

/** Runs `check` against a service whose import waits for a file that never ends: a pipe with a picture's name. */
async function withStalledImport(check: (url: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lookalike-pipe-'));
  const pipe = join(folder, '.pipe');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  await symlink(pipe, join(folder, 'stalled.jpg')); // a pipe itself is no picture file, a link is followed
  await writeFile(join(folder, 'good.jpg'), red);
  const stalled = await startTestServer({ folder }, { awaitStartup: false });
  try {
    await check(stalled.url);
  } finally {
    await writeFile(pipe, ''); // its end: the import goes on
    await stalled.close();
  }
}
