/** Calibration error, lower bound and threshold by hand, and what a threshold promises. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseThreshold,
  expectedCalibrationError,
  type Judged,
  wilsonLowerBound,
} from '../../../src/core/reliability.js';

/** `0.9+` is an answer of probability 0.9 that is right, `0.9-` a wrong one. */
const judged = (words: string): Judged[] =>
  words.split(' ').map((word) => ({ probability: Number(word.slice(0, -1)), correct: word.at(-1) === '+' }));

const some = fc.array(
  fc.record({ probability: fc.double({ min: 0, max: 1, noNaN: true }), correct: fc.boolean() }),
  { minLength: 1, maxLength: 100 },
);

describe('expectedCalibrationError', () => {
  it('is the mean distance of probability and truth over bins of equal mass', () => {
    // Bins 0.2-, 0.4+ (mean 0.3, half right: 0.2) and 0.6+, 0.8+ (mean 0.7, all right: 0.3).
    expect(expectedCalibrationError(judged('0.8+ 0.2- 0.6+ 0.4+'), 2)).toBeCloseTo(0.25, 12);
    // One bin: mean 0.5, three of four right.
    expect(expectedCalibrationError(judged('0.8+ 0.2- 0.6+ 0.4+'), 1)).toBeCloseTo(0.25, 12);
    // A bin each: 0.2 + 0.2 + 0.4 + 0.6, over four.
    expect(expectedCalibrationError(judged('0.8+ 0.2- 0.6+ 0.4+'), 4)).toBeCloseTo(0.35, 12);
  });

  it('keeps equal probabilities in one bin, so that their order does not matter', () => {
    expect(expectedCalibrationError(judged('0.5+ 0.5+ 0.5- 0.5-'), 2)).toBe(0);
    expect(expectedCalibrationError(judged('0.5- 0.5- 0.5+ 0.5+'), 4)).toBe(0);
  });

  it('is 1 for what is surely wrong, 0 for what is surely right and for nothing', () => {
    expect(expectedCalibrationError(judged('1- 1- 1-'), 10)).toBe(1);
    expect(expectedCalibrationError(judged('1+ 0- 1+'), 10)).toBe(0);
    expect(expectedCalibrationError([], 10)).toBe(0);
  });

  it('stays in 0..1 and is at least the error of a single bin', () => {
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 20 }), (given, bins) => {
        const error = expectedCalibrationError(given, bins);
        expect(error).toBeLessThanOrEqual(1 + 1e-12);
        expect(error).toBeGreaterThanOrEqual(expectedCalibrationError(given, 1) - 1e-12);
      }),
    );
  });
});

describe('wilsonLowerBound', () => {
  it('is as computed by hand', () => {
    expect(wilsonLowerBound(10, 10, 2)).toBeCloseTo(10 / 14, 12); // all right: n / (n + z^2)
    expect(wilsonLowerBound(8, 10, 1.96)).toBeCloseTo(0.49016, 5);
    expect(wilsonLowerBound(3, 4, 0)).toBe(0.75);
    expect(wilsonLowerBound(0, 10, 2)).toBeCloseTo(0, 12);
    expect(wilsonLowerBound(0, 0, 2)).toBe(0);
  });
});

describe('chooseThreshold', () => {
  it('goes as low as the precision allows', () => {
    const given = judged('0.9+ 0.8+ 0.7- 0.6+ 0.5-');
    expect(chooseThreshold(given, { precision: 0.75, deviate: 0 })).toBe(0.6);
    expect(chooseThreshold(given, { precision: 0.8, deviate: 0 })).toBe(0.8);
    expect(chooseThreshold(given.toReversed(), { precision: 0.6, deviate: 0 })).toBe(0.5);
  });

  it('takes equal probabilities all or none', () => {
    expect(chooseThreshold(judged('0.9+ 0.9-'), { precision: 0.6, deviate: 0 })).toBeNull();
    expect(chooseThreshold(judged('0.9- 0.9+ 0.9+'), { precision: 0.6, deviate: 0 })).toBe(0.9);
  });

  it('asks for evidence: all right is not enough when they are few', () => {
    // With no error the bound is n / (n + z^2): 0.95 at z = 2 takes 76.
    const right = (n: number) => Array.from({ length: n }, () => ({ probability: 0.9, correct: true }));
    expect(chooseThreshold(right(75), { precision: 0.95, deviate: 2 })).toBeNull();
    expect(chooseThreshold(right(77), { precision: 0.95, deviate: 2 })).toBe(0.9);
    expect(chooseThreshold([], { precision: 0.5, deviate: 2 })).toBeNull();
  });

  it('keeps its promise on the answers that it was chosen by', () => {
    fc.assert(
      fc.property(some, fc.double({ min: 0.1, max: 0.9, noNaN: true }), (given, precision) => {
        const threshold = chooseThreshold(given, { precision, deviate: 1 });
        if (threshold === null) return;
        const answered = given.filter(({ probability }) => probability >= threshold);
        const right = answered.filter(({ correct }) => correct).length;
        expect(wilsonLowerBound(right, answered.length, 1)).toBeGreaterThanOrEqual(precision);
      }),
    );
  });
});
