/** The first indexing is killed in the middle, without a goodbye: the next start goes on where it stopped. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Job } from '../../src/core/types.js';
import type { Info, SearchAnswer } from '../../src/flow/service.js';
import { openDefault } from '../fixtures/database.js';
import { paintedPng, withComment } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { type CliProcess, getJson, readyAt, startCli } from './cli-process.js';
import { largeJpeg } from './large-picture.js';

const PICTURES = 300;
const PATTERNS = 10;

/** `<folder>/<pattern>/<n>.jpg`: large enough that decoding takes a while; no two files have the same bytes. */
async function writePictures(folder: string): Promise<string[]> {
  const ids: string[] = [];
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    const jpeg = await largeJpeg(await paintedPng(pattern));
    await mkdir(join(folder, `p${pattern}`), { recursive: true });
    for (let n = 0; n < PICTURES / PATTERNS; n++) {
      ids.push(`p${pattern}/${n}.jpg`);
      await writeFile(join(folder, ids.at(-1)!), withComment(jpeg, `${pattern} ${n}`));
    }
  }
  return ids.sort();
}

/** Resolves once some rows are stored; fails when all are. */
async function untilSomeRows(cli: CliProcess): Promise<number> {
  const [, url] = await cli.printed(/listening on (http:\/\/[^\s]+)/);
  for (;;) {
    const { bank } = await getJson<Info>(url!, '/v1/info');
    expect(bank.rows).toBeLessThan(PICTURES);
    if (bank.rows > 0) return bank.rows;
  }
}

const jobsOf = async (url: string) => (await getJson<{ jobs: Job[] }>(url, '/v1/jobs')).jobs;

async function allIds(url: string): Promise<string[]> {
  const query = `/v1/search?k=${PICTURES * 2}&mode=exact`;
  const body = new Uint8Array(await paintedPng(1));
  const response = await fetch(new URL(query, url), {
    method: 'POST',
    body,
    headers: { 'content-type': 'image/png' },
  });
  return ((await response.json()) as SearchAnswer).neighbours.map(({ id }) => id).sort();
}

it('an indexing killed in the middle goes on with the rest, loses nothing and doubles nothing', async () => {
  const home = await tempFolder();
  const [folder, data, model] = [join(home, 'pictures'), join(home, 'data'), join(home, 'model')];
  await writeTinyModel(model);
  const ids = await writePictures(folder);
  const serve = () =>
    startCli('serve', folder, '--data-dir', data, '--model', model, '--port', '0', '--exact-provider', 'cpu');

  const first = serve();
  const seen = await untilSomeRows(first);
  first.child.kill('SIGKILL');
  expect((await first.ended).signal).toBe('SIGKILL');
  const { database, store } = openDefault(join(data, 'lookalike.db'));
  const kept = store.count();
  database.close();
  expect(kept).toBeGreaterThanOrEqual(seen);
  expect(kept).toBeLessThan(PICTURES);

  const second = serve();
  const url = await readyAt(second);
  expect(await allIds(url)).toEqual(ids);
  const [reindex, resumed, ...others] = await jobsOf(url);
  expect(others).toEqual([]); // the job that was killed is the one that was taken up again
  expect(resumed).toMatchObject({ kind: 'import', state: 'succeeded', failures: 0 });
  expect(resumed!.result).toMatchObject({
    found: PICTURES,
    embedded: PICTURES - kept,
    unchanged: kept,
    copied: 0,
  });
  expect(reindex).toMatchObject({ kind: 'reindex', state: 'succeeded', result: { rows: PICTURES } });
  second.child.kill('SIGTERM');
  expect(await second.ended).toMatchObject({ code: 0, signal: null });

  const third = serve();
  const again = await readyAt(third);
  const [latest] = await jobsOf(again);
  expect(latest).toMatchObject({ kind: 'import', result: { embedded: 0, unchanged: PICTURES } });
  expect(await getJson<Info>(again, '/v1/info')).toMatchObject({
    bank: { rows: PICTURES, labels: PATTERNS },
    index: { rows: PICTURES, fresh_rows: 0, graph_ready: true },
  });
  expect(await allIds(again)).toEqual(ids);
  third.child.kill('SIGTERM');
  expect(await third.ended).toMatchObject({ code: 0, signal: null });
});

it('a first indexing ends with exit code 0 on SIGTERM too, and the next one goes on', async () => {
  const home = await tempFolder();
  const [folder, data, model] = [join(home, 'pictures'), join(home, 'data'), join(home, 'model')];
  await writeTinyModel(model);
  await writePictures(folder);
  const args = [folder, '--data-dir', data, '--model', model, '--exact-provider', 'cpu'];
  const first = startCli('serve', ...args, '--port', '0');
  await untilSomeRows(first);
  first.child.kill('SIGTERM');
  const { code, stdout } = await first.ended;
  expect([code, stdout]).toEqual([0, '']); // it never said that it was ready
  const { stdout: json } = await startCli('index', ...args, '--json').ended;
  const [resumed] = JSON.parse(json) as Job[];
  const { embedded, unchanged } = resumed!.result as { embedded: number; unchanged: number };
  expect(unchanged).toBeGreaterThan(0);
  expect(embedded + unchanged).toBe(PICTURES);
});
