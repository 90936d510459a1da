/** `lookalike import`: the same import of a running service and of a data folder, and the refusals of HTTP. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, type Job, startImport, waitForJob } from '../../client/dist/index.js';
import { unitVectors } from '../contract/vectors.js';
import { tarBytes, zipBytes } from '../fixtures/archives.js';
import { npyBytes } from '../fixtures/npy.js';
import { paintedPng } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { startTestServer, type TestServer } from '../http/start.js';
import { expectRefusal, runCli } from './cli-process.js';

let served: TestServer;
let remote: string[];
let home: string;
const at = (...names: string[]) => join(home, ...names);
const local = (name: string) => ['--data-dir', at(name), '--model', at('model')];
const parsed = <T>({ stdout }: { stdout: string }) => JSON.parse(stdout) as T;

beforeAll(async () => {
  home = await tempFolder();
  served = await startTestServer({ importRoots: [home] });
  remote = ['--url', served.url];
  await writeTinyModel(at('model'));
  await mkdir(at('photos', 'cat'), { recursive: true });
  for (const [n, name] of ['cat/1.png', 'cat/2.png', 'top.png'].entries())
    await writeFile(at('photos', name), await paintedPng(n + 1));
  await writeFile(at('photos', 'bad.jpg'), 'no picture');
  await writeFile(at('empty.jpg'), '');
  await mkdir(at('nothing'));
  const { vectors } = unitVectors({ rows: 2, dimension: 32, seed: 1 });
  await writeFile(at('bank.npy'), npyBytes('(2, 32)', new Uint8Array(vectors.buffer)));
  await writeFile(at('items.jsonl'), '{"id":"a","label":"x"}\n{"id":"b"}\n');
  await writeFile(at('pictures.zip'), zipBytes([{ name: 'z/1.png', content: await paintedPng(9) }]));
});
afterAll(() => served.close());

describe('a folder', { timeout: 240_000 }, () => {
  it('is packed and sent, to a service and to a data folder alike', async () => {
    const [there, here] = [
      await runCli('import', at('photos'), '--json', ...remote),
      await runCli('import', at('photos'), '--json', ...local('data')),
    ];
    for (const ended of [there, here]) {
      expect(ended.code).toBe(0);
      expect(parsed<Job>(ended)).toMatchObject({
        state: 'succeeded',
        result: { found: 4, embedded: 3, refused: 1 },
      });
    }
    const again = await runCli('import', at('photos'), '--errors', at('refused.ndjson'), ...local('data'));
    expect([again.code, again.stdout]).toEqual([
      0,
      expect.stringMatching(/^4 entries: 3 unchanged, 1 refused in /),
    ]);
    expect(JSON.parse(await readFile(at('refused.ndjson'), 'utf8'))).toMatchObject({ place: 'bad.jpg' });
    const words = await runCli('import', at('photos'), ...remote);
    expect(words.stdout).toMatch(/\n {2}bad\.jpg: .*JPEG, PNG, WebP/);
  });

  it('is read in place when that is asked for', async () => {
    const ended = await runCli(
      'import',
      at('photos'),
      '--in-place',
      '--prune',
      '--json',
      ...local('in-place'),
    );
    expect(parsed<Job>(ended)).toMatchObject({ result: { found: 4, embedded: 3, removed: 0 }, failures: 1 });
    const there = await runCli('import', 'photos', '--in-place', '--json', ...remote);
    expect(parsed<Job>(there)).toMatchObject({ parameters: { source: 'path' }, state: 'succeeded' });
  });
});

it('archives and banks are sent as they are, and --no-wait prints the id', { timeout: 240_000 }, async () => {
  const zip = await runCli('import', at('pictures.zip'), '--json', ...remote);
  expect(parsed<Job>(zip)).toMatchObject({ result: { embedded: 1 } });
  const bank = await runCli(
    'import',
    at('bank.npy'),
    '--items',
    at('items.jsonl'),
    '--json',
    ...local('data'),
  );
  expect(parsed<Job>(bank)).toMatchObject({ total: 2, result: { imported: 2 } });
  const started = await runCli(
    'import',
    at('pictures.zip'),
    '--on-duplicate',
    'link',
    '--no-wait',
    ...remote,
  );
  const client = createClient({ url: served.url });
  expect((await waitForJob(client, started.stdout.trim())).result).toMatchObject({ unchanged: 1 });
});

it('is refused in the words of HTTP', { timeout: 240_000 }, async () => {
  const [none, nothing, kind, items, duplicate, outside] = await Promise.all([
    runCli('import', at('nowhere'), ...remote),
    runCli('import', at('nothing'), ...remote),
    runCli('import', at('empty.jpg'), ...remote),
    runCli('import', at('pictures.zip'), '--items', at('items.jsonl'), ...remote),
    runCli('import', at('pictures.zip'), '--on-duplicate', 'maybe', ...remote),
    runCli('import', '/etc', '--in-place', ...remote),
  ]);
  expectRefusal(none, 2, 'nowhere', 'ENOENT');
  expectRefusal(nothing, 4, 'no JPEG, PNG or WebP');
  expectRefusal(kind, 2, 'empty.jpg', '.ndjson');
  expectRefusal(items, 2, '--items');
  expectRefusal(duplicate, 2, 'allow, reject, link', 'maybe');
  expectRefusal(outside, 2, '"/etc"', 'LOOKALIKE_IMPORT_ROOTS');
});

it('the client sends a file by its name', async () => {
  const client = createClient({ url: served.url });
  const tar = new Uint8Array(await tarBytes({ 'f/1.png': await paintedPng(20) }));
  const job = await startImport(client, { file: new File([tar], 'f.tar') });
  expect((await waitForJob(client, job.id)).result).toMatchObject({ embedded: 1 });
  await expect(startImport(client, { file: new File([tar], 'f.rar') })).rejects.toThrow('f.rar');
});
