import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rocchio } from '../../../src/core/relevance-feedback.js';
import { canonicalScore, checkUnitRows } from '../../../src/core/vector.js';
import { unitVectors } from '../../contract/vectors.js';
import { refusal } from '../../fixtures/errors.js';

const DIMENSION = 8;
const vectorsOf = (seed: number, rows: number) => {
  const { vectors } = unitVectors({ rows, dimension: DIMENSION, seed });
  return Array.from({ length: rows }, (_, i) => vectors.slice(i * DIMENSION, (i + 1) * DIMENSION));
};
const score = (a: Float32Array, b: Float32Array) => canonicalScore(a, 0, b, 0, DIMENSION);
const x = Float32Array.of(1, 0);
const y = Float32Array.of(0, 1);

describe('a direction from examples', () => {
  it('is the mean of the positive ones less a part of the mean of the negative ones', () => {
    expect([...rocchio([x, y], [], 0.5)]).toEqual([Math.fround(Math.SQRT1_2), Math.fround(Math.SQRT1_2)]);
    const [first, second] = rocchio([x], [y, y], 0.5); // (1, -0.5) of unit length
    expect(first).toBeCloseTo(2 / Math.sqrt(5), 6);
    expect(second).toBeCloseTo(-1 / Math.sqrt(5), 6);
  });

  it('is a single example itself, and has unit length for any', () => {
    const one = vectorsOf(1, 1)[0]!;
    expect(score(rocchio([one], [], 1), one)).toBeCloseTo(1, 6);
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 9 }),
        (seed, p, n) => {
          checkUnitRows(rocchio(vectorsOf(seed, p), vectorsOf(seed + 1, n), 0.5), 1, DIMENSION);
        },
      ),
    );
  });

  it('turns away from a negative example the more, the larger beta is', () => {
    const [positive, negative] = vectorsOf(3, 2) as [Float32Array, Float32Array];
    const scores = [0, 0.25, 0.5, 1].map((beta) => score(rocchio([positive], [negative], beta), negative));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores[0]).toBeGreaterThan(scores[3]!);
  });

  it('is refused where nothing remains', async () => {
    const error = await refusal('invalid_parameter', () => rocchio([x], [x], 1));
    expect(error.field).toBe('examples');
    expect(error.message).toMatch(/cancel each other out/);
    await refusal('invalid_parameter', () => rocchio([x, Float32Array.of(-1, 0)], [], 0.5));
  });
});
