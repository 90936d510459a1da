import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  activationScale,
  addToHistogram,
  BINS,
  bestRange,
  quantiseWeights,
  WEIGHT_LIMIT,
} from '../../../src/core/quantisation.js';
import { gaussian } from '../../contract/vectors.js';

const number = fc.float({ min: -1000, max: 1000, noNaN: true });

describe('activationScale', () => {
  it('has an integer for zero, and reaches both ends within a step', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        const range = { min: Math.min(a, b), max: Math.max(a, b) };
        const { scale, zeroPoint } = activationScale(range);
        expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true);
        const [lowest, highest] = [scale * (0 - zeroPoint), scale * (255 - zeroPoint)];
        expect(lowest).toBeLessThanOrEqual(Math.min(range.min, 0) + scale);
        expect(highest).toBeGreaterThanOrEqual(Math.max(range.max, 0) - scale);
      }),
    );
  });

  it('gives all 256 steps to numbers that are never negative', () => {
    const { scale, zeroPoint } = activationScale({ min: 0, max: 51 });
    expect(zeroPoint).toBe(0);
    expect(scale).toBeCloseTo(0.2);
  });
});

describe('quantiseWeights', () => {
  it('is at most half a step off, and small enough for sums of two products in 16 bits', () => {
    const next = gaussian(3);
    const weights = Float32Array.from({ length: 4 * 27 }, (_, i) => next() * (i < 27 ? 100 : 0.01));
    const { values, scales } = quantiseWeights(weights, 4);
    weights.forEach((weight, i) => {
      const scale = scales[Math.floor(i / 27)]!;
      expect(Math.abs(values[i]! * scale - weight)).toBeLessThanOrEqual(scale * 0.5001);
    });
    expect(Math.max(...values.map(Math.abs))).toBe(WEIGHT_LIMIT);
    expect(2 * 255 * WEIGHT_LIMIT).toBeLessThan(2 ** 15);
  });

  it('keeps a channel of zeros, and the scale that a bias needs', () => {
    const { values, scales } = quantiseWeights(Float32Array.of(0, 0, 1, 0), 2, (channel) => channel);
    expect([...values]).toEqual([0, 0, 1, 0]);
    expect(scales[0]).toBeGreaterThan(0);
    expect(scales[1]).toBe(1);
  });
});

describe('bestRange', () => {
  const rangeOf = (values: Float32Array) => {
    const whole = { min: 0, max: values.reduce((most, value) => Math.max(most, value), 0) };
    const bins = new Float64Array(BINS);
    addToHistogram(bins, values, whole);
    return { whole, best: bestRange(bins, whole) };
  };

  it('keeps the whole range of evenly spread numbers', () => {
    const { whole, best } = rangeOf(Float32Array.from({ length: 10_000 }, (_, i) => i / 100));
    expect(best.max).toBeGreaterThan(0.95 * whole.max);
  });

  it('cuts one far number off when that makes many others finer', () => {
    const next = gaussian(1);
    const values = Float32Array.from({ length: 400_000 }, () => Math.abs(next()));
    values[0] = 12;
    const { best } = rangeOf(values);
    expect(best.max).toBeLessThan(9);
    expect(best.max).toBeGreaterThan(3);
  });
});
