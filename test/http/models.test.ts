/** Models over HTTP: brought as a tar, inspected, listed, used by a collection, and removed when nothing needs them. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, Problem } from '../../client/dist/index.js';
import { packFolder } from '../../src/engines/tar-folder.js';
import { foreignOnnx, RECORD } from '../fixtures/foreign-encoder.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { ended } from './jobs.js';
import { startTestServer, type TestServer } from './start.js';

let server: TestServer;
let home: string;
beforeAll(async () => {
  home = await tempFolder();
  server = await startTestServer({ maxModelBytes: 4 * 1024 * 1024 });
});
afterAll(() => server.close());

const client = () => createClient({ url: server.url });

async function packed(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of packFolder(folder)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** Sends these bytes as a model. */
const send = (body: Uint8Array<ArrayBuffer>, query: { name?: string } = {}, type = 'application/x-tar') =>
  client().call('post', '/v1/models', { query, headers: { 'Content-Type': type }, body });

const refused = async (sending: Promise<unknown>): Promise<Problem> => {
  const thrown = await sending.then(
    () => new Error('it was taken'),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(Problem);
  return thrown as Problem;
};
const left = async () =>
  (await readdir(join(server.settings.dataDir, 'models'))).filter((name) => name.startsWith('.'));

async function foreignFolder(name: string, change: Parameters<typeof foreignOnnx>[0] = {}): Promise<string> {
  const folder = join(home, name);
  await mkdir(folder);
  await writeFile(join(folder, 'model.onnx'), foreignOnnx(change));
  await writeFile(join(folder, 'preprocess.json'), JSON.stringify(RECORD));
  return folder;
}

describe('a model that is sent', () => {
  it('is inspected, listed with its users, used by a collection and removed after that', async () => {
    await writeTinyModel(join(home, 'other'), { name: 'other', seed: 5, dimension: 24 });
    const tar = await packed(join(home, 'other'));
    const first = await send(tar);
    expect(first).toMatchObject({
      status: 201,
      data: { added: true, model: { name: 'other', dimension: 24, used_by: [] } },
    });
    const { sha256 } = first.data.model;
    expect(first.headers.get('location')).toBe(`/v1/models/${sha256}`);
    expect((await send(tar)).status).toBe(200); // the same again changes nothing
    const { data: one } = await client().call('get', '/v1/models/{id}', { path: { id: sha256 } });
    expect(one).toEqual(first.data.model);

    const { data: job } = await client().call('post', '/v1/reindex', { query: { model: 'other' } });
    await ended(server.url, `/v1/jobs/${job.id}`);
    const { data: listed } = await client().call('get', '/v1/models');
    expect(listed.models.map(({ removable, used_by }) => [removable, used_by])).toEqual([
      [false, ['default']],
      [true, ['default']],
    ]);
    expect(
      await refused(client().call('delete', '/v1/models/{id}', { path: { id: 'other' } })),
    ).toMatchObject({
      status: 409,
      code: 'model_in_use',
      message: expect.stringContaining('default'),
    });
    const back = await client().call('post', '/v1/reindex/rollback');
    await ended(server.url, `/v1/jobs/${back.data.id}`);
  });

  it('of another maker is taken with its record', async () => {
    const { data } = await send(await packed(await foreignFolder('foreign')), { name: 'theirs' });
    expect(data.model).toMatchObject({ name: 'theirs', dimension: 24, input: { width: 32, height: 32 } });
    await client().call('delete', '/v1/models/{id}', { path: { id: 'theirs' } });
    await refused(client().call('delete', '/v1/models/{id}', { path: { id: 'theirs' } }));
  });
});

describe('what is no model', () => {
  it('is refused in words about what was found, without a path of ours, and leaves nothing', async () => {
    const constant = await refused(send(await packed(await foreignFolder('constant', { scale: 0 }))));
    expect(constant).toMatchObject({ status: 422, code: 'unusable_model' });
    await mkdir(join(home, 'empty'));
    await writeFile(join(home, 'empty', 'readme.txt'), 'no model');
    const empty = await refused(send(await packed(join(home, 'empty'))));
    expect(empty).toMatchObject({ status: 422, code: 'unusable_model' });
    for (const { message } of [constant, empty]) expect(message).not.toContain(server.settings.dataDir);
    expect(await left()).toEqual([]);
  });

  it('is refused when it is no tar, a hostile one, too large, or of another type', async () => {
    const text = new TextEncoder().encode('no tar at all, '.repeat(100));
    expect(await refused(send(text))).toMatchObject({ status: 400, code: 'malformed_body' });
    expect(await refused(send(new Uint8Array(5 * 1024 * 1024)))).toMatchObject({ status: 413 });
    expect(await refused(send(text, {}, 'text/plain'))).toMatchObject({ status: 415 });
    expect(await refused(send(text, { name: '///' }))).toMatchObject({ status: 400 });
    expect(await left()).toEqual([]);
  });

  it('is the one that the service starts with, when it is to be removed', async () => {
    const { data } = await client().call('get', '/v1/models');
    const id = data.models[0]!.sha256;
    expect((await refused(client().call('delete', '/v1/models/{id}', { path: { id } }))).status).toBe(409);
    const nobody = await refused(client().call('get', '/v1/models/{id}', { path: { id: 'nobody' } }));
    expect(nobody).toMatchObject({ status: 404, code: 'not_found' });
  });
});
