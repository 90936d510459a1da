import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createExactIndex } from '../../src/engines/exact-index.js';
import { openExactSession } from '../../src/engines/exact-session.js';
import { adversarialBank, describeIndex, lists, referee } from './index.contract.js';
import { clusteredVectors, shared, unitVectors } from './vectors.js';

describeIndex({
  name: 'exact on the CPU',
  exact: true,
  runs: 8,
  open: (bank) => createExactIndex({ ...shared(bank), provider: 'cpu' }),
});

describe('with the vectors in a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lookalike-exact-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  describeIndex({
    name: 'exact on the CPU',
    exact: true,
    runs: 8,
    async open({ vectors, rows, dimension }) {
      const path = join(folder, `${Math.random()}.f32`);
      await writeFile(path, vectors);
      return createExactIndex({ path, rows, dimension, provider: 'cpu' });
    },
  });
});

describe('exact index', () => {
  const dimension = 16;

  it('gives the same lists with several threads, alone, as a batch and behind a filter', async () => {
    // Enough rows that helpers are worth it, not a multiple of their blocks; equal rows in many blocks.
    const bank = clusteredVectors({ rows: 50_001, dimension, clusters: 300, seed: 6 });
    for (let row = 1; row < 50_001; row += 97) bank.vectors.copyWithin(row * dimension, 0, dimension);
    const index = await createExactIndex({ ...shared(bank), provider: 'cpu', threads: 3 });
    const queries = bank.vectors.slice(0, 12 * dimension);
    const allowed = new Set(Array.from({ length: 40_000 }, (_, i) => 50_000 - i));
    for (const options of [{ k: 1 }, { k: 700 }, { k: 200, allowed }]) {
      const truth = lists(await referee(bank).search(queries, 12, options));
      for (let round = 0; round < 3; round++)
        expect(lists(await index.search(queries, 12, options))).toEqual(truth);
      expect(lists(await index.search(queries.slice(0, dimension), 1, options))).toEqual(truth.slice(0, 1));
    }
    await index.close();
  });

  it('proves its list where more rows tie than any first fetch holds', async () => {
    const bank = unitVectors({ rows: 12_000, dimension, seed: 3 });
    // 9,000 equal rows: no finite margin can prove a list that cuts through them.
    for (let row = 3000; row < 12_000; row++) bank.vectors.copyWithin(row * dimension, 0, dimension);
    const index = await createExactIndex({ ...bank, provider: 'cpu' });
    const query = bank.vectors.slice(0, dimension);
    const hits = await index.search(query, 1, { k: 10 });
    expect(lists(hits)).toEqual(lists(await referee(bank).search(query, 1, { k: 10 })));
    expect([...hits[0]!.rows]).toEqual([0, 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, 3008]);
    expect(hits[0]!.exact).toBe(true);
    await index.close();
  });

  it('proves every list of its session, in one graph or several, mostly without a scan', async () => {
    // The session alone, without its thread: hundreds of hard banks in the time of a few threads.
    let asked = 0;
    let scanned = 0;
    const kOf = fc.integer({ min: 1, max: 60 });
    const shardsOf = fc.integer({ min: 1, max: 4 });
    await fc.assert(
      fc.asyncProperty(adversarialBank, kOf, shardsOf, async (bank, k, shards) => {
        const shardBytes = Math.ceil(bank.rows / shards) * bank.dimension * 4;
        const session = await openExactSession(bank, { provider: 'cpu', intraOpThreads: 1, shardBytes });
        expect(session.shards).toBe(shards);
        const queries = bank.vectors.slice(0, 3 * bank.dimension);
        const hits = await session.search(queries, 3, k);
        expect(lists(hits)).toEqual(lists(await referee(bank).search(queries, 3, { k })));
        asked += 3;
        scanned += session.scanned;
        await session.close();
      }),
      { numRuns: 200, seed: 12 },
    );
    expect(scanned).toBeGreaterThan(0); // the banks are hard enough to need it
    expect(scanned).toBeLessThan(asked); // and the proof does hold for others
  });

  it('refuses a bank that is too large for the CPU, and says what would fit', async () => {
    // The size is refused before a vector is read, so none are needed.
    const rows = 20_000_000;
    const opening = createExactIndex({ vectors: new Float32Array(0), rows, dimension: 128, provider: 'cpu' });
    await expect(opening).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(new RegExp(`at most .*\\d+ vectors of 128 dimensions .* got ${rows}`)),
    });
  });

  it('refuses a provider that is not there with a reason', async () => {
    const bank = unitVectors({ rows: 300, dimension, seed: 4 });
    const nowhere = createExactIndex({ ...bank, provider: 'none' as 'cpu' });
    await expect(nowhere).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('none does not start'),
    });
  });

  it('lets a call be aborted while another is at work', async () => {
    const bank = unitVectors({ rows: 20_000, dimension, seed: 5 });
    const index = await createExactIndex({ ...bank, provider: 'cpu' });
    const query = bank.vectors.slice(0, dimension);
    const controller = new AbortController();
    const first = index.search(query, 1, { k: 10 });
    const second = index.search(query, 1, { k: 10, signal: controller.signal });
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'aborted' });
    expect((await first)[0]!.rows[0]).toBe(0);
    await index.close();
  });
});
