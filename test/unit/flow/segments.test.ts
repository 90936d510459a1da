/** What a searched state measures of its own graph: a real graph of little breadth against the real exact index. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFlatIndex } from '../../../src/core/flat-index.js';
import type { Generation } from '../../../src/core/ports.js';
import { createExactIndex } from '../../../src/engines/exact-index.js';
import { buildHnswGraph } from '../../../src/engines/hnsw-build.js';
import { createHnswIndex } from '../../../src/engines/hnsw-index.js';
import { createRecallWatch, type RecallEstimate } from '../../../src/flow/recall-watch.js';
import { type SegmentHits, Segments } from '../../../src/flow/segments.js';
import { shared, unitVectors } from '../../contract/vectors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

const ROWS = 3000;
const DIMENSION = 64;
const K = 10;
/** Without clusters and with the least breadth, the graph misses a good part. */
const NARROW = { k: K, ef: K, mode: 'hnsw' } as const;
const bank = shared(unitVectors({ rows: ROWS, dimension: DIMENSION, seed: 3 }));
const queries = unitVectors({ rows: 40, dimension: DIMENSION, seed: 4 }).vectors;
const query = (i: number) => queries.slice(i * DIMENSION, (i + 1) * DIMENSION);
const unstopped = new AbortController().signal;

let graphPath: string;
let segments: Segments;

/** Row numbers of the store are positions + 1000: neither may be taken for the other. */
async function openGeneration(): Promise<Generation> {
  const graph = await createHnswIndex({ ...bank, graphPath });
  const exact = await createExactIndex({ ...bank, provider: 'cpu' });
  return {
    number: 1,
    mark: 0,
    createdAt: '2026-01-01T00:00:00.000Z',
    parameters: {},
    rows: Int32Array.from({ length: ROWS }, (_, position) => position + 1000),
    graph,
    exact,
    close: async () => void (await Promise.all([graph.close(), exact.close()])),
  };
}

beforeAll(async () => {
  graphPath = join(await tempFolder(), 'graph.hnsw');
  await buildHnswGraph({ ...bank, path: graphPath, m: 6, efConstruction: 20 });
  segments = new Segments(await openGeneration(), createFlatIndex(DIMENSION));
});
afterAll(() => segments.retire());

const best = ({ hits }: SegmentHits) =>
  hits
    .toSorted((a, b) => b.score - a.score)
    .slice(0, K)
    .map(({ row }) => row);

/** The part of the true list that was found, by comparing rows: no two scores of this bank are equal. */
async function partFound(found: SegmentHits, i: number): Promise<number> {
  const truth = best(await segments.search(query(i), { k: K, mode: 'exact' }));
  return truth.filter((row) => best(found).includes(row)).length / K;
}

describe('the recall of a graph of little breadth', () => {
  it('is measured as comparing the lists by hand says', async () => {
    const parts: number[] = [];
    for (let i = 0; i < 20; i++) {
      const found = await segments.search(query(i), NARROW);
      parts.push(await partFound(found, i));
      expect(await found.rerun!(unstopped)).toBe(parts[i]);
    }
    const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
    expect(mean).toBeGreaterThan(0.1); // the case is worth its name
    expect(mean).toBeLessThan(0.95);
  });

  it('reaches the estimate of a watch: the mean over the searches', async () => {
    let now = 0;
    const watch = createRecallWatch({
      share: 1,
      random: () => 0,
      now: () => (now += 1000),
      moment: async () => {},
    });
    const estimate: RecallEstimate = watch.estimate();
    const parts: number[] = [];
    for (let i = 0; i < 10; i++) {
      const found = await segments.search(query(i), NARROW);
      estimate.offer(found.rerun!);
      parts.push(await partFound(found, i));
      while (estimate.recall().samples <= i) await new Promise((resolve) => setImmediate(resolve));
    }
    const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
    expect(estimate.recall().ratio).toBeCloseTo(mean, 12);
    await watch.close();
  });

  it('leaves rows out of both lists that were removed since', async () => {
    const found = await segments.search(query(30), NARROW);
    const truth = best(await segments.search(query(30), { k: K, mode: 'exact' }));
    const seen = best(found);
    const gone = truth.filter((_, i) => i % 2 === 0);
    segments.remove(gone);
    const left = truth.filter((row) => !gone.includes(row));
    const expected = left.filter((row) => seen.includes(row)).length / left.length;
    expect(await found.rerun!(unstopped)).toBe(expected);
  });

  it('does not count fresh rows, which are always found', async () => {
    const own = query(31);
    segments.fresh.add(Int32Array.of(90_000), own);
    const found = await segments.search(own, NARROW);
    expect(best(found)[0]).toBe(90_000);
    segments.fresh.remove(Int32Array.of(90_000));
    const without = await segments.search(own, NARROW);
    expect(await found.rerun!(unstopped)).toBe(await without.rerun!(unstopped));
  });

  it('is not measured where something else answered, or a filter did part of the work', async () => {
    expect((await segments.search(query(0), { k: K, mode: 'exact' })).rerun).toBeUndefined();
    const allowed = new Set([1000, 1001, 1002]);
    expect((await segments.search(query(0), { ...NARROW, allowed })).rerun).toBeUndefined();
    const none = new Segments(null, createFlatIndex(DIMENSION));
    expect((await none.search(query(0), { k: K, mode: 'auto' })).rerun).toBeUndefined();
  });

  it('stops when it is told to', async () => {
    const { rerun } = await segments.search(query(0), NARROW);
    await expect(rerun!(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  });

  it('keeps the state open while it measures, and measures nothing of one that is retired', async () => {
    const other = new Segments(await openGeneration(), createFlatIndex(DIMENSION));
    const { rerun } = await other.search(query(0), NARROW);
    const measuring = rerun!(unstopped);
    await other.retire();
    expect(await measuring).toEqual(expect.any(Number));
    expect(await rerun!(unstopped)).toBeNull();
    const closed = other.generation!.exact.search(query(0), 1, { k: 1 });
    await expect(closed).rejects.toMatchObject({ code: 'not_ready' });
  });
});
