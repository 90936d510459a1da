/** Shares to probabilities: hand-computed, and what holds for every vote and mapping. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CalibrationRecord, calibrate, toProbabilities } from '../../../src/core/calibrate.js';
import { toShares } from '../../fixtures/votes.js';

function record({ threshold = 0.5, power = 2, keep = 0.9 } = {}): CalibrationRecord {
  return {
    format_version: 1,
    vote: { k: 200, temperature: 0.07 },
    samples: 100,
    labels: 3,
    reason: null,
    fit: {
      mapping: { power, keep },
      accuracy: 0.8,
      calibration_error: { bins: 10, folds: 5, before: 0.2, after: 0.02 },
      abstention: { asked_precision: 0.95, confidence: 0.99, threshold, coverage: 0.5, precision: 0.96 },
    },
    nearest_scores: null,
  };
}

const noFit: CalibrationRecord = { ...record(), fit: null, reason: '3 were tried' };
const votes = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 })
  .filter((weights) => weights.some((weight) => weight > 1e-6));
const mappings = fc.record({
  power: fc.double({ min: 1 / 16, max: 16, noNaN: true }),
  keep: fc.double({ min: 0, max: 1, noNaN: true }),
});

describe('calibrate', () => {
  it('raises the shares to the power, normalises and keeps a part back, as computed by hand', () => {
    // Squares of 0.6, 0.3, 0.1: 0.36, 0.09, 0.01, together 0.46.
    const { labels } = calibrate(toShares([6, 3, 1]), record());
    [0.324 / 0.46, 0.081 / 0.46, 0.009 / 0.46].forEach((probability, i) => {
      expect(labels[i]!.probability).toBeCloseTo(probability, 12);
    });
    expect(labels.map(({ label }) => label)).toEqual(['a', 'b', 'c']);
    expect(labels[0]!.share).toBeCloseTo(0.6, 12);
  });

  it('abstains below the threshold, not at it', () => {
    const one = [{ label: 'a', share: 1 }];
    expect(calibrate(one, record({ threshold: 0.9 })).abstained).toBe(false);
    expect(calibrate(one, record({ threshold: 0.91 })).abstained).toBe(true);
  });

  it('abstains always without a threshold, without a fit and without labels', () => {
    const base = record();
    const abstention = { ...base.fit!.abstention, threshold: null };
    const one = [{ label: 'a', share: 1 }];
    const never = calibrate(one, { ...base, fit: { ...base.fit!, abstention } });
    expect(never).toEqual({ labels: [{ label: 'a', share: 1, probability: 0.9 }], abstained: true });
    expect(calibrate(one, noFit)).toEqual({
      labels: [{ label: 'a', share: 1, probability: null }],
      abstained: true,
    });
    expect(calibrate([], record({ threshold: 0 }))).toEqual({ labels: [], abstained: true });
  });
});

describe('toProbabilities', () => {
  it('stays in 0..1, sums to what is kept, and keeps the order of the shares', () => {
    fc.assert(
      fc.property(votes, mappings, (weights, mapping) => {
        const shares = toShares(weights).map(({ share }) => share);
        const probabilities = toProbabilities(shares, mapping);
        const sum = probabilities.reduce((a, b) => a + b, 0);
        expect(sum).toBeLessThanOrEqual(1 + 1e-12);
        expect(sum).toBeCloseTo(mapping.keep, 9);
        expect(probabilities.every((one) => one >= 0 && one <= 1)).toBe(true);
        shares.forEach((share, i) => {
          shares.forEach((other, j) => {
            if (share >= other) expect(probabilities[i]).toBeGreaterThanOrEqual(probabilities[j]!);
          });
        });
      }),
    );
  });

  it('gives a label no less when its share grows at the cost of all others', () => {
    fc.assert(
      fc.property(votes, mappings, fc.double({ min: 0, max: 1, noNaN: true }), (weights, mapping, more) => {
        const before = toShares(weights).map(({ share }) => share);
        const after = before.map((share, i) => (i === 0 ? share + more * (1 - share) : share * (1 - more)));
        const [was, is] = [toProbabilities(before, mapping)[0]!, toProbabilities(after, mapping)[0]!];
        expect(is).toBeGreaterThanOrEqual(was - 1e-12);
      }),
    );
  });

  it('neither overflows nor loses every share at extreme powers and shares', () => {
    expect(toProbabilities([1e-300, 1e-301], { power: 16, keep: 1 })[0]).toBeCloseTo(1, 12);
    expect(toProbabilities([0, 0], { power: 2, keep: 1 })).toEqual([0, 0]);
    expect(toProbabilities([], { power: 2, keep: 1 })).toEqual([]);
  });
});
