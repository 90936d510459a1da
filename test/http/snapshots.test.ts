/** Snapshots: written while the service goes on, verified before they replace anything, and the same answers after. */
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { restoreSnapshot } from '../../src/restore.js';
import { refusal } from '../fixtures/errors.js';
import { paintedPng } from '../fixtures/painted.js';
import { picture } from '../fixtures/pictures.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { ended } from './jobs.js';
import { startTestServer, type TestServer } from './start.js';

const NOW = '2026-01-02T03:04:05.678Z';

let server: TestServer;
let tar: Buffer;
beforeAll(async () => {
  server = await startTestServer();
  const started = await fetch(`${server.url}/v1/snapshots`, { method: 'POST' });
  expect(started.status).toBe(202);
  const { result } = await ended(server.url, started.headers.get('location')!);
  const answer = await fetch(`${server.url}/v1/snapshots/${result!.id}`);
  tar = Buffer.from(await answer.arrayBuffer());
  expect(tar.length).toBe(result!.bytes);
  expect(answer.headers.get('content-length')).toBe(String(tar.length));
});
afterAll(() => server.close());

async function search(url: string) {
  const answer = await fetch(`${url}/v1/search?k=50&mode=exact`, {
    method: 'POST',
    body: new Uint8Array(await picture('red', 1)),
  });
  const { labels, neighbours } = (await answer.json()) as Record<string, unknown>;
  return { labels, neighbours };
}

/** Writes these bytes as a snapshot and tries to restore it into an empty place. */
async function restored(bytes: Buffer) {
  const home = await tempFolder();
  await writeFile(join(home, 'x.tar'), bytes);
  const dataDir = join(home, 'data');
  return {
    home,
    dataDir,
    result: restoreSnapshot(join(home, 'x.tar'), { dataDir, replace: false, now: NOW }),
  };
}

describe('a snapshot', () => {
  it('restored elsewhere gives the same answers', async () => {
    const { dataDir, result } = await restored(tar);
    expect(await result).toMatchObject({ kept: null, manifest: { collections: [{ name: 'default' }] } });
    const { model, folder } = server.settings;
    const second = await startTestServer({ dataDir, model, folder });
    try {
      expect(await search(second.url)).toEqual(await search(server.url));
      expect(second.app.service.info().bank).toEqual(server.app.service.info().bank);
    } finally {
      await second.close();
    }
  });

  it('leaves nothing but itself behind', async () => {
    const names = await readdir(server.settings.dataDir);
    expect(names.filter((name) => /snapshot/.test(name))).toEqual(['snapshots']);
    expect(
      (await readdir(join(server.settings.dataDir, 'snapshots'))).every((name) => name.endsWith('.tar')),
    ).toBe(true);
  });

  it('cut short anywhere, or with any byte changed, is refused and nothing is left', async () => {
    const places = Array.from({ length: 12 }, (_, i) => Math.floor((tar.length * (i + 0.5)) / 12));
    const damaged = places.flatMap((at) => {
      const flipped = Buffer.from(tar);
      flipped[at]! ^= 1;
      return [tar.subarray(0, at), flipped];
    });
    for (const bytes of [...damaged, Buffer.alloc(0), Buffer.from('no tar at all')]) {
      const { home, result } = await restored(bytes);
      await refusal('snapshot_invalid', () => result).catch(async (error) => {
        // A flipped bit may lie in what a tar pads its entries with: then the snapshot is whole.
        expect(bytes.length === tar.length && existsSync(join(home, 'data')), String(error)).toBe(true);
      });
      const left = (await readdir(home)).filter((name) => name !== 'x.tar');
      expect(left === undefined || left.length <= 1).toBe(true);
      expect(left.filter((name) => name.includes('restoring'))).toEqual([]);
    }
  });

  it('with names that lead out of the folder is refused', async () => {
    for (const name of ['../x', '/etc/x', 'a/../../x', '.hidden', 'a//b']) {
      const hostile = pack();
      hostile.entry({ name }, 'x');
      hostile.finalize();
      const chunks: Buffer[] = [];
      for await (const chunk of hostile) chunks.push(chunk as Buffer);
      const { home, result } = await restored(Buffer.concat(chunks));
      await refusal('snapshot_invalid', () => result);
      expect(await readdir(home)).toEqual(['x.tar']);
    }
  });
});

it('a picture that is deleted while a snapshot is written is whole in it, and its files go afterwards', async () => {
  const { url, settings } = server;
  const body = new Uint8Array(await paintedPng(7));
  const put = await fetch(`${url}/v1/images/brief`, {
    method: 'PUT',
    body,
    headers: { 'Content-Type': 'image/png' },
  });
  expect(put.status).toBe(201);
  const kept = async () =>
    (await readdir(join(settings.dataDir, 'images', 'originals'), { recursive: true })).filter(
      (name) => name.length > 60,
    );
  expect((await kept()).length).toBe(1);
  const started = await fetch(`${url}/v1/snapshots`, { method: 'POST' });
  expect((await fetch(`${url}/v1/images/brief`, { method: 'DELETE' })).status).toBe(204);
  await ended(url, started.headers.get('location')!);
  for (let i = 0; i < 100 && (await kept()).length > 0; i++) await setTimeout(20);
  expect(await kept()).toEqual([]);
});

describe('restoring over something', () => {
  it('needs to be said, and moves it aside', async () => {
    const { home, dataDir, result } = await restored(tar);
    await result;
    const marker = join(dataDir, 'marker');
    await writeFile(marker, 'mine');
    const again = (replace: boolean) => restoreSnapshot(join(home, 'x.tar'), { dataDir, replace, now: NOW });
    expect((await refusal('already_exists', () => again(false))).message).toContain('--replace');
    expect(await readFile(marker, 'utf8')).toBe('mine');
    const { kept } = await again(true);
    expect(kept).toBe(`${dataDir}.before-20260102T030405678Z`);
    expect(await readFile(join(kept!, 'marker'), 'utf8')).toBe('mine');
    expect(existsSync(marker)).toBe(false);
  });

  it('is refused while a service runs there', async () => {
    const { home } = await restored(tar);
    const { dataDir } = server.settings;
    const over = () => restoreSnapshot(join(home, 'x.tar'), { dataDir, replace: true, now: NOW });
    await refusal('data_dir_busy', over);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  });
});

it('a snapshot that is not there is not found, whatever its name', async () => {
  for (const id of ['nobody', '..%2F..%2Flookalike', '20260102T030405678Z-00000000', '%2e%2e'])
    expect((await fetch(`${server.url}/v1/snapshots/${id}`)).status).toBe(404);
});
