import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fillPlanes,
  fineScore,
  padPlanes,
  planeLayout,
  planesOver,
  queryLimit,
  slackOf,
  wholeQuery,
} from '../../../src/core/planes.js';
import { canonicalScore, normaliseRows } from '../../../src/core/vector.js';
import { gaussian } from '../../contract/vectors.js';

const cases = fc.record({
  rows: fc.integer({ min: 2, max: 12 }),
  dimension: fc.constantFrom(1, 15, 16, 128, 257, 2048),
  outlier: fc.constantFrom(0, 1, 1e3, 1e9),
  seed: fc.integer(),
});

describe('planes', () => {
  it('hold every row within its errors: the canonical score lies between the bounds', () => {
    fc.assert(
      fc.property(cases, ({ rows, dimension, outlier, seed }) => {
        const vectors = normaliseRows(
          Float32Array.from({ length: rows * dimension }, gaussian(seed)).map((v, i) =>
            i % (dimension + 1) === 0 ? v + outlier : v || 1,
          ),
          rows,
          dimension,
        );
        const layout = planeLayout(rows, dimension);
        const planes = planesOver(new ArrayBuffer(layout.bytes), 0, layout);
        fillPlanes(planes, vectors, { from: 0, to: rows });
        padPlanes(planes);
        const query = vectors.slice(0, dimension);
        const numbers = new Int16Array(dimension);
        const whole = wholeQuery(query, numbers, queryLimit(dimension));
        const slack = slackOf(whole.error, Math.max(...planes.errors));
        for (let row = 0; row < rows; row++) {
          const product = (plane: Uint8Array) =>
            numbers.reduce((sum, n, i) => sum + n * plane[row * layout.stride + i]!, whole.correction);
          const [high, low] = [product(planes.high), product(planes.low)];
          expect(Math.abs(high)).toBeLessThan(2 ** 31); // what the kernels add up in
          const truth = canonicalScore(query, 0, vectors, row * dimension, dimension);
          const scales = planes.scales[row]! * whole.scale;
          expect(Math.abs(scales * high - truth)).toBeLessThanOrEqual(planes.errors[row]! + slack);
          expect(Math.abs(fineScore(high, low, scales) - truth)).toBeLessThanOrEqual(
            planes.fineErrors[row]! + slack,
          );
          // Half a step of the low plane in every component.
          expect(planes.fineErrors[row]!).toBeLessThan((Math.sqrt(dimension) / (508 * 127)) * 1.001);
        }
      }),
      { seed: 31 },
    );
  });

  it('end on a group of four with rows that no threshold lets through', () => {
    const layout = planeLayout(5, 3);
    expect(layout).toMatchObject({ stride: 16, padded: 8 });
    const planes = planesOver(new ArrayBuffer(layout.bytes), 0, layout);
    padPlanes(planes);
    expect([...planes.errors]).toEqual([0, 0, 0, 0, 0, -8, -8, -8]);
  });
});
