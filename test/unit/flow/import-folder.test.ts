/** A folder into the collection: what is new, changed, renamed, gone or broken, with the real parts. */
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ImportParts, importFolder } from '../../../src/flow/import-folder.js';
import { refusal } from '../../fixtures/errors.js';
import { paintedPng } from '../../fixtures/painted.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { openParts, type Parts, unwatched } from './parts.js';

let folder: string;
let parts: Parts;
beforeEach(async () => {
  const home = await tempFolder();
  folder = join(home, 'pictures');
  await mkdir(folder);
  parts = await openParts(home);
});
afterEach(() => parts.close());

const path = (name: string) => join(folder, name);
async function write(name: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path(name)), { recursive: true });
  await writeFile(path(name), bytes);
}
const paint = async (name: string, seed: number) => write(name, await paintedPng(seed));

const run = (given: { prune?: boolean; parts?: Partial<ImportParts> } = {}) =>
  importFolder({ ...parts, ...given.parts }, { folder, prune: given.prune ?? false }, unwatched());

/** The ids that a search over everything finds, sorted. */
async function found(): Promise<string[]> {
  const { hits } = await parts.collection.search(await parts.vectorOf(await paintedPng(0)), {
    k: 100,
    mode: 'auto',
  });
  expect(hits.length).toBe(parts.store.count());
  return hits.map(({ row }) => parts.store.itemByRow(row)!.id).sort();
}

/** The id that looks most like the painted picture, and how much. */
async function nearest(seed: number): Promise<[string, number]> {
  const { hits } = await parts.collection.search(await parts.vectorOf(await paintedPng(seed)), {
    k: 1,
    mode: 'auto',
  });
  return [parts.store.itemByRow(hits[0]!.row)!.id, hits[0]!.score];
}

describe('new pictures', () => {
  it('are embedded, labelled by their sub-folder and found at once', async () => {
    for (const [i, name] of ['top.png', 'cat/a.png', 'cat/b.png', 'dog/c.png'].entries())
      await paint(name, i + 1);
    expect(await run()).toMatchObject({ found: 4, embedded: 4, copied: 0, unchanged: 0, unreadable: [] });
    expect(await found()).toEqual(['cat/a.png', 'cat/b.png', 'dog/c.png', 'top.png']);
    expect(Object.fromEntries(parts.collection.labels.counts())).toEqual({ cat: 2, dog: 1 });
    expect(parts.store.itemById('cat/a.png')).toMatchObject({ label: 'cat', source: path('cat/a.png') });
    const [id, score] = await nearest(3);
    expect(id).toBe('cat/b.png');
    expect(score).toBeCloseTo(1, 6);
  });

  it('of more than one batch get the vectors that each has by itself', async () => {
    for (let seed = 0; seed < 70; seed++) await paint(`${seed}.png`, seed);
    expect(await run()).toMatchObject({ found: 70, embedded: 70 });
    for (const seed of [0, 31, 32, 69]) {
      const alone = await parts.vectorOf(await paintedPng(seed));
      const stored = parts.store.vector(parts.store.itemById(`${seed}.png`)!.row)!;
      alone.forEach((value, i) => {
        expect(stored[i]).toBeCloseTo(value, 6);
      });
    }
  });

  it('of the same bytes are two items with one vector', async () => {
    await paint('a.png', 1);
    await paint('b.png', 1);
    await run();
    await paint('later/c.png', 1);
    expect(await run()).toMatchObject({ found: 3, embedded: 0, copied: 1, unchanged: 2 });
    const rows = parts.store.itemsBySha256(parts.sha256(await paintedPng(1))).map(({ row }) => row);
    expect(rows.length).toBe(3);
    for (const row of rows) expect(parts.store.vector(row)).toEqual(parts.store.vector(rows[0]!));
    expect(await found()).toEqual(['a.png', 'b.png', 'later/c.png']);
  });
});

describe('pictures that were seen before', () => {
  beforeEach(async () => {
    for (let seed = 0; seed < 4; seed++) await paint(`cat/${seed}.png`, seed);
    await run();
  });

  it('are not embedded again, nor when only their time changed', async () => {
    expect(await run()).toMatchObject({ found: 4, embedded: 0, unchanged: 4, copied: 0 });
    await utimes(path('cat/1.png'), 1, 1);
    expect(await run()).toMatchObject({ embedded: 0, unchanged: 4, copied: 0 });
    expect(await run()).toMatchObject({ embedded: 0, unchanged: 4 });
  });

  it('are embedded again when their bytes changed, under the same id', async () => {
    await paint('cat/2.png', 50);
    expect(await run()).toMatchObject({ embedded: 1, unchanged: 3 });
    expect((await nearest(50))[0]).toBe('cat/2.png');
    expect((await nearest(2))[1]).toBeLessThan(0.999);
    expect(await found()).toEqual(['cat/0.png', 'cat/1.png', 'cat/2.png', 'cat/3.png']);
  });

  it('are recognised under another name, and take the label of their new folder', async () => {
    await mkdir(path('dog'));
    await rename(path('cat/1.png'), path('dog/one.png'));
    expect(await run()).toMatchObject({ embedded: 0, copied: 1, renamed: 1, removed: 0, missing: 0 });
    expect(await found()).toEqual(['cat/0.png', 'cat/2.png', 'cat/3.png', 'dog/one.png']);
    expect(parts.store.itemById('dog/one.png')).toMatchObject({ label: 'dog', source: path('dog/one.png') });
    expect(await run()).toMatchObject({ renamed: 0, missing: 0, unchanged: 4 });
  });

  it('stay when their file is gone, until a run with prune', async () => {
    await rm(path('cat/3.png'));
    for (let i = 0; i < 2; i++) expect(await run()).toMatchObject({ missing: 1, removed: 0 });
    expect((await found()).length).toBe(4);
    expect(await run({ prune: true })).toMatchObject({ missing: 0, removed: 1 });
    expect(await found()).toEqual(['cat/0.png', 'cat/1.png', 'cat/2.png']);
    expect(await run({ prune: true })).toMatchObject({ missing: 0, removed: 0 });
  });

  it('are pruned too when they had turned unreadable before they went', async () => {
    await write('cat/3.png', 'no picture any more');
    expect((await run()).unreadable.map((entry) => entry.path)).toEqual([path('cat/3.png')]);
    await rm(path('cat/3.png'));
    expect(await run()).toMatchObject({ missing: 1 });
    expect(await run({ prune: true })).toMatchObject({ missing: 0, removed: 1 });
    expect(await found()).toEqual(['cat/0.png', 'cat/1.png', 'cat/2.png']);
  });

  it('come back when their bytes do', async () => {
    await write('cat/3.png', 'no picture');
    await run();
    await paint('cat/3.png', 3);
    expect(await run()).toMatchObject({ unreadable: [] });
    expect((await found()).length).toBe(4);
    expect(await run()).toMatchObject({ unchanged: 4, unreadable: [] });
  });
});

