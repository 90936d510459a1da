import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFlatIndex } from '../../src/core/flat-index.js';
import type { Index } from '../../src/core/ports.js';
import type { Hits } from '../../src/core/types.js';
import { normaliseRows } from '../../src/core/vector.js';
import { clusteredVectors, unitVectors, type Vectors } from './vectors.js';

/**
 * What every `Index` must do, run by each implementation against the referee (`core/flat-index.ts`, which
 * reads every row). Rows are 0..n-1. An approximate index is searched with ef = n, where it must be as good.
 */
export interface IndexCase {
  name: string;
  /** True when every list must be proven; false when `exact` may be false and a filter may fall short. */
  exact: boolean;
  /** How many random banks the property test builds. */
  runs: number;
  open(bank: Vectors): Promise<Index>;
}

const DIMENSION = 32;
const numbered = (n: number) => Int32Array.from({ length: n }, (_, row) => row);

export function referee({ vectors, rows, dimension }: Vectors): Index {
  const index = createFlatIndex(dimension);
  index.add(numbered(rows), vectors);
  return index;
}

/** Rows and the scores' bits: canonical scores must be the same number, not nearly the same. */
export const lists = (hits: readonly Hits[]) =>
  hits.map(({ rows, scores }) => ({ rows: [...rows], bits: [...new Uint32Array(scores.slice().buffer)] }));

export function describeIndex({ name, exact, runs, open }: IndexCase): void {
  describe(`${name} as an Index`, () => {
    const bank = clusteredVectors({ rows: 3000, dimension: DIMENSION, clusters: 40, seed: 7 });
    // Equal vectors far apart in the bank, the second group wider than many a k.
    for (const row of [5, 1234, 2999]) copyRow(bank, 17, row);
    for (let row = 2000; row < 2030; row++) copyRow(bank, 900, row);
    const queries = unitVectors({ rows: 6, dimension: DIMENSION, seed: 8 }).vectors;
    queries.set(rowOf(bank, 17), 0);
    queries.set(rowOf(bank, 900), DIMENSION);
    const truth = referee(bank);
    const ef = bank.rows;
    let index: Index;
    beforeAll(async () => {
      index = await open(bank);
    });
    afterAll(() => index.close());

    it('says what it is', () => {
      expect(index.size).toBe(bank.rows);
      expect(index.kind).toBe(exact ? 'exact' : 'hnsw');
    });

    it('answers like the referee: the same rows in the same order with the same bits of score', async () => {
      for (const k of [1, 2, 10, 200]) {
        const hits = await index.search(queries, 6, { k, ef });
        expect(lists(hits)).toEqual(lists(await truth.search(queries, 6, { k })));
        if (exact) expect(hits.every((hit) => hit.exact)).toBe(true);
      }
    });

    it('puts equal scores in row order, also where k cuts through them', async () => {
      const [first, second] = await index.search(queries.slice(0, 2 * DIMENSION), 2, { k: 4, ef });
      expect([...first!.rows]).toEqual([5, 17, 1234, 2999]);
      expect([...second!.rows]).toEqual([900, 2000, 2001, 2002]);
    });

    it('answers a batch as it answers each query alone', async () => {
      const batch = await index.search(queries, 6, { k: 20, ef });
      for (let i = 0; i < 6; i++) {
        const one = queries.slice(i * DIMENSION, (i + 1) * DIMENSION);
        expect(lists(await index.search(one, 1, { k: 20, ef }))).toEqual(lists([batch[i]!]));
      }
      expect(await index.search(new Float32Array(0), 0, { k: 5 })).toEqual([]);
    });

    it('leaves the queries with the caller', async () => {
      const before = queries.slice();
      await index.search(queries, 6, { k: 3 });
      expect(queries).toEqual(before);
    });

    it('answers concurrent calls each with its own list', async () => {
      const alone = (i: number) => queries.slice(i * DIMENSION, (i + 1) * DIMENSION);
      const answers = await Promise.all(
        [0, 1, 2, 3, 4, 5].map((i) => index.search(alone(i), 1, { k: 7, ef })),
      );
      expect(lists(answers.flat())).toEqual(lists(await truth.search(queries, 6, { k: 7 })));
    });

    it('returns only allowed rows', async () => {
      const allowed = new Set(numbered(bank.rows).filter((row) => row % 3 === 0));
      const hits = await index.search(queries, 6, { k: 25, ef, allowed });
      expect(lists(hits)).toEqual(lists(await truth.search(queries, 6, { k: 25, allowed })));
    });

    it('ignores allowed rows that it does not hold, and answers nothing when none is allowed', async () => {
      const [hit] = await index.search(queries.slice(0, DIMENSION), 1, {
        k: 5,
        ef,
        allowed: new Set([-1, 17, 999_999]),
      });
      expect([...hit!.rows]).toEqual([17]);
      const [none] = await index.search(queries.slice(0, DIMENSION), 1, { k: 5, allowed: new Set() });
      expect(none!.rows.length).toBe(0);
    });

    it.each([0, -1, 1.5, Number.NaN])('refuses k = %d', async (k) => {
      await expect(index.search(queries, 6, { k })).rejects.toMatchObject({
        code: 'invalid_parameter',
        field: 'k',
      });
    });

    it('refuses queries that are not finite unit vectors of its dimension', async () => {
      const refused = { code: 'invalid_vector' };
      const nan = queries.slice(0, DIMENSION).fill(Number.NaN, 3, 4);
      const long = queries.slice(0, DIMENSION).map((value) => value * 1.01);
      await expect(index.search(queries.slice(1), 6, { k: 3 })).rejects.toMatchObject(refused);
      await expect(index.search(nan, 1, { k: 3 })).rejects.toMatchObject(refused);
      await expect(index.search(long, 1, { k: 3 })).rejects.toMatchObject(refused);
      await expect(index.search(new Float32Array(DIMENSION), 1, { k: 3 })).rejects.toMatchObject(refused);
    });

    it('rejects an aborted call and answers the next one', async () => {
      const refused = { code: 'aborted' };
      await expect(index.search(queries, 6, { k: 3, signal: AbortSignal.abort() })).rejects.toMatchObject(
        refused,
      );
      expect((await index.search(queries, 6, { k: 3 })).length).toBe(6);
    });

    it('returns every row when k is larger than the index', async () => {
      const small = unitVectors({ rows: 9, dimension: DIMENSION, seed: 9 });
      const index = await open(small);
      const hits = await index.search(queries, 6, { k: 50, ef: 50 });
      expect(lists(hits)).toEqual(lists(await referee(small).search(queries, 6, { k: 50 })));
      expect(hits[0]!.rows.length).toBe(9);
      await index.close();
    });

    it('answers from an empty index with empty lists', async () => {
      const index = await open({ vectors: new Float32Array(0), rows: 0, dimension: DIMENSION });
      const hits = await index.search(queries, 6, { k: 5 });
      expect(hits.map(({ rows, exact }) => [rows.length, exact])).toEqual(Array(6).fill([0, true]));
      await index.close();
      await expect(index.search(queries, 6, { k: 5 })).rejects.toMatchObject({ code: 'not_ready' });
    });

    it('may be closed twice and refuses searches afterwards', async () => {
      const index = await open(unitVectors({ rows: 9, dimension: DIMENSION, seed: 9 }));
      await index.close();
      await index.close();
      await expect(index.search(queries, 6, { k: 5 })).rejects.toMatchObject({ code: 'not_ready' });
    });

    it.runIf(exact)('finds the true list among near ties, duplicates and one-hot vectors', async () => {
      await fc.assert(
        fc.asyncProperty(adversarialBank, fc.integer({ min: 1, max: 60 }), async (hard, k) => {
          const index = await open(hard);
          try {
            const asked = hard.vectors.slice(0, 3 * hard.dimension);
            const hits = await index.search(asked, 3, { k });
            expect(lists(hits)).toEqual(lists(await referee(hard).search(asked, 3, { k })));
            expect(hits.every((hit) => hit.exact)).toBe(true);
          } finally {
            await index.close();
          }
        }),
        { numRuns: runs, seed: 11 },
      );
    });
  });
}

