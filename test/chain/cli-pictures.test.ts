/** The verbs of pictures, collections, reports and models: what HTTP can do, the command line can too. */
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type components, createClient, type Problem } from '../../client/dist/index.js';
import { foreignOnnx, RECORD } from '../fixtures/foreign-encoder.js';
import { picture } from '../fixtures/pictures.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { startTestServer, type TestServer } from '../http/start.js';
import { type Ended, expectRefusal, runCli } from './cli-process.js';

type Schemas = components['schemas'];

/** Each verb is a process: on a busy machine a test of ten takes its time. */
vi.setConfig({ testTimeout: 180_000 });

let served: TestServer;
let home: string;
let file: string;
const cli = (...args: string[]) => runCli(...args, '--url', served.url);
const at = (name: string) => join(home, name);
const parsed = <T>({ code, stdout, stderr }: Ended, expected = 0): T => {
  if (code !== expected) throw new Error(`${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
};

beforeAll(async () => {
  home = await tempFolder();
  file = at('new.jpg');
  await writeFile(file, await picture('red', 11));
  await writeFile(at('other.jpg'), await picture('blue', 11));
  served = await startTestServer();
});
afterAll(() => served.close());

describe('images', () => {
  it('are added, shown, found, edited, replaced, listed and removed', async () => {
    const added = parsed<Schemas['Image']>(
      await cli(
        'images',
        'add',
        file,
        '--id',
        'mine',
        '--label',
        'red',
        '--metadata',
        '{"year":2026}',
        '--json',
      ),
    );
    expect(added).toMatchObject({ id: 'mine', label: 'red', metadata: { year: 2026 } });
    const found = parsed<Schemas['SearchAnswer']>(
      await cli('search', file, '--where', '{"year":{"gte":2026}}', '--json'),
    );
    expect(found.neighbours).toMatchObject([{ id: 'mine', score: 1 }]);
    const edited = parsed<Schemas['Image']>(
      await cli('images', 'edit', 'mine', '--no-label', '--metadata', '{"year":null,"seen":true}', '--json'),
    );
    expect(edited).toMatchObject({ label: null, metadata: { seen: true } });
    const put = await cli(
      'images',
      'put',
      'mine',
      at('other.jpg'),
      '--label',
      'blue',
      '--if-match',
      '"none"',
    );
    expectRefusal(put, 2, 'If-Match');
    const replaced = await cli('images', 'put', 'mine', at('other.jpg'), '--label', 'blue');
    expect([replaced.code, replaced.stdout]).toEqual([0, expect.stringContaining('replaced: mine')]);
    const shown = await cli('images', 'get', 'mine');
    expect(shown.stdout).toMatch(/^label +blue$/m);
    const thumbnail = await cli('images', 'thumbnail', 'mine', '--out', at('mine.webp'));
    expect(thumbnail.code).toBe(0);
    expect((await readFile(at('mine.webp'))).subarray(8, 12).toString()).toBe('WEBP');
    expect((await cli('images', 'remove', 'mine')).code).toBe(0);
    expectRefusal(await cli('images', 'get', 'mine'), 4, 'mine');
  });

  it('are listed page by page, or all', async () => {
    const page = await cli('images', 'list', '--limit', '5');
    expect(page.stdout.trim().split('\n')).toHaveLength(1 + 5);
    const cursor = /--cursor (\S+)/.exec(page.stderr)?.[1];
    const next = parsed<Schemas['ImageList']>(
      await cli('images', 'list', '--limit', '5', '--cursor', cursor!, '--json'),
    );
    expect(next.images).toHaveLength(5);
    const all = await cli('images', 'list', '--limit', '5', '--all', '--json');
    const ids = all.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Schemas['Image']).id);
    expect([ids.length, new Set(ids).size]).toEqual([12, 12]);
    const words = await cli('images', 'list', '--limit', '5', '--all', '--label', 'red');
    expect(words.stdout.match(/^id /gm)).toHaveLength(1);
    expect(words.stdout.trim().split('\n')).toHaveLength(1 + 4);
  });

  it('refuses in the words of HTTP', async () => {
    const words = async (call: Promise<unknown>) => (await call.catch((error: Problem) => error)) as Problem;
    const client = createClient({ url: served.url });
    const body = await readFile(file);
    const headers = { 'Content-Type': 'application/octet-stream' };
    const query = { metadata: '[1]' };
    const [metadata, order, near, patch] = await Promise.all([
      cli('images', 'add', file, '--metadata', '[1]'),
      cli('images', 'list', '--order', 'size'),
      cli('images', 'add', file, '--near', '2'),
      cli('images', 'edit', 'red/0 é.jpg', '--metadata', '{year}'),
    ]);
    const refused = await words(client.call('post', '/v1/images', { query, body, headers }));
    expectRefusal(metadata, 2);
    expect(metadata.stderr).toBe(`lookalike: ${refused.message}\n`);
    expectRefusal(order, 2, 'order must be one of id, created, -created');
    expectRefusal(near, 2, 'near must be a number from 0 to 1');
    expectRefusal(patch, 2, '--metadata must be JSON');
  });

  it('a duplicate is refused or linked as asked', async () => {
    const there = join(served.settings.folder!, 'red', '0 é.jpg');
    expectRefusal(await cli('images', 'add', there, '--on-duplicate', 'reject'), 2, 'red/0 é.jpg');
    const linked = await cli('images', 'add', there, '--on-duplicate', 'link');
    expect(linked.stdout).toMatch(/^there already, nothing was stored: red\/0 é\.jpg\n/);
  });
});

describe('search and embed', () => {
  it('begin from an id, a vector, examples, and several at once', async () => {
    const embedded = await cli('embed', file);
    await writeFile(at('vector.json'), embedded.stdout);
    const answer = async (...args: string[]) =>
      parsed<Schemas['SearchAnswer']>(await cli('search', ...args, '-k', '3', '--json'));
    const byPicture = await answer(file);
    const byVector = await answer(`vector:${at('vector.json')}`);
    expect(byVector.neighbours.map(({ id }) => id)).toEqual(byPicture.neighbours.map(({ id }) => id));
    const byId = await answer('id:red/0 é.jpg');
    expect(byId.query).toEqual({ kind: 'id', id: 'red/0 é.jpg' });
    const examples = await answer('--like', 'id:red/0 é.jpg', '--like', file, '--unlike', 'id:blue/0 é.jpg');
    expect(examples.query).toMatchObject({ kind: 'examples', positive: 2, negative: 1 });
    const many = await cli('search', file, 'id:nobody', 'id:blue/1 é.jpg', '--json');
    const { results } = JSON.parse(many.stdout) as Schemas['BatchAnswer'];
    expect(results.map((one) => ('error' in one ? one.error.code : one.query.kind))).toEqual([
      'image',
      'not_found',
      'id',
    ]);
    expect(many.code).toBe(4);
  });

  it('refuse what is no query', async () => {
    await writeFile(at('short.json'), '[1, 0]');
    await writeFile(at('no.json'), 'one');
    const [neither, both, unlike, short, no] = await Promise.all([
      cli('search'),
      cli('search', file, '--like', file),
      cli('search', '--unlike', file),
      cli('search', `vector:${at('short.json')}`),
      cli('search', `vector:${at('no.json')}`),
    ]);
    expectRefusal(neither, 2, '--like', 'neither');
    expectRefusal(both, 2, 'not both');
    expectRefusal(unlike, 2, '--unlike needs --like');
    expectRefusal(short, 2, '32');
    expectRefusal(no, 2, at('no.json'), 'JSON');
  });

  it('embed tells which picture is none, and gives the others', async () => {
    const ended = await cli('embed', file, join(served.settings.model, 'manifest.json'));
    expect(ended.code).toBe(2);
    expect(ended.stdout.trim().split('\n')).toHaveLength(1);
    expect(ended.stderr).toContain('manifest.json');
  });
});

describe('collections, reports and models', () => {
  it('collections are made, filled, shown and removed', async () => {
    expect((await cli('collections', 'create', 'shoes')).code).toBe(0);
    expect((await cli('images', 'add', file, '--collection', 'shoes')).code).toBe(0);
    const shown = parsed<Schemas['Collection']>(await cli('collections', 'show', 'shoes', '--json'));
    expect(shown).toMatchObject({ name: 'shoes', rows: 1 });
    expect((await cli('collections', 'list')).stdout).toMatch(/^default +12[\s\S]*^shoes +1 /m);
    expectRefusal(await cli('collections', 'create', 'Shoes'), 2, 'Shoes');
    expect((await cli('collections', 'remove', 'shoes')).code).toBe(0);
    expectRefusal(await cli('collections', 'show', 'shoes'), 4, 'shoes');
  });

  it('reports are made, waited for, and made anew where they are stale', async () => {
    const there = join(served.settings.folder!, 'green', '0 é.jpg');
    const made = parsed<Schemas['LabelReport']>(await cli('reports', 'labels', '--json'), 4);
    expect(made).toMatchObject({ judged: 12, stale: false });
    await cli('images', 'add', there, '--id', 'copy', '--label', 'blue');
    const duplicates = await cli('duplicates', '--min-score', '0.99');
    expect(duplicates.stdout).toMatch(/same file +green +green\/0 é\.jpg/);
    const stale = await cli('reports', 'labels', '--json');
    expect(parsed<Schemas['LabelReport']>(stale, 4).stale).toBe(true);
    const fresh = await cli('reports', 'labels', '--fresh', '--json');
    expect(parsed<Schemas['LabelReport']>(fresh)).toMatchObject({ stale: false, judged: 13 });
    expectRefusal(await cli('duplicates', '--min-score', '2'), 2, 'min_score');
    expect((await cli('images', 'remove', 'copy')).code).toBe(0);
  });

  it('a model is added, prepared, switched to, left again and removed', async () => {
    const other = await writeTinyModel(at('better'), { name: 'better', seed: 5, dimension: 40 });
    expect((await cli('model', 'add', at('better'))).stdout).toMatch(/^added: better/);
    const prepared = await cli('reindex', '--with', 'better', '--switch', 'manual');
    expect(prepared.stdout).toMatch(
      /better: 12 pictures embedded[\s\S]*ten nearest the same[\s\S]*"lookalike reindex switch"/,
    );
    expect((await cli('reindex', 'switch')).stdout).toContain('better answers now');
    const info = parsed<Schemas['Info']>(await cli('info', '--json'));
    expect(info.model.sha256).toBe(other.sha256);
    expectRefusal(await cli('model', 'remove', 'better'), 2, 'better');
    expect((await cli('reindex', 'rollback')).code).toBe(0);
    const dropped = await cli(
      'reindex',
      '--with',
      'better',
      '--missing',
      'drop',
      '--no-keep-previous',
      '--json',
    );
    expect(parsed<Schemas['Job']>(dropped).parameters).toMatchObject({
      missing: 'drop',
      keep_previous: false,
    });
    expectRefusal(await cli('reindex', 'rollback'), 4, 'no model to go back to');
    expectRefusal(await cli('reindex', '--switch', 'manual'), 2, 'needs model');
    const shown = await cli('model', 'show', other.sha256);
    expect(shown.stdout).toMatch(/^used by +default$/m);
  });

  it('an encoder is brought as a file with its record beside it, also where links lead to it', async () => {
    const cache = at('hub/onnx');
    await mkdir(cache, { recursive: true });
    await writeFile(at('blob'), foreignOnnx());
    await symlink(at('blob'), join(cache, 'model.onnx'));
    await writeFile(join(cache, 'model_int8.onnx'), 'another one, that nobody asked for');
    await writeFile(at('hub/preprocess.json'), JSON.stringify(RECORD));
    await writeFile(at('hub/weights.bin'), 'not needed');
    const added = await cli('model', 'add', join(cache, 'model.onnx'), '--name', 'theirs', '--json');
    expect(parsed<Schemas['ModelAdded']>(added).model).toMatchObject({ name: 'theirs', dimension: 24 });
    expectRefusal(await cli('model', 'add', at('hub')), 2, '2 .onnx files', 'model_int8.onnx');
    expectRefusal(await cli('model', 'add', at('blob')), 2, at('blob'), 'no .onnx file');
    expectRefusal(await cli('model', 'add', at('nowhere')), 2, at('nowhere'), 'cannot be read');
    await rm(join(cache, 'model_int8.onnx'));
    const again = await cli('model', 'add', at('hub'), '--name', 'theirs', '--json');
    expect(parsed<Schemas['ModelAdded']>(again).added).toBe(false);
    await rm(at('hub/preprocess.json'));
    expectRefusal(await cli('model', 'add', at('hub')), 2, 'nothing says how pictures are prepared');
  });

  it('jobs are filtered, and a finished one cannot be cancelled', async () => {
    const imports = parsed<Schemas['JobList']>(await cli('jobs', 'list', '--kind', 'import', '--json'));
    expect(imports.jobs.map(({ kind }) => kind)).toEqual(['import']);
    expectRefusal(await cli('jobs', 'list', '--state', 'idle'), 2, 'state must be one of');
    expectRefusal(await cli('jobs', 'cancel', imports.jobs[0]!.id), 4, 'succeeded');
  });

  it('an import is followed by its id, and what it refused is told', async () => {
    await mkdir(at('mixed'));
    await writeFile(at('mixed/good.jpg'), await picture('green', 12));
    await writeFile(at('mixed/bad.jpg'), 'no picture');
    const started = await cli('import', at('mixed'), '--no-wait');
    const id = started.stdout.trim();
    expect((await cli('jobs', 'watch', id)).code).toBe(0);
    const lines = (await cli('jobs', 'errors', id)).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { place: 'bad.jpg', code: 'unsupported_image' },
    ]);
    expectRefusal(await cli('jobs', 'errors', 'nobody'), 4, 'nobody');
  });
});

it('every command has help with an example', async () => {
  const commandsOf = (help: string) =>
    [
      ...help
        .split(/^Commands:$|^\w[\w ]*:$/m)
        .slice(1)
        .join('\n')
        .matchAll(/^ {2}([a-z]+)[ |]/gm),
    ].map(([, name]) => name!);
  const top = await runCli('--help');
  const names = [
    'serve',
    'index',
    'search',
    'embed',
    'import',
    'duplicates',
    'info',
    'reindex',
    'evaluate',
    'restore',
    'doctor',
    'bench',
  ];
  for (const name of names) expect(commandsOf(top.stdout)).toContain(name);
  const groups = {
    images: ['list', 'add', 'get', 'put', 'edit', 'remove', 'thumbnail'],
    collections: ['list', 'show', 'create', 'remove'],
    reports: ['labels'],
    jobs: ['list', 'show', 'watch', 'errors', 'cancel'],
    reindex: ['switch', 'rollback'],
    snapshot: ['create', 'list', 'download', 'remove'],
    model: ['add', 'list', 'show', 'use', 'remove'],
  };
  const paths = [
    ...names.map((name) => [name]),
    ...Object.entries(groups).flatMap(([group, verbs]) => verbs.map((verb) => [group, verb])),
  ];
  const helps = await Promise.all(paths.map((path) => runCli(...path, '--help')));
  paths.forEach((path, i) => {
    expect([path, helps[i]!.code]).toEqual([path, 0]);
    expect(helps[i]!.stdout).toMatch(/Examples?:\n +lookalike /);
  });
});
