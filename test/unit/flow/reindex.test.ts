/** Rebuilding the index with real graphs: searches go on, nothing that changes meanwhile is lost. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Generation } from '../../../src/core/ports.js';
import type { NewItem } from '../../../src/core/types.js';
import type { Collection } from '../../../src/flow/collection.js';
import { reindex } from '../../../src/flow/reindex.js';
import { needsRebuild } from '../../../src/flow/upkeep.js';
import { clusteredVectors } from '../../contract/vectors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';
import { openParts, type Parts, unwatched } from './parts.js';

const ROWS = 2200; // more than a page
const DIMENSION = 32;
const { vectors } = clusteredVectors({ rows: ROWS + 50, dimension: DIMENSION, clusters: 60, seed: 3 });
const vector = (n: number) => vectors.slice(n * DIMENSION, (n + 1) * DIMENSION);

let home: string;
let parts: Parts;

function put(from: number, to: number): void {
  const items: NewItem[] = Array.from({ length: to - from }, (_, i) => ({
    id: `${from + i}`,
    label: null,
    sha256: 'cd'.repeat(32),
    source: null,
    metadata: {},
    vector: vector(from + i),
  }));
  const { rows, replaced } = parts.store.put(items);
  parts.collection.add(
    rows,
    items.map((item) => item.vector),
    items.map(() => null),
  );
  parts.collection.remove(replaced);
}
const remove = (...ids: string[]) => parts.collection.remove(parts.store.remove(ids));

/** The id nearest to vector n. */
async function nearest(n: number): Promise<string | undefined> {
  const { hits } = await parts.collection.search(vector(n), { k: 1, mode: 'auto' });
  return parts.store.itemByRow(hits[0]!.row)?.id;
}
const folders = async () =>
  existsSync(join(home, 'data', 'generations', '1'))
    ? (await readdir(join(home, 'data', 'generations', '1'))).sort()
    : [];

beforeEach(async () => {
  home = await tempFolder();
  parts = await openParts(home);
  put(0, ROWS);
});
afterEach(() => parts.close());

