import { describe, expect, test } from 'vitest';
import { learningRate } from '../../../trainer/src/schedule.js';

describe('learningRate', () => {
  test('rises to the top, then falls along a cosine to zero', () => {
    const cosine = { lr: 0.06, epochs: 25, warmup_epochs: 5, drops: [] };
    expect(learningRate(cosine, 0)).toBe(0);
    expect(learningRate(cosine, 2.5)).toBeCloseTo(0.03, 12);
    expect(learningRate(cosine, 5)).toBeCloseTo(0.06, 12);
    expect(learningRate(cosine, 10)).toBeCloseTo(0.03 * (1 + Math.SQRT1_2), 12);
    expect(learningRate(cosine, 15)).toBeCloseTo(0.03, 12);
    expect(learningRate(cosine, 25)).toBeCloseTo(0, 12);
  });

  test('falls to a tenth at each drop', () => {
    const steps = { lr: 0.03, epochs: 200, warmup_epochs: 0, drops: [120, 160] };
    expect(learningRate(steps, 119.99)).toBeCloseTo(0.03, 12);
    expect(learningRate(steps, 120)).toBeCloseTo(0.003, 12);
    expect(learningRate(steps, 199)).toBeCloseTo(0.0003, 12);
  });
});