const rowOf = ({ vectors, dimension }: Vectors, row: number) =>
  vectors.slice(row * dimension, (row + 1) * dimension);

function copyRow(bank: Vectors, from: number, to: number): void {
  bank.vectors.set(rowOf(bank, from), to * bank.dimension);
}

/** Banks whose rows are one-hot, or one of a few directions moved by as little as the last bit. */
export const adversarialBank = fc
  .record({
    rows: fc.integer({ min: 200, max: 700 }),
    dimension: fc.constantFrom(16, 33),
    directions: fc.integer({ min: 1, max: 6 }),
    nudge: fc.constantFrom(0, 2 ** -26, 2 ** -24, 2 ** -22, 1e-4),
    oneHot: fc.boolean(),
    seed: fc.integer(),
  })
  .map(({ rows, dimension, directions, nudge, oneHot, seed }): Vectors => {
    const heads = unitVectors({ rows: directions, dimension, seed });
    const noise = unitVectors({ rows, dimension, seed: seed + 1 });
    const bank: Vectors = { vectors: new Float32Array(rows * dimension), rows, dimension };
    for (let row = 0; row < rows; row++) {
      const head = rowOf(heads, row % directions);
      if (oneHot && row % 4 === 0) head.fill(0).fill(1, row % dimension, (row % dimension) + 1);
      bank.vectors.set(
        head.map((value, i) => value + nudge * noise.vectors[row * dimension + i]!),
        row * dimension,
      );
    }
    normaliseRows(bank.vectors, rows, dimension);
    return bank;
  });
