/** The verbs that ask a service: in process on a data folder, and with --url of a running one. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type components, createClient, type Job, type Problem } from '../../client/dist/index.js';
import { picture } from '../fixtures/pictures.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { startTestServer, type TestServer } from '../http/start.js';
import { expectRefusal, runCli, startCli } from './cli-process.js';

type SearchAnswer = components['schemas']['SearchAnswer'];

/** Each verb is a process: on a busy machine a test of ten takes its time. */
vi.setConfig({ testTimeout: 180_000 });

let served: TestServer;
let remote: string[];
let home: string;
let query: string; // a picture that no collection holds
const at = (name: string) => join(home, name);
const parsed = <T>({ stdout }: { stdout: string }) => JSON.parse(stdout) as T;

beforeAll(async () => {
  home = await tempFolder();
  query = at('query.jpg');
  await writeFile(query, await picture('red', 7));
  served = await startTestServer();
  remote = ['--url', served.url];
});
afterAll(() => served.close());

describe('with --url', () => {
  it('search answers as HTTP does, as JSON and in words', async () => {
    const [json, words] = await Promise.all([
      runCli('search', query, '-k', '3', '--label', 'red', '--label', 'blue', '--json', ...remote),
      runCli('search', query, '-k', '3', ...remote),
    ]);
    const { data } = await createClient({ url: served.url }).call('post', '/v1/search', {
      query: { k: 3, label: ['red', 'blue'] },
      headers: { 'Content-Type': 'application/octet-stream' },
      body: await readFile(query),
    });
    expect(parsed<SearchAnswer>(json)).toEqual(data);
    expect([json.code, words.code]).toEqual([0, 0]);
    expect(words.stdout).toMatch(/^label +share\nred +\d/);
    expect(words.stdout.match(/ red +red\/\d é\.jpg$/gm)).toHaveLength(3);
  });

  it('refuses in the words of HTTP', async () => {
    const words = await createClient({ url: served.url })
      .call('get', '/v1/jobs', { query: { limit: 0 } })
      .then(
        () => '',
        (error: Problem) => error.message,
      );
    const [limit, id, none, file] = await Promise.all([
      runCli('jobs', 'list', '--limit', '0', ...remote),
      runCli('jobs', 'show', 'nobody', ...remote),
      runCli('search', at('nowhere.jpg'), ...remote),
      runCli('search', join(served.settings.model, 'manifest.json'), ...remote),
    ]);
    expectRefusal(limit, 2);
    expect(limit.stderr).toBe(`lookalike: ${words}\n`);
    expectRefusal(id, 4, 'there is no job "nobody"');
    expectRefusal(none, 2, at('nowhere.jpg'), 'ENOENT');
    expectRefusal(file, 2, 'JPEG, PNG, WebP');
  });

  it('nothing found ends with 4, with the answer all the same', async () => {
    const ended = await runCli('search', query, '--min-score', '1', '--json', ...remote);
    expect([ended.code, parsed<SearchAnswer>(ended).neighbours]).toEqual([4, []]);
  });

  it('reindex waits for its job, or prints the id that jobs watch waits for', async () => {
    const waited = await runCli('reindex', ...remote);
    expect([waited.code, waited.stdout]).toEqual([
      0,
      expect.stringMatching(/^index generation \d+: 12 rows/),
    ]);
    const started = await runCli('reindex', '--no-wait', ...remote);
    const id = started.stdout.trim();
    const watched = await runCli('jobs', 'watch', id, '--json', ...remote);
    expect([watched.code, parsed<Job>(watched)]).toEqual([
      0,
      expect.objectContaining({ id, state: 'succeeded' }),
    ]);
    const [shown, listed] = await Promise.all([
      runCli('jobs', 'show', id, ...remote),
      runCli('jobs', 'list', '--limit', '2', '--json', ...remote),
    ]);
    expect(shown.stdout).toContain(id);
    expect(parsed<{ jobs: Job[] }>(listed).jobs.map((job) => job.id)).toContain(id);
  });

  it('an address where nothing listens ends with 5', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const url = `http://127.0.0.1:${port}`;
    expectRefusal(await runCli('info', '--url', url), 5, url, 'does not answer', 'ECONNREFUSED');
  });

  it('Ctrl-C while a job is waited for ends with 130 and says how to see it', async () => {
    const never = createServer((_req, res) => {
      const job = { id: 'j-1', kind: 'reindex', state: 'queued', finished_at: null };
      res.writeHead(202, { 'Content-Type': 'application/json' }).end(JSON.stringify(job));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => never.once('listening', resolve));
    const url = `http://127.0.0.1:${(never.address() as AddressInfo).port}`;
    const asked = new Promise((resolve) =>
      never.on('request', (req) => req.method === 'GET' && resolve(null)),
    );
    const waiting = startCli('reindex', '--url', url);
    await asked;
    waiting.child.kill('SIGINT');
    const ended = await waiting.ended;
    expectRefusal(ended, 130, `lookalike jobs watch j-1 --url ${url}`);
    never.closeAllConnections();
    never.close();
  });
});

