/** What a start does: the source into the collection once, then the index, each as a job that is recorded. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bringUp, type Source } from '../../../src/flow/bring-up.js';
import type { BankSource } from '../../../src/flow/import-bank.js';
import { jobWork } from '../../../src/flow/job-work.js';
import { createJobs } from '../../../src/flow/jobs.js';
import { unitVectors } from '../../contract/vectors.js';
import { writePictures } from '../../fixtures/pictures.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { openParts, type Parts } from './parts.js';

let home: string;
let parts: Parts;
let ids = 0;
/** A start, with `readDemo` as the shipped bank. */
const start = (source: Source, readDemo = async (): Promise<BankSource> => bank) => {
  const newId = () => `job-${++ids}`;
  const jobs = createJobs({
    store: parts.database,
    work: jobWork({ ...parts, readDemo }),
    newId,
    now: () => new Date(ids).toISOString(),
  });
  return bringUp({ ...parts, jobs, plan: async () => undefined }, source);
};
const restart = async () => {
  await parts.close();
  parts = await openParts(home);
};
const kinds = (jobs: Awaited<ReturnType<typeof start>>) => jobs.map(({ kind, state }) => `${kind} ${state}`);

beforeEach(async () => {
  home = await tempFolder();
  parts = await openParts(home);
});
afterEach(() => parts.close());

const ROWS = 700; // more than a batch
const { vectors } = unitVectors({ rows: ROWS, dimension: 32, seed: 4 });
const bank: BankSource = {
  name: 'test bank',
  vectors,
  items: Array.from({ length: ROWS }, (_, i) => ({
    id: `item ${i}`,
    sha256: i.toString(16).padStart(64, '0'),
    ...(i % 2 === 0 && { label: 'even', source: `${i}.png`, metadata: { i } }),
  })),
  resolveSource: (source) => (source === '0.png' ? null : `/pictures/${source}`),
};
const fromBank: Source = { kind: 'demo' };

describe('a start with a bank', () => {
  it('imports every item with its vector, label and source, and builds the index', async () => {
    const jobs = await start(fromBank);
    expect(kinds(jobs)).toEqual(['import succeeded', 'reindex succeeded']);
    expect(jobs[0]).toMatchObject({
      done: ROWS,
      total: ROWS,
      result: { bank: 'test bank', imported: ROWS, embedded: 0 },
    });
    expect(parts.collection.labels.counts()).toEqual(new Map([['even', ROWS / 2]]));
    expect(parts.store.itemById('item 0')).toMatchObject({ label: 'even', source: null, metadata: { i: 0 } });
    expect(parts.store.itemById('item 2')).toMatchObject({ source: '/pictures/2.png' });
    expect(parts.store.itemById('item 699')).toMatchObject({ label: null, source: null, metadata: {} });
    for (const n of [0, 499, 500, 699]) {
      const vector = vectors.slice(n * 32, (n + 1) * 32);
      const { hits, mode } = await parts.collection.search(vector, { k: 1, mode: 'hnsw' });
      expect([parts.store.itemByRow(hits[0]!.row)!.id, mode]).toEqual([`item ${n}`, 'hnsw']);
      expect(parts.store.vector(hits[0]!.row)).toEqual(vector);
    }
  });

  it('does it once: what was deleted from it stays deleted', async () => {
    await start(fromBank);
    parts.collection.remove(parts.store.remove(['item 5']));
    await restart();
    expect(kinds(await start(fromBank))).toEqual([]);
    expect([parts.collection.size, parts.store.itemById('item 5')]).toEqual([ROWS - 1, undefined]);
  });

  it('leaves a collection alone that an interrupted import of a folder has begun', async () => {
    const folder = join(home, 'pictures');
    await writePictures(folder);
    await start({ kind: 'folder', folder, prune: false });
    for (const job of parts.database.jobs(10)) parts.database.saveJob({ ...job, state: 'running' });
    const before = parts.collection.size;
    await restart();
    expect(kinds(await start(fromBank))).toEqual(['import succeeded', 'reindex succeeded']); // of the folder
    expect([parts.collection.size, parts.store.itemById('item 0')]).toEqual([before, undefined]);
  });

  it('that cannot be read is a failed job, and is tried again by the next start', async () => {
    const broken = async () => Promise.reject(new Error('no such file'));
    expect(kinds(await start(fromBank, broken))).toEqual(['import failed']);
    expect(kinds(await start(fromBank))).toEqual(['import succeeded', 'reindex succeeded']);
  });
});

describe('a start with a folder', () => {
  it('looks at the folder every time, and builds the index when it has to', async () => {
    const folder = join(home, 'pictures');
    await writePictures(folder);
    const source: Source = { kind: 'folder', folder, prune: false };
    expect(kinds(await start(source))).toEqual(['import succeeded', 'reindex succeeded']);
    await writeFile(join(folder, 'broken.jpg'), 'x');
    await restart();
    const [job, ...others] = await start(source);
    expect(job).toMatchObject({ state: 'succeeded', failures: 1, result: { embedded: 0 } });
    expect(others).toEqual([]);
  });

  it('that has nothing to index ends there', async () => {
    const source: Source = { kind: 'folder', folder: join(home, 'nowhere'), prune: false };
    expect(kinds(await start(source))).toEqual(['import failed']);
  });
});

it('a start without a source serves what is there', async () => {
  expect(await start({ kind: 'none' })).toEqual([]);
});