describe('files that cannot be read', () => {
  it('cost one line each, every time', async () => {
    await paint('good.png', 1);
    await write('text.jpg', 'hello');
    await write('cut.png', (await paintedPng(2)).subarray(0, 100));
    await write('empty.webp', '');
    const { unreadable, embedded } = await run();
    expect(embedded).toBe(1);
    expect(unreadable.map((entry) => entry.path).sort()).toEqual(
      ['cut.png', 'empty.webp', 'text.jpg'].map(path),
    );
    expect(unreadable.find((entry) => entry.path === path('text.jpg'))!.reason).toMatch(/JPEG, PNG, WebP/);
    const again = await run();
    const paths = (files: { path: string }[]) => files.map((file) => file.path).sort();
    expect(paths(again.unreadable)).toEqual(paths(unreadable));
    await paint('cut.png', 2); // mended
    expect(await run()).toMatchObject({ embedded: 1 });
    expect(await found()).toEqual(['cut.png', 'good.png']);
  });

  it('for a moment are tried again by the next run', async () => {
    await paint('a.png', 1);
    await paint('b.png', 2);
    const failing = async (name: string) => {
      if (name.endsWith('b.png')) throw new Error('EIO: i/o error, read');
      return parts.files.read(name);
    };
    const first = await run({ parts: { files: { ...parts.files, read: failing } } });
    expect(first.unreadable).toEqual([{ path: path('b.png'), reason: 'EIO: i/o error, read' }]);
    expect(await run()).toMatchObject({ embedded: 1, unchanged: 1, unreadable: [] });
  });

  it('are refused when there is no other, with the first reason', async () => {
    await write('a.jpg', 'hello');
    await write('b.jpg', '');
    const { message } = await refusal('nothing_to_index', () => run());
    for (const part of ['none of the 2', path('a.jpg'), 'JPEG']) expect(message).toContain(part);
  });
});

it('a folder without pictures is refused by name', async () => {
  await write('readme.txt', 'x');
  expect((await refusal('nothing_to_index', () => run())).message).toContain(folder);
});

describe('paths longer than an id may be', () => {
  const long = (name: string) => join('x'.repeat(200), 'y'.repeat(200), name);

  it('are items of their own, also with the same bytes', async () => {
    await paint(long('a.png'), 1);
    await paint(long('b.png'), 1);
    await run();
    expect((await found()).length).toBe(2);
    expect(parts.collection.size).toBe(2);
  });

  it('are replaced when their bytes change', async () => {
    await paint(long('a.png'), 1);
    await run();
    await paint(long('a.png'), 2);
    expect(await run()).toMatchObject({ embedded: 1 });
    expect((await found()).length).toBe(1);
    expect(parts.collection.size).toBe(1);
    await rm(path(long('a.png')));
    await paint('other.png', 3);
    expect(await run({ prune: true })).toMatchObject({ removed: 1 });
  });
});

describe('an import that is stopped', () => {
  it('keeps what was done, and the next one does only the rest', async () => {
    for (let seed = 0; seed < 100; seed++) await paint(`${seed}.png`, seed);
    const stop = new AbortController();
    const report = ({ done = 0 }) => {
      if (done > 0) stop.abort(new Error('stopped'));
    };
    await expect(
      importFolder(parts, { folder, prune: true }, { signal: stop.signal, report }),
    ).rejects.toThrow('stopped');
    const kept = parts.store.count();
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(100);
    expect((await found()).length).toBe(kept);
    expect(await run()).toMatchObject({ embedded: 100 - kept, unchanged: kept, copied: 0 });
    expect((await found()).length).toBe(100);
  });
});

it('two folders with the same names share their ids: the one that was read last is there, whole', async () => {
  const other = join(dirname(folder), 'other');
  await mkdir(other);
  for (const seed of [1, 2]) {
    await paint(`${seed}.png`, seed);
    await writeFile(join(other, `${seed}.png`), await paintedPng(seed + 10));
  }
  const runOther = () => importFolder(parts, { folder: other, prune: false }, unwatched());
  for (let i = 0; i < 2; i++) {
    expect(await run()).toMatchObject({ embedded: 2, unchanged: 0 });
    expect((await nearest(1))[1]).toBeCloseTo(1, 6);
    expect(await run()).toMatchObject({ embedded: 0, unchanged: 2 });
    expect(await runOther()).toMatchObject({ embedded: 2, unchanged: 0 });
    expect((await nearest(11))[1]).toBeCloseTo(1, 6);
    expect(await found()).toEqual(['1.png', '2.png']);
  }
});
