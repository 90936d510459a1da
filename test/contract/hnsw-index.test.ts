import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scanTopK } from '../../src/core/top-k.js';
import { canonicalScore, normaliseRows } from '../../src/core/vector.js';
import { buildHnswGraph, graphMemory } from '../../src/engines/hnsw-build.js';
import { COARSE_ERROR, likelyError, nearest, openGraph } from '../../src/engines/hnsw-graph.js';
import { createHnswIndex } from '../../src/engines/hnsw-index.js';
import { describeIndex, referee } from './index.contract.js';
import { clusteredVectors, gaussian, random, shared, unitVectors, type Vectors } from './vectors.js';

const PARAMETERS = { m: 16, efConstruction: 200 };
let folder: string;
let graphs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lookalike-hnsw-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function build(bank: Vectors): Promise<string> {
  const path = join(folder, `${graphs++}.hnsw`);
  await buildHnswGraph({ ...bank, ...PARAMETERS, path });
  return path;
}

describeIndex({
  name: 'hnsw',
  exact: false,
  runs: 0,
  open: async (bank) => createHnswIndex({ ...shared(bank), graphPath: await build(bank) }),
});

describe('hnsw index', () => {
  const bank = clusteredVectors({ rows: 5000, dimension: 64, clusters: 100, seed: 21 });

  it('finds at least 99 of 100 true neighbours with ef 200', async () => {
    const index = await createHnswIndex({ ...bank, graphPath: await build(bank) });
    const asked = 100;
    const queries = bank.vectors.slice(0, asked * bank.dimension);
    const found = await index.search(queries, asked, { k: 50, ef: 200 });
    const truth = await referee(bank).search(queries, asked, { k: 50 });
    const right = truth.map(({ rows }, i) => rows.filter((row) => found[i]!.rows.includes(row)).length);
    expect(right.reduce((sum, count) => sum + count) / (asked * 50)).toBeGreaterThanOrEqual(0.99);
    expect(found.every(({ exact }) => !exact)).toBe(true);
    await index.close();
  });

  it('widens a filtered search until k are found', async () => {
    const index = await createHnswIndex({ ...bank, graphPath: await build(bank) });
    const query = bank.vectors.slice(0, bank.dimension);
    // 500 rows of other clusters: none is among the first twenty.
    const allowed = new Set(Array.from({ length: 500 }, (_, i) => i * 10 + 5));
    const [hits] = await index.search(query, 1, { k: 10, ef: 20, allowed });
    expect(hits!.rows.length).toBe(10);
    expect(hits!.rows.every((row) => allowed.has(row))).toBe(true);
    await index.close();
  });

  it('says when a narrow filter left it short', async () => {
    const index = await createHnswIndex({ ...bank, graphPath: await build(bank) });
    const query = bank.vectors.slice(0, bank.dimension);
    const [farthest] = (await referee(bank).search(query, 1, { k: bank.rows }))[0]!.rows.slice(-1);
    const [hits] = await index.search(query, 1, { k: 1, ef: 1, allowed: new Set([farthest!]) });
    expect(hits).toMatchObject({ exact: false, rows: new Int32Array(0) });
    await index.close();
  });

  it('answers with the best of all that it found, also where its own scores cannot tell them apart', async () => {
    const [dimension, rows, k] = [48, 900, 10];
    const centre = unitVectors({ rows: 1, dimension, seed: 5 }).vectors;
    const next = gaussian(6);
    for (const spread of [1e-4, 1e-3, 1e-2, 1e-1]) {
      const noisy = Float32Array.from(
        { length: rows * dimension },
        (_, i) => centre[i % dimension]! + spread * next(),
      );
      const close = { vectors: normaliseRows(noisy, rows, dimension), rows, dimension };
      const graphPath = await build(close);
      const index = await createHnswIndex({ ...close, graphPath });
      const graph = openGraph(graphPath, close);
      for (let q = 0; q < 20; q++) {
        const query = close.vectors.slice(q * dimension, (q + 1) * dimension);
        const [found] = await index.search(query, 1, { k, ef: 400 });
        const best = scanTopK(close, query, { k, positions: nearest(graph, query, 400).rows });
        expect(found).toEqual({ ...best, exact: false });
      }
      await index.close();
    }
  });

  it('scores coarsely within the stated error, also of numbers half way between two of its own', async () => {
    const dimension = 64;
    const rows = 600;
    const next = random(9);
    // Mantissas of 1 + 2^-8 and just beside it round by the most.
    const worst = Float32Array.from(
      { length: rows * dimension },
      () =>
        (1 + 2 ** -8 * (1 + 0.01 * (next() - 0.5))) *
        2 ** -Math.floor(3 + 3 * next()) *
        (next() < 0.5 ? -1 : 1),
    );
    const bank = { vectors: normaliseRows(worst, rows, dimension), rows, dimension };
    const graph = openGraph(await build(bank), bank);
    for (let q = 0; q < 40; q++) {
      const query = bank.vectors.slice(q * dimension, (q + 1) * dimension);
      const found = nearest(graph, query, rows);
      for (const [i, row] of found.rows.entries()) {
        const score = canonicalScore(query, 0, bank.vectors, row * dimension, dimension);
        expect(Math.abs(score - found.scores[i]!)).toBeLessThanOrEqual(COARSE_ERROR);
        if (i > 0) expect(found.scores[i]!).toBeLessThanOrEqual(found.scores[i - 1]!);
      }
    }
  });

  it('says how large the error of a coarse score is likely to be', async () => {
    const graph = openGraph(await build(bank), bank);
    let [pairs, above] = [0, 0];
    for (let q = 0; q < 40; q++) {
      const query = bank.vectors.slice(q * bank.dimension, (q + 1) * bank.dimension);
      const found = nearest(graph, query, bank.rows);
      for (const [i, row] of found.rows.entries()) {
        const score = canonicalScore(query, 0, bank.vectors, row * bank.dimension, bank.dimension);
        pairs++;
        if (Math.abs(score - found.scores[i]!) > likelyError(query)) above++;
      }
    }
    expect(pairs).toBeGreaterThan(10_000);
    expect(above / pairs).toBeLessThan(1e-3);
    // One number holds all of this vector, and its error.
    const oneHot = new Float32Array(bank.dimension);
    oneHot[3] = 1;
    expect(likelyError(oneHot)).toBe(COARSE_ERROR);
  });

  it('builds the same graph from the same vectors on one thread', async () => {
    const [first, second] = [join(folder, 'first.hnsw'), join(folder, 'second.hnsw')];
    for (const path of [first, second]) await buildHnswGraph({ ...bank, ...PARAMETERS, threads: 1, path });
    expect((await readFile(first)).equals(await readFile(second))).toBe(true);
  });

  it('finds as much in a graph that several threads built', async () => {
    const path = join(folder, 'threads.hnsw');
    await buildHnswGraph({ ...bank, ...PARAMETERS, threads: 4, path });
    const index = await createHnswIndex({ ...bank, graphPath: path });
    const queries = bank.vectors.slice(0, 100 * bank.dimension);
    const found = await index.search(queries, 100, { k: 50, ef: 200 });
    const truth = await referee(bank).search(queries, 100, { k: 50 });
    const right = truth.map(({ rows }, i) => rows.filter((row) => found[i]!.rows.includes(row)).length);
    expect(right.reduce((sum, count) => sum + count) / 5000).toBeGreaterThanOrEqual(0.99);
    await index.close();
  });

  it('reaches every row, also of graphs that several threads built', async () => {
    const clusters = clusteredVectors({ rows: 2200, dimension: 32, clusters: 60, seed: 3 });
    let missedInAll = 0;
    for (let run = 0; run < 6; run++) {
      const path = join(folder, `reached-${run}.hnsw`);
      await buildHnswGraph({ ...clusters, ...PARAMETERS, threads: 4, path });
      const index = await createHnswIndex({ ...clusters, graphPath: path });
      const row = (i: number) => clusters.vectors.slice(i * 32, (i + 1) * 32);
      const found = await index.search(clusters.vectors, clusters.rows, { k: 1, ef: 200 });
      const missed = found.flatMap(({ rows }, i) => (rows[0] === i ? [] : [i]));
      // A search may stop before it comes to a row that it could reach: one as broad as the graph does not.
      missedInAll += missed.length;
      for (const i of missed) {
        const [all] = await index.search(row(i), 1, { k: 1, ef: clusters.rows });
        expect(all!.rows[0]).toBe(i);
      }
      await index.close();
    }
    // Two a graph; threads that were held up lose some at once, so single graphs differ.
    expect(missedInAll).toBeLessThanOrEqual(12);
  });

  it('builds with several threads whatever the rows of a call are', async () => {
    // 80 rows more than 200 calls of 400: the room of the first would be enough for the second.
    const many = clusteredVectors({ rows: 80_080, dimension: 4, clusters: 50, seed: 4 });
    const path = join(folder, 'many.hnsw');
    await buildHnswGraph({ ...many, m: 4, efConstruction: 8, threads: 4, path });
    expect((await stat(path)).size).toBeGreaterThan(80_080 * 4 * 2);
  });

  it('says what memory it needs, and is refused before it begins when that is not there', async () => {
    const needed = graphMemory({ ...bank, ...PARAMETERS });
    expect(needed).toBeGreaterThan((await stat(await build(bank))).size);
    const path = join(folder, 'no-room.hnsw');
    const refused = buildHnswGraph({ ...bank, ...PARAMETERS, path, available: needed - 1 });
    await expect(refused).rejects.toMatchObject({
      code: 'insufficient_memory',
      message: expect.stringMatching(/needs \d+ MiB of memory .* \d+ MiB are available/),
    });
    await expect(stat(path)).rejects.toThrow();
    await buildHnswGraph({ ...bank, ...PARAMETERS, path, available: needed });
  });

  it('reports progress to the last row', async () => {
    const steps: number[] = [];
    const path = join(folder, 'progress.hnsw');
    const onProgress = ({ done, total }: { done: number; total: number }) => {
      expect(total).toBe(bank.rows);
      steps.push(done);
    };
    await buildHnswGraph({ ...bank, ...PARAMETERS, path, onProgress });
    expect(steps.length).toBeGreaterThan(10);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(steps.at(-1)).toBe(bank.rows);
  });

  it.each([
    ['before it starts', 0],
    ['while its thread starts', 1],
    ['between its rows', 2],
  ])('leaves nothing behind when the build is aborted %s', async (_, when) => {
    const own = await mkdtemp(join(folder, 'aborted-'));
    const controller = new AbortController();
    if (when === 0) controller.abort();
    let done = 0;
    const building = buildHnswGraph({
      ...bank,
      ...PARAMETERS,
      path: join(own, 'graph.hnsw'),
      signal: controller.signal,
      onProgress: (progress) => {
        done = progress.done;
        controller.abort();
      },
    });
    if (when === 1) controller.abort();
    await expect(building).rejects.toMatchObject({ code: 'aborted' });
    expect(done).toBeLessThan(bank.rows);
    expect(await readdir(own)).toEqual([]);
  });

  it('refuses vectors that usearch would take, and a path that cannot be written', async () => {
    const broken = bank.vectors.slice().fill(Number.NaN, 70, 71);
    const path = join(folder, 'refused.hnsw');
    const refused = buildHnswGraph({ ...bank, vectors: broken, ...PARAMETERS, path });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_vector' });
    const nowhere = buildHnswGraph({
      ...bank,
      ...PARAMETERS,
      path: join(folder, 'no', 'such', 'graph.hnsw'),
    });
    await expect(nowhere).rejects.toMatchObject({ code: 'generation_invalid' });
  });

  it('refuses a file that is missing, cut off, foreign, or the graph of another bank', async () => {
    const refused = { code: 'generation_invalid' };
    const open = (graphPath: string, rows = bank.rows) => createHnswIndex({ ...bank, rows, graphPath });
    await expect(open(join(folder, 'missing.hnsw'))).rejects.toMatchObject(refused);
    const cut = await build(bank);
    // The native reader ends the process on each of these.
    for (const bytes of [(await stat(cut)).size - 1, bank.vectors.byteLength / 2 + 1000, 1000, 9, 0]) {
      await truncate(cut, bytes);
      await expect(open(cut)).rejects.toMatchObject(refused);
    }
    const foreign = join(folder, 'foreign.hnsw');
    await writeFile(foreign, 'not a graph');
    await expect(open(foreign)).rejects.toMatchObject(refused);
    await expect(open(await build(bank), 4999)).rejects.toMatchObject(refused);
    const narrow = clusteredVectors({ rows: bank.rows, dimension: 32, clusters: 10, seed: 5 });
    await expect(open(await build(narrow))).rejects.toMatchObject(refused);
  });
});
