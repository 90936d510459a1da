/** A swap of models killed again and again, without a goodbye: the old or the new model answers, whole, and it ends well. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Info, JobAnswer, SearchAnswer } from '../../src/flow/service.js';
import { paintedPng, withComment } from '../fixtures/painted.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { writeTinyModel } from '../fixtures/tiny-encoder.js';
import { getJson, readyAt, startCli } from './cli-process.js';
import { largeJpeg } from './large-picture.js';

const PICTURES = 240;
const PATTERNS = 8;

/** Large enough that decoding takes a while; no two files have the same bytes. */
async function writePictures(folder: string): Promise<void> {
  for (let pattern = 0; pattern < PATTERNS; pattern++) {
    const jpeg = await largeJpeg(await paintedPng(pattern));
    await mkdir(join(folder, `p${pattern}`), { recursive: true });
    for (let n = 0; n < PICTURES / PATTERNS; n++)
      await writeFile(join(folder, `p${pattern}`, `${n}.jpg`), withComment(jpeg, `${pattern} ${n}`));
  }
}

async function post<T>(url: string, path: string, body?: Uint8Array): Promise<T> {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    ...(body && { body: new Uint8Array(body), headers: { 'content-type': 'image/png' } }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

const infoOf = (url: string) => getJson<Info>(url, '/v1/info');
const search = async (url: string, k: number) =>
  (await post<SearchAnswer>(url, `/v1/search?mode=exact&k=${k}`, await paintedPng(1))).neighbours;

/** Waits until this is so. */
async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it('a swap that is killed at any moment leaves one model, whole, and goes on at the next start', async () => {
  const home = await tempFolder();
  const [folder, data, model] = [join(home, 'pictures'), join(home, 'data'), join(home, 'model')];
  await writeTinyModel(model);
  await writePictures(folder);
  const other = await writeTinyModel(join(home, 'other'), { name: 'other', seed: 4, dimension: 40 });
  await mkdir(join(data, 'models'), { recursive: true });
  await rename(join(home, 'other'), join(data, 'models', other.sha256));
  const serve = () =>
    startCli('serve', folder, '--data-dir', data, '--model', model, '--port', '0', '--exact-provider', 'cpu');

  let cli = serve();
  let url = await readyAt(cli);
  const before = await search(url, 20);
  const { id } = await post<JobAnswer>(url, '/v1/reindex?model=other');
  const jobOf = () => getJson<JobAnswer>(url, `/v1/jobs/${id}`);
  const seenModels = new Set<string>();
  // In the middle of the embedding, late in it, and around the switch.
  for (const moment of [
    (job: JobAnswer) => job.done >= 32,
    (job: JobAnswer) => job.done >= 160,
    ({ result }: JobAnswer) => typeof result?.generation === 'number',
  ]) {
    await until(jobOf, (job) => moment(job) || job.finished_at !== null);
    cli.child.kill('SIGKILL');
    expect((await cli.ended).signal).toBe('SIGKILL');
    cli = serve();
    const [, listening] = await cli.printed(/listening on (http:\/\/[^\s]+)/);
    url = listening!;
    const { model: answering, bank } = await infoOf(url);
    seenModels.add(answering.name);
    expect([answering.name, bank.rows, bank.unsearchable]).toEqual([answering.name, PICTURES, 0]);
    expect((await search(url, 400)).length).toBe(PICTURES);
  }
  const job = await until(jobOf, ({ finished_at }) => finished_at !== null);
  expect(job).toMatchObject({ state: 'succeeded', failures: 0, result: { switched: true } });
  expect([...seenModels].every((name) => ['tiny', 'other'].includes(name))).toBe(true);
  // No run made a vector again that was on the disk.
  expect((job.result as { embedded: number }).embedded).toBeLessThanOrEqual(PICTURES);
  expect(await infoOf(url)).toMatchObject({
    model: { name: 'other', dimension: 40 },
    bank: { rows: PICTURES, unsearchable: 0 },
  });
  expect((await search(url, 20)).map(({ score }) => score)).not.toEqual(before.map(({ score }) => score));

  const rollback = await post<JobAnswer>(url, '/v1/reindex/rollback');
  await until(
    () => getJson<JobAnswer>(url, `/v1/jobs/${rollback.id}`),
    ({ finished_at }) => finished_at !== null,
  );
  expect((await infoOf(url)).model.name).toBe('tiny');
  expect(await search(url, 20)).toEqual(before);
  cli.child.kill('SIGTERM');
  expect(await cli.ended).toMatchObject({ code: 0, signal: null });
});
