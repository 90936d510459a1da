import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFlatIndex } from '../../src/core/flat-index.js';
import { createFreshIndex } from '../../src/engines/fresh-index.js';
import { describeIndex, lists } from './index.contract.js';
import { unitVectors, type Vectors } from './vectors.js';

async function opened({ vectors, rows, dimension }: Vectors, here: number) {
  const index = createFreshIndex(dimension, { here });
  index.add(
    Int32Array.from({ length: rows }, (_, row) => row),
    vectors,
  );
  return index;
}

describeIndex({
  name: 'the fresh segment, scanned here',
  exact: true,
  runs: 20,
  open: (bank) => opened(bank, Number.POSITIVE_INFINITY),
});
describeIndex({
  name: 'the fresh segment, scanned by its thread',
  exact: true,
  runs: 5,
  open: (bank) => opened(bank, 0),
});

describe('the fresh segment', () => {
  const DIMENSION = 16;
  const bank = unitVectors({ rows: 400, dimension: DIMENSION, seed: 3 });
  const vector = (row: number) => bank.vectors.slice(row * DIMENSION, (row + 1) * DIMENSION);
  const query = unitVectors({ rows: 2, dimension: DIMENSION, seed: 4 }).vectors;

  it.each([0, Number.POSITIVE_INFINITY])(
    'holds what was added and not removed, whatever the order (here: %d)',
    async (here) => {
      const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 399 }), fc.boolean()), { maxLength: 200 });
      await fc.assert(
        fc.asyncProperty(steps, fc.integer({ min: 1, max: 50 }), async (all, k) => {
          const [fresh, truth] = [createFreshIndex(DIMENSION, { here }), createFlatIndex(DIMENSION)];
          const there = new Set<number>();
          for (const [row, adds] of all) {
            if (adds === there.has(row)) continue;
            for (const index of [fresh, truth])
              adds ? index.add(Int32Array.of(row), vector(row)) : index.remove(Int32Array.of(row));
            adds ? there.add(row) : there.delete(row);
          }
          expect(fresh.size).toBe(there.size);
          const odd = new Set([...there].filter((row) => row % 2 === 1));
          for (const allowed of [undefined, odd]) {
            const options = { k, ...(allowed && { allowed }) };
            expect(lists(await fresh.search(query, 2, options))).toEqual(
              lists(await truth.search(query, 2, options)),
            );
          }
          await fresh.close();
        }),
        { numRuns: here === 0 ? 3 : 30, seed: 6 },
      );
    },
  );

  it('takes rows and gives them up while its thread scans', async () => {
    const index = await opened(bank, 0);
    const asked = Array.from({ length: 20 }, () => index.search(query, 2, { k: 10 }));
    for (let row = 0; row < 400; row += 2) index.remove(Int32Array.of(row));
    index.add(Int32Array.of(1000), query.slice(0, DIMENSION));
    for (const found of await Promise.all(asked))
      for (const { rows } of found) expect(rows.every((row) => row % 2 === 1 || row === 1000)).toBe(true);
    const [after] = await index.search(query, 2, { k: 1 });
    expect(after!.rows[0]).toBe(1000);
    await index.close();
  });

  it('refuses what is no new row, and leaves the index as it was', () => {
    const index = createFreshIndex(DIMENSION);
    index.add(Int32Array.of(1), vector(1));
    const refused = { code: 'invalid_parameter', field: 'rows' };
    const add =
      (...rows: number[]) =>
      () =>
        index.add(Int32Array.from(rows), bank.vectors.slice(0, rows.length * DIMENSION));
    expect(add(1)).toThrow(expect.objectContaining(refused));
    expect(add(2, 2)).toThrow(expect.objectContaining(refused));
    expect(add(-1)).toThrow(expect.objectContaining(refused));
    expect(index.size).toBe(1);
  });
});
