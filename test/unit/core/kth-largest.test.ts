import fc from 'fast-check';
import { expect, it } from 'vitest';
import { kthLargest } from '../../../src/core/kth-largest.js';

it('finds the k-th largest, also among equals, and looks at no more than it is told', () => {
  const values = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(values, fc.nat(), (values, any) => {
      const k = 1 + (any % values.length);
      const padded = Float64Array.from([...values, Number.POSITIVE_INFINITY]);
      const truth = values.toSorted((a, b) => b - a)[k - 1]!;
      // + 0: which of two equal zeros it is, -0 or 0, is nobody's business.
      expect(kthLargest(padded, values.length, k) + 0).toBe(truth + 0);
    }),
  );
});
