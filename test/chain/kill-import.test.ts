/** An import of an archive is killed in the middle, without a goodbye: the next start goes on with what was sent. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Job } from '../../src/core/types.js';
import type { Info } from '../../src/flow/service.js';
import { tarBytes, zipBytes } from '../fixtures/archives.js';
import { openDefault } from '../fixtures/database.js';
import { paintedPng, withComment } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { type CliProcess, getJson, startCli } from './cli-process.js';
import { largeJpeg } from './large-picture.js';

const PICTURES = 200;
const PATTERNS = 10;

/** Large enough that decoding takes a while; no two files have the same bytes. One of them is no picture. */
async function manyPictures(): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = { 'p0/broken.jpg': Buffer.from('no picture') };
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    const jpeg = await largeJpeg(await paintedPng(pattern));
    for (let n = 0; n < PICTURES / PATTERNS; n++)
      files[`p${pattern}/${n}.jpg`] = withComment(jpeg, `${pattern} ${n}`);
  }
  return files;
}

const listening = async (cli: CliProcess) => (await cli.printed(/listening on (http:\/\/[^\s]+)/))[1]!;
const rowsOf = async (url: string) => (await getJson<Info>(url, '/v1/info?collection=sent')).bank.rows;

async function allIds(url: string): Promise<string[]> {
  const { images } = await getJson<{ images: { id: string }[] }>(url, '/v1/images?collection=sent&limit=500');
  return images.map(({ id }) => id).sort();
}

it.each(['tar', 'zip'])(
  'a killed import of a %s goes on with the rest, loses nothing and doubles nothing',
  { timeout: 600_000 },
  async (kind) => {
    const home = await tempFolder();
    const [data, model, uploads] = [
      join(home, 'data'),
      join(home, 'model'),
      join(home, 'data', 'imports', 'uploads'),
    ];
    await writeTinyModel(model);
    await mkdir(join(home, 'own'));
    await writeFile(join(home, 'own', 'a.png'), await paintedPng(99)); // what the service serves besides
    const files = await manyPictures();
    const ids = Object.keys(files)
      .filter((id) => !id.includes('broken'))
      .sort();
    const serve = () =>
      startCli(
        'serve',
        join(home, 'own'),
        '--data-dir',
        data,
        '--model',
        model,
        '--port',
        '0',
        '--exact-provider',
        'cpu',
      );

    const first = serve();
    const url = await listening(first);
    await fetch(`${url}/v1/collections`, {
      method: 'POST',
      body: '{"name":"sent"}',
      headers: { 'Content-Type': 'application/json' },
    });
    const entries = Object.entries(files);
    const body =
      kind === 'tar'
        ? await tarBytes(files)
        : zipBytes(entries.map(([name, content]) => ({ name, content, stored: true })));
    const answer = await fetch(`${url}/v1/imports?collection=sent`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: {
        'Content-Type': kind === 'tar' ? 'application/x-tar' : 'application/zip',
        'Idempotency-Key': 'k',
      },
    });
    expect(answer.status).toBe(202);
    const { id } = (await answer.json()) as Job;
    await expect.poll(() => rowsOf(url), { interval: 5, timeout: 240_000 }).toBeGreaterThan(0);
    first.child.kill('SIGKILL');
    await first.ended;
    expect(await readdir(uploads)).toHaveLength(1);
    const { database } = openDefault(join(data, 'lookalike.db'));
    const kept = database.store('sent').count();
    expect(database.job(id)).toMatchObject({ state: 'running' });
    database.close();
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(PICTURES);

    const second = serve();
    const again = await listening(second);
    const ended = async () => (await getJson<Job>(again, `/v1/jobs/${id}`)).state;
    await expect.poll(ended, { timeout: 300_000 }).toBe('succeeded');
    const { result, done, failures } = await getJson<Job>(again, `/v1/jobs/${id}`);
    expect(result).toMatchObject({ unchanged: kept, embedded: PICTURES - kept, refused: 1 });
    expect({ done, failures }).toEqual({ done: PICTURES + 1, failures: 1 });
    expect(await allIds(again)).toEqual(ids);
    expect(await rowsOf(again)).toBe(PICTURES);
    const report = await (await fetch(`${again}/v1/imports/${id}/errors`)).text();
    expect(
      report
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).place),
    ).toEqual(['p0/broken.jpg']);
    await expect.poll(() => readdir(uploads)).toEqual([]);
    const replayed = await fetch(`${again}/v1/imports?collection=sent`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: {
        'Content-Type': kind === 'tar' ? 'application/x-tar' : 'application/zip',
        'Idempotency-Key': 'k',
      },
    });
    expect(((await replayed.json()) as Job).id).toBe(id);
    second.child.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0 });
  },
);
