/** The examples of requests in `openapi.yaml`, sent to the real service: each gets an answer of success as documented. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { paintedPng } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { contract, differences, operations, requestExamples, sent } from './contract.js';
import { ended } from './jobs.js';
import { startTestServer, type TestServer } from './start.js';

let server: TestServer;
beforeAll(async () => {
  const root = await tempFolder();
  await mkdir(join(root, 'photos'));
  await writeFile(join(root, 'photos', 'one.png'), await paintedPng(9));
  server = await startTestServer({ importRoots: [root] });
  // What the examples speak of.
  for (const [seed, id] of ['cat/tabby.webp', 'cat/grey.webp', 'fox/red.webp'].entries()) {
    const query = `label=${id.split('/')[0]}&metadata=${encodeURIComponent('{"year":2024}')}`;
    const put = request(server.url)
      .put(`/v1/images/${encodeURIComponent(id)}?${query}`)
      .type('image/png');
    await put.send(await paintedPng(seed + 1)).expect(201);
  }
});
afterAll(() => server.close());

const examples = requestExamples();

/** Media types whose bodies are no text: their examples would be bytes. */
const BINARY = /^(multipart\/form-data|image\/\*|application\/(octet-stream|x-tar|gzip|zip))$/;

describe('the examples of requests', () => {
  it('are there for every body that is a text', () => {
    const without = operations().flatMap(({ method, path, operation }) =>
      Object.keys(operation.requestBody?.content ?? {})
        .filter((type) => !BINARY.test(type))
        .filter(
          (type) => !examples.some((one) => one.method === method && one.path === path && one.type === type),
        )
        .map((type) => `${method} ${path} ${type}`),
    );
    expect(without).toEqual([]);
  });

  it.each(examples.map((one, i) => [`${one.method} ${one.path}`, one.type, i, one] as const))(
    '%s as %s, number %i',
    async (_name, _type, _number, { method, path, type, value }) => {
      const id = (contract.components.parameters.image_id as { example?: string } | undefined)?.example;
      const filled = path.replace('{id}', encodeURIComponent(id ?? 'cat/tabby.webp'));
      const body = typeof value === 'string' ? value : JSON.stringify(value);
      const asked = request(server.url)[method.toLowerCase() as 'post'](filled).type(type);
      const answer = await sent(asked.send(body));
      expect(answer.status, answer.body.toString('utf8')).toBeLessThan(300);
      expect(differences(method, path, answer)).toEqual([]);
      if (answer.status === 202) await ended(server.url, answer.headers.location!);
    },
  );
});
