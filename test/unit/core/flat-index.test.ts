import { describe, expect, it } from 'vitest';
import { createFlatIndex } from '../../../src/core/flat-index.js';
import { createTopK } from '../../../src/core/top-k.js';
import { canonicalScore } from '../../../src/core/vector.js';
import { random, unitVectors } from '../../contract/vectors.js';

const dimension = 8;
const bank = unitVectors({ rows: 100, dimension, seed: 1 });
const row = (i: number) => bank.vectors.slice(i * dimension, (i + 1) * dimension);
const scoreOf = (i: number, query: Float32Array) =>
  canonicalScore(query, 0, bank.vectors, i * dimension, dimension);

describe('flat index', () => {
  it('gives what sorting all scores gives', async () => {
    const index = createFlatIndex(dimension);
    // Rows need not be dense or in order: row 3i + 1 holds vector i, added backwards.
    for (let i = 99; i >= 0; i--) index.add(Int32Array.of(3 * i + 1), row(i));
    const query = row(40);
    const sorted = Array.from({ length: 100 }, (_, i) => ({ row: 3 * i + 1, score: scoreOf(i, query) })).sort(
      (a, b) => b.score - a.score || a.row - b.row,
    );
    const [hits] = await index.search(query, 1, { k: 100 });
    expect([...hits!.rows]).toEqual(sorted.map(({ row }) => row));
    expect([...hits!.scores]).toEqual(sorted.map(({ score }) => score));
  });

  it('forgets removed rows, keeps the others, and takes a removed row again', async () => {
    const index = createFlatIndex(dimension);
    index.add(
      Int32Array.from({ length: 100 }, (_, i) => i),
      bank.vectors,
    );
    index.remove(Int32Array.from({ length: 50 }, (_, i) => 2 * i));
    index.remove(Int32Array.of(0, 4711)); // not there: ignored
    expect(index.size).toBe(50);
    for (const i of [1, 51, 99]) expect((await index.search(row(i), 1, { k: 1 }))[0]!.rows[0]).toBe(i);
    expect((await index.search(row(2), 1, { k: 50 }))[0]!.rows).not.toContain(2);
    index.add(Int32Array.of(2), row(2));
    expect((await index.search(row(2), 1, { k: 1 }))[0]!.rows[0]).toBe(2);
  });

  it('refuses a row twice, a negative row, or vectors that do not fit, and stays as it was', () => {
    const index = createFlatIndex(dimension);
    index.add(Int32Array.of(5), row(5));
    const two = bank.vectors.slice(0, 2 * dimension);
    expect(() => index.add(Int32Array.of(6, 5), two)).toThrow(
      expect.objectContaining({ code: 'invalid_parameter' }),
    );
    expect(() => index.add(Int32Array.of(7, 7), two)).toThrow('row 7 is already in the index');
    expect(() => index.add(Int32Array.of(-1), row(0))).toThrow('row -1 is negative');
    expect(() => index.add(Int32Array.of(8), two)).toThrow(
      expect.objectContaining({ code: 'invalid_vector' }),
    );
    expect(() => index.add(Int32Array.of(8), new Float32Array(dimension))).toThrow('unit length');
    expect(index.size).toBe(1);
  });
});

describe('top k', () => {
  it.each([1, 2, 7, 64, 500])('keeps the best %d of what a sort would, whatever the order', (k) => {
    const next = random(k);
    // Few distinct scores, so that ties are everywhere.
    const offers = Array.from({ length: 300 }, (_, row) => ({ row, score: Math.floor(next() * 20) / 32 }));
    const shuffled = offers.toSorted((a, b) => ((a.row * 7919) % 300) - ((b.row * 7919) % 300));
    const top = createTopK(k);
    for (const { row, score } of shuffled) top.offer(row, score);
    const best = offers.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, k);
    const { rows, scores } = top.take();
    expect([...rows]).toEqual(best.map(({ row }) => row));
    expect([...scores]).toEqual(best.map(({ score }) => score));
  });
});