describe('reindex', () => {
  it('builds the graph, empties the fresh rows and is loaded by the next start', async () => {
    expect(await reindex(parts, unwatched())).toEqual({ generation: 1, rows: ROWS });
    expect([parts.collection.freshRows, parts.collection.size]).toEqual([0, ROWS]);
    const { mode } = await parts.collection.search(vector(5), { k: 1, mode: 'auto' });
    expect([mode, await nearest(5)]).toEqual(['hnsw', '5']);
    put(ROWS, ROWS + 10);
    remove('7');
    await parts.close();
    parts = await openParts(home);
    expect(parts.collection.generation?.number).toBe(1);
    const { size, freshRows, removedRows } = parts.collection;
    expect([size, freshRows, removedRows]).toEqual([ROWS + 9, 10, 1]);
    expect(await nearest(ROWS + 5)).toBe(`${ROWS + 5}`);
    expect(await nearest(7)).not.toBe('7');
  });

  it('states the memory of the graph, and answers exactly where it is not there', async () => {
    await parts.close();
    parts = await openParts(home, { available: () => 1000 });
    const said: unknown[] = [];
    const progress = { ...unwatched(), report: (update: { result?: unknown }) => said.push(update.result) };
    const result = await reindex(parts, progress);
    expect(said).toContainEqual({ graph_memory_bytes: parts.generations.graphMemory(ROWS) });
    expect(result).toMatchObject({
      generation: 1,
      rows: ROWS,
      graph_refused: expect.stringMatching(/needs \d+ MiB/),
    });
    expect([parts.collection.freshRows, needsRebuild(parts.collection)]).toEqual([0, false]);
    expect((await parts.collection.search(vector(5), { k: 1, mode: 'auto' })).mode).toBe('exact');
    expect(await nearest(5)).toBe('5');
    const graph = parts.collection.search(vector(5), { k: 1, mode: 'hnsw' });
    await expect(graph).rejects.toMatchObject({ code: 'not_ready', field: 'mode' });
    await parts.close();
    parts = await openParts(home); // with enough of it
    expect(parts.collection.generation).toMatchObject({ number: 1, graph: null });
    expect(await reindex(parts, unwatched())).toEqual({ generation: 2, rows: ROWS });
    expect(parts.collection.generation!.graph).not.toBeNull();
  });

  it('gives many new rows an exact index before their graph is built', async () => {
    const adopted: boolean[] = [];
    const collection: Collection = Object.create(parts.collection, {
      adopt: {
        value: (next: Generation) => {
          adopted.push(next.graph !== null);
          return parts.collection.adopt(next);
        },
      },
    });
    const result = await reindex({ ...parts, collection, manyFresh: ROWS - 1 }, unwatched());
    expect([adopted, result]).toEqual([[false, true], { generation: 2, rows: ROWS }]);
    expect(await nearest(5)).toBe('5');
  });

  it('answers searches the whole time, right ones', async () => {
    await reindex(parts, unwatched());
    let building = true;
    const rebuilt = reindex(parts, unwatched()).finally(() => {
      building = false;
    });
    let during = 0;
    for (; building; during++) expect(await nearest(during % ROWS)).toBe(`${during % ROWS}`);
    await rebuilt;
    expect(during).toBeGreaterThan(3);
    expect(parts.collection.generation?.number).toBe(2);
    expect(await nearest(1)).toBe('1');
  });

  it('lets searches end that began before the switch', async () => {
    await reindex(parts, unwatched());
    const old = parts.collection.generation!;
    const running = Array.from({ length: 50 }, (_, n) => nearest(n));
    await parts.collection.adopt(await parts.generations.build(readAll(), { graph: true }));
    expect(await Promise.all(running)).toEqual(running.map((_, n) => `${n}`));
    await expect(old.graph!.search(vector(0), 1, { k: 1 })).rejects.toThrow(/closed/);
  });

  it('keeps what is added, replaced and removed while it reads the bank', async () => {
    let turns = 0;
    const yieldToRequests = async () => {
      if (++turns > 1) return;
      put(ROWS, ROWS + 20);
      put(3, 4); // the same id under a new row
      remove('5', '2199', `${ROWS + 1}`);
    };
    await reindex({ ...parts, yieldToRequests }, unwatched());
    expect(turns).toBeGreaterThan(1); // it came between two pages
    expect(parts.collection.size).toBe(parts.store.count());
    for (const n of [ROWS, ROWS + 19, 3, 4]) expect(await nearest(n)).toBe(`${n}`);
    const { hits } = await parts.collection.search(vector(5), { k: 10_000, mode: 'exact' });
    const ids = hits.map(({ row }) => parts.store.itemByRow(row)?.id);
    expect(ids.length).toBe(ROWS + 17);
    expect(new Set(ids).size).toBe(ROWS + 17);
    for (const gone of ['5', '2199', `${ROWS + 1}`, undefined]) expect(ids).not.toContain(gone);
  });

  it('that is stopped leaves the old index and no files', async () => {
    await reindex(parts, unwatched());
    const stop = new AbortController();
    const report = ({ done = 0 }) => {
      if (done > 0) stop.abort(new Error('stopped'));
    };
    await expect(reindex(parts, { signal: stop.signal, report })).rejects.toThrow();
    expect(parts.collection.generation?.number).toBe(1);
    expect(await folders()).toEqual(['1']);
    expect(await nearest(9)).toBe('9');
  });

  it('keeps the newest generation and the one before it', async () => {
    for (let i = 0; i < 3; i++) await reindex(parts, unwatched());
    expect(await folders()).toEqual(['2', '3']);
  });
});

/** What a generation is built from, read in one go. */
function readAll() {
  const stored = parts.store.vectorsInIdOrder(null, 10_000);
  const all = new Float32Array(new SharedArrayBuffer(stored.length * DIMENSION * 4));
  stored.forEach((one, i) => {
    all.set(one.vector, i * DIMENSION);
  });
  return { mark: parts.store.highWaterMark(), rows: Int32Array.from(stored, ({ row }) => row), vectors: all };
}

describe('needsRebuild', () => {
  const state = (rows: number | null, freshRows: number, removedRows = 0) =>
    needsRebuild({
      generation: rows === null ? null : { rows: { length: rows } },
      freshRows,
      removedRows,
    } as Collection);

  it('is said of rows without any generation, and of many fresh or removed ones', () => {
    expect([state(null, 0), state(null, 1)]).toEqual([false, true]);
    expect([state(100, 1000), state(100, 1001), state(100, 0, 1001)]).toEqual([false, true, true]);
    expect([state(50_000, 5000), state(50_000, 5001)]).toEqual([false, true]);
  });
});
