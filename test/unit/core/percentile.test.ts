/** Percentiles of scores: tables by hand, and what holds for every table. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentileOf, percentileTable, tabulate } from '../../../src/core/percentile.js';

const scores = fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 300 });

describe('tabulate', () => {
  it('reads between two scores by a straight line', () => {
    const table = tabulate([0.75, 0.25])!;
    expect([table[0], table[25], table[50], table[100]]).toEqual([0.25, 0.375, 0.5, 0.75]);
  });

  it('gives the scores themselves when there are 101', () => {
    const given = Array.from({ length: 101 }, (_, i) => i / 128);
    expect(tabulate(given.toReversed())).toEqual(given);
  });

  it('has nothing to say without scores', () => {
    expect(tabulate([])).toBeNull();
  });

  it('is a table that the schema takes, whatever the scores', () => {
    fc.assert(
      fc.property(scores, (given) => {
        const table = tabulate(given)!;
        expect(percentileTable.safeParse(JSON.parse(JSON.stringify(table))).success).toBe(true);
        expect(table[0]).toBe(given.reduce((a, b) => Math.min(a, b)));
        expect(table[100]).toBe(given.reduce((a, b) => Math.max(a, b)));
      }),
    );
  });

  it('is refused by the schema when it is short or falls', () => {
    const table = tabulate([0.1, 0.9])!;
    expect(percentileTable.safeParse(table.slice(1)).success).toBe(false);
    expect(percentileTable.safeParse(table.with(50, 0.95)).success).toBe(false);
  });
});

describe('percentileOf', () => {
  it('is the share of scores that are at most this one', () => {
    const table = tabulate(Array.from({ length: 101 }, (_, i) => i / 128))!;
    expect(percentileOf(30 / 128, table)).toBe(30);
    expect(percentileOf(30.25 / 128, table)).toBe(30.25);
    expect(percentileOf(-1, table)).toBe(0);
    expect(percentileOf(100 / 128, table)).toBe(100);
    expect(percentileOf(1, table)).toBe(100);
  });

  it('counts equal scores as at most this one', () => {
    // A quarter of 0.1, half of 0.5, a quarter of 0.9.
    const given = [0.1, 0.5, 0.9].flatMap((score, i) => Array(i === 1 ? 200 : 100).fill(score) as number[]);
    const table = tabulate(given)!;
    expect(percentileOf(0.1, table)).toBe(25 - 1); // from the 25th percentile on the line to 0.5 has begun
    expect(percentileOf(0.5, table)).toBe(75 - 1);
    expect(percentileOf(0.49, table)).toBeLessThan(26);
    expect(percentileOf(0.9, table)).toBe(100);
    expect([0.2, 0.3].map((score) => percentileOf(score, tabulate([0.3, 0.3])!))).toEqual([0, 100]);
  });

  it('never falls as the score grows, and stays in 0..100', () => {
    const score = fc.double({ min: -1.1, max: 1.1, noNaN: true });
    fc.assert(
      fc.property(scores, score, score, (given, a, b) => {
        const table = tabulate(given)!;
        const [low, high] = [percentileOf(Math.min(a, b), table), percentileOf(Math.max(a, b), table)];
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(100);
        expect(low).toBeLessThanOrEqual(high);
      }),
    );
  });

  it('agrees with counting to about one score and one percent', () => {
    fc.assert(
      fc.property(scores, fc.double({ min: -1, max: 1, noNaN: true }), (given, score) => {
        const counted = (100 * given.filter((one) => one <= score).length) / given.length;
        const slack = 1 + 100 / given.length;
        expect(Math.abs(percentileOf(score, tabulate(given)!) - counted)).toBeLessThanOrEqual(slack + 1e-9);
      }),
    );
  });
});