describe('without --url', () => {
  const folders = () => ['--data-dir', at('data'), '--model', served.settings.model];

  it('says of a data folder that a service holds to use --url, of one that is not there what to do', async () => {
    const [held, missing, both, noWait] = await Promise.all([
      runCli('info', '--data-dir', served.settings.dataDir, '--model', served.settings.model),
      runCli('info', '--data-dir', at('nowhere')),
      runCli('info', '--data-dir', at('data'), ...remote),
      runCli('reindex', '--data-dir', at('data'), '--no-wait'),
    ]);
    expectRefusal(held, 3, served.settings.dataDir, 'in use by another process', '--url');
    expectRefusal(missing, 4, at('nowhere'), '--data-dir', '--url');
    await expect(stat(at('nowhere'))).rejects.toThrow('ENOENT');
    expectRefusal(both, 2, '--url', '--data-dir');
    expectRefusal(noWait, 2, '--no-wait', '--url');
  });

  it('a snapshot is made, listed, fetched, restored and answers as before', async () => {
    const made = await runCli('snapshot', 'create', '--json', ...remote);
    const { id } = parsed<Job>(made).result as unknown as { id: string };
    const fetched = await runCli('snapshot', 'download', id, '--out', at('backup.tar'), ...remote);
    expect([made.code, fetched.code, fetched.stdout]).toEqual([0, 0, `${at('backup.tar')}\n`]);
    const restored = await runCli('restore', at('backup.tar'), '--data-dir', at('data'), '--json');
    expect(parsed(restored)).toMatchObject({ data_dir: at('data'), collections: [{ rows: 12 }], kept: null });
    const [before, after] = [
      await runCli('search', query, '--json', ...remote),
      await runCli('search', query, '--json', ...folders()),
    ];
    expect(parsed<SearchAnswer>(after).neighbours).toEqual(parsed<SearchAnswer>(before).neighbours);
  });

  it('refuses in the words of HTTP, and runs a job to its end', async () => {
    const [over, there] = [
      await runCli('search', query, '-k', '0', ...folders()),
      await runCli('search', query, '-k', '0', ...remote),
    ];
    expectRefusal(over, 2, 'k');
    // The service in the test allows a smaller k; all else is word for word the same.
    expect(over.stderr.replace(/\d+/g, '#')).toBe(there.stderr.replace(/\d+/g, '#'));
    const reindexed = await runCli('reindex', '--json', ...folders());
    expect([reindexed.code, parsed<Job>(reindexed).state]).toEqual([0, 'succeeded']);
    const info = await runCli('info', ...folders());
    expect(info.stdout).toMatch(/pictures +12, 3 labels/);
  });

  it('edits a picture, and finds it by what it is now', async () => {
    const edited = await runCli('images', 'edit', 'red/1 é.jpg', '--label', 'rose', '--json', ...folders());
    expect(parsed<{ label: string }>(edited).label).toBe('rose');
    const found = await runCli('search', 'id:red/0 é.jpg', '--label', 'rose', '--json', ...folders());
    expect(parsed<SearchAnswer>(found).neighbours.map(({ id }) => id)).toEqual(['red/1 é.jpg']);
  });
});

describe('doctor', () => {
  it('tells what works, and why the rest does not; a fault ends with 3', async () => {
    const folder = ['--data-dir', served.settings.dataDir];
    const [well, ill] = await Promise.all([
      runCli('doctor', '--json', '--model', served.settings.model, ...folder),
      runCli('doctor', '--model', at('no-model'), '--data-dir', at('nowhere')),
    ]);
    const { findings } = parsed<{ findings: { what: string; state: string; detail: string }[] }>(well);
    const of = (name: string) => findings.find(({ what }) => what === name);
    expect(well.code).toBe(0);
    expect(of('model')).toMatchObject({ state: 'ok', detail: expect.stringContaining('gives 32 numbers') });
    expect(of('database')).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('in use by a running'),
    });
    expect(of('graph')?.state).toBe('ok');
    for (const name of ['cpu', 'webgpu', 'cuda']) expect(of(`provider ${name}`)?.detail).not.toBe('');
    expect([ill.code, ill.stdout]).toEqual([3, expect.stringContaining(at('no-model'))]);
    await expect(stat(at('nowhere'))).rejects.toThrow('ENOENT');
  });
});
