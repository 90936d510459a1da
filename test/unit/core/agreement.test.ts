import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreement, type Compared, type Opinion, sampleOf } from '../../../src/core/agreement.js';

const opinion = (rows: number[], given: Partial<Opinion> = {}): Opinion => ({
  rows,
  scores: rows.map(() => 0.5),
  label: null,
  ...given,
});
const compared = (given: Partial<Compared>): Compared => ({
  label: null,
  before: opinion([]),
  after: opinion([]),
  ...given,
});
const ten = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

describe('agreement', () => {
  it('is unknown where nothing can be compared', () => {
    const nothing = { overlap_at_10: null, label_changes: null, score_drift: null, knn_accuracy: null };
    expect(agreement([])).toEqual({ pictures: 0, ...nothing });
    expect(agreement([compared({})])).toEqual({ pictures: 1, ...nothing });
  });

  it('counts neighbours that both have among the first ten, in any order', () => {
    const before = opinion([...ten, 99]);
    const overlapOf = (rows: number[]) =>
      agreement([compared({ before, after: opinion(rows) })]).overlap_at_10;
    expect(overlapOf(ten.toReversed())).toBe(1);
    expect(overlapOf([99, ...ten.slice(0, 9)])).toBe(0.9); // 99 is the eleventh before
    expect(overlapOf(ten.map((row) => row + 20))).toBe(0);
    expect(overlapOf([1, 2, 30])).toBe(0.6667); // of three, in a collection of four
  });

  it('tells how scores moved, with and without their direction', () => {
    const before = opinion([1, 2], { scores: [0.9, 0.5] });
    const after = opinion([2, 3], { scores: [0.8, 0.8] });
    expect(agreement([compared({ before, after })]).score_drift).toEqual({ mean: 0.1, mean_absolute: 0.2 });
  });

  it('judges votes by the label that a picture has', () => {
    const voted = (own: string | null, before: string | null, after: string | null) =>
      compared({
        label: own,
        before: opinion([1], { label: before }),
        after: opinion([1], { label: after }),
      });
    const { label_changes, knn_accuracy } = agreement([
      voted('a', 'a', 'a'),
      voted('a', 'b', 'a'),
      voted('b', 'a', 'a'),
      voted(null, 'a', 'b'),
      voted('a', null, 'a'), // no vote before: nothing to compare
    ]);
    expect(label_changes).toEqual({ share: 0.5, of: 4 });
    expect(knn_accuracy).toEqual({ before: 0.3333, after: 0.6667, of: 3 });
  });
});

describe('the sample', () => {
  it('is of the wanted size, of different rows, and the same whatever the order', () => {
    const rows = fc.uniqueArray(fc.nat(100_000), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 100 }), (all, size) => {
        const sample = sampleOf(Int32Array.from(all), size);
        expect(new Set(sample).size).toBe(Math.min(size, all.length));
        expect(all).toEqual(expect.arrayContaining(sample));
        expect(new Set(sampleOf(Int32Array.from(all.toReversed()), size))).toEqual(new Set(sample));
      }),
    );
  });

  it('is spread over all of a large collection', () => {
    const sample = sampleOf(
      Int32Array.from({ length: 100_000 }, (_, row) => row + 1),
      500,
    );
    expect(sample.length).toBe(500);
    for (let tenth = 0; tenth < 10; tenth++) {
      const there = sample.filter((row) => Math.floor((row - 1) / 10_000) === tenth).length;
      expect(there).toBeGreaterThan(25);
      expect(there).toBeLessThan(80);
    }
  });
});
