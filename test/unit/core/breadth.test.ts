import { describe, expect, it } from 'vitest';
import { breadthFor, candidates, corrected } from '../../../src/core/breadth.js';

const TUNED = [
  { k: 10, ef: 20 },
  { k: 200, ef: 240 },
];

describe('the breadth of a search', () => {
  it.each([
    [1, 20],
    [10, 20],
    [105, 130],
    [200, 240],
    [1000, 1200],
  ])('for lists of %d is %d', (k, ef) => {
    expect(breadthFor(k, TUNED, 1)).toBe(ef);
  });

  it('is never below k, and wide before it was tuned', () => {
    expect(breadthFor(500, [{ k: 10, ef: 5 }], 1)).toBe(500);
    expect(breadthFor(10, [], 1)).toBe(200);
    expect(breadthFor(300, [], 1)).toBe(300);
  });

  it('grows by the factor that the live recall asks for', () => {
    expect(breadthFor(200, TUNED, 1.25)).toBe(300);
  });
});

describe('the breadths that are tried', () => {
  it('rise from k on, each once, none above the rows', () => {
    const tried = candidates(200, 900);
    expect(tried[0]).toBe(200);
    expect(tried).toEqual([...new Set(tried)].toSorted((a, b) => a - b));
    expect(tried.at(-1)).toBe(900);
    expect(candidates(5, 3)).toEqual([3]);
  });
});

describe('the correction by the live recall', () => {
  it.each([
    ['too few samples', 1, { ratio: 0.5, samples: 49 }, 1],
    ['no sample', 1, { ratio: null, samples: 0 }, 1],
    ['the target missed', 1, { ratio: 0.98, samples: 50 }, 1.25],
    ['the target missed at the widest', 4, { ratio: 0.5, samples: 200 }, 4],
    ['the target reached', 1.25, { ratio: 0.992, samples: 200 }, 1.25],
    ['more than enough, but few samples', 1.25, { ratio: 1, samples: 100 }, 1.25],
    ['more than enough', 1.21, { ratio: 0.999, samples: 200 }, 1.1],
    ['more than enough as it was tuned', 1, { ratio: 1, samples: 200 }, 1],
  ])('with %s', (_, boost, seen, expected) => {
    expect(corrected(boost, seen, 0.99)).toBeCloseTo(expected, 10);
  });
});
