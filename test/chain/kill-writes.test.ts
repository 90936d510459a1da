/** Pictures are written over HTTP until the process is killed, without a goodbye: what was answered holds after the next start. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sha256Of } from '../../src/engines/files.js';
import type { ImageView, SearchAnswer } from '../../src/flow/service.js';
import { paintedPng } from '../fixtures/painted.js';
import { writePictures } from '../fixtures/pictures.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { readyAt, startCli } from './cli-process.js';

const AT_ONCE = 4;
const ROUNDS = 40;

const send = (url: string, method: string, path: string, bytes?: Buffer) =>
  fetch(new URL(path, url), {
    method,
    ...(bytes && {
      body: new Uint8Array(bytes),
      headers: { 'Content-Type': 'image/png', 'Idempotency-Key': path },
    }),
  });

async function nearest(url: string, bytes: Buffer): Promise<string[]> {
  const answer = (await (
    await send(url, 'POST', '/v1/search?k=50&min_score=0.99999', bytes)
  ).json()) as SearchAnswer;
  return answer.neighbours.map(({ id }) => id);
}

it('what was answered is found, what was deleted is not, and no file is left over', async () => {
  const home = await tempFolder();
  const [folder, data, model] = [join(home, 'pictures'), join(home, 'data'), join(home, 'model')];
  await writeTinyModel(model);
  await writePictures(folder);
  const args = ['--data-dir', data, '--model', model, '--port', '0', '--exact-provider', 'cpu'];
  const first = startCli('serve', folder, ...args);
  const url = await readyAt(first);

  const added = new Map<string, Buffer>(); // answered 201
  const deleted = new Map<string, Buffer>(); // answered 204
  const pictures = await Promise.all(
    Array.from({ length: ROUNDS * AT_ONCE }, (_, i) => paintedPng(1000 + i)),
  );
  const unsure = new Set<string>(); // sent, and never answered
  let next = 0;
  /** Adds pictures and deletes every third until the process is gone. */
  async function write(): Promise<void> {
    for (; next < pictures.length; ) {
      const bytes = pictures[next]!;
      const id = `p${next++}`;
      unsure.add(id);
      expect((await send(url, 'POST', `/v1/images?id=${id}`, bytes)).status).toBe(201);
      added.set(id, bytes);
      if (next % 3 === 0) {
        added.delete(id);
        expect((await send(url, 'DELETE', `/v1/images/${id}`)).status).toBe(204);
        deleted.set(id, bytes);
      }
      unsure.delete(id);
      if (next === pictures.length / 2) first.child.kill('SIGKILL');
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, () => write().catch(() => undefined)));
  expect((await first.ended).signal).toBe('SIGKILL');
  expect(Math.min(added.size, deleted.size)).toBeGreaterThan(5);

  const second = startCli('serve', folder, ...args);
  const again = await readyAt(second);
  for (const [id, bytes] of added) expect(await nearest(again, bytes)).toContain(id);
  for (const [id, bytes] of deleted) expect(await nearest(again, bytes)).not.toContain(id);
  for (const id of added.keys()) {
    const replayed = await send(again, 'POST', `/v1/images?id=${id}`, added.get(id)!);
    expect([replayed.status, replayed.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect((await send(again, 'GET', `/v1/images/${id}/thumbnail`)).status).toBe(200);
  }
  const list = (await (await send(again, 'GET', '/v1/images?limit=500')).json()) as { images: ImageView[] };
  const there = list.images.filter(({ id }) => /^p\d/.test(id));
  for (const { id } of there) expect(added.has(id) || unsure.has(id)).toBe(true);
  const files = await readdir(join(data, 'images', 'originals'), { recursive: true, withFileTypes: true });
  const kept = files.filter((entry) => entry.isFile()).map(({ name }) => name);
  expect(kept.sort()).toEqual(there.map(({ sha256 }) => sha256).sort());
  expect([...added.values()].every((bytes) => kept.includes(sha256Of(bytes)))).toBe(true);
  second.child.kill('SIGTERM');
  expect(await second.ended).toMatchObject({ code: 0, signal: null });
});
