import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recallAt } from '../../../src/core/recall.js';

describe('recallAt', () => {
  it('is the part of the true list that was found', () => {
    expect(recallAt(4, [0.9, 0.7, 0.5, 0.4], [0.9, 0.8, 0.7, 0.6])).toBe(0.5);
    expect(recallAt(2, [0.9, 0.7], [0.9, 0.8])).toBe(0.5);
    expect(recallAt(2, [0.9, 0.8], [0.9, 0.8])).toBe(1);
    expect(recallAt(2, [], [0.9, 0.8])).toBe(0);
  });

  it('takes a row that ties with the k-th for a true one', () => {
    expect(recallAt(2, [0.9, 0.8, 0.8], [0.9, 0.8, 0.8])).toBe(1);
  });

  it('wants no more than there is, and says nothing when there is nothing', () => {
    expect(recallAt(10, [0.9, 0.8], [0.9, 0.8])).toBe(1);
    expect(recallAt(10, [], [])).toBeNull();
  });

  it('equals counting rows, where no two scores are equal', () => {
    const scores = fc.uniqueArray(fc.float({ min: -1, max: 1, noNaN: true }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        scores,
        fc.integer({ min: 1, max: 70 }),
        fc.infiniteStream(fc.boolean()),
        (all, k, kept) => {
          const truth = [...all].sort((a, b) => b - a);
          const found = truth.filter(() => kept.next().value);
          const wanted = truth.slice(0, k);
          const right = wanted.filter((score) => found.slice(0, k).includes(score)).length;
          expect(recallAt(k, found, truth)).toBe(right / wanted.length);
        },
      ),
    );
  });
});
