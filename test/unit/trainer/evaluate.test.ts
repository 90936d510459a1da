import { describe, expect, test } from 'vitest';
import { nativeReady } from './native.js';

describe.skipIf(!nativeReady)('weighted kNN', async () => {
  if (!nativeReady) return;
  const { innerAccuracy, knnAccuracy, vote } = await import('../../../trainer/src/evaluate.js');
  const unit = (degrees: number) => [
    Math.cos((degrees * Math.PI) / 180),
    Math.sin((degrees * Math.PI) / 180),
  ];
  const at = (...degrees: number[]) => Float32Array.from(degrees.flatMap(unit));

  test('one near neighbour outweighs two far ones when the temperature is low, not when it is high', () => {
    const rows = Int32Array.of(0, 1, 2);
    const scores = Float32Array.of(0.9, 0.8, 0.8);
    const labels = ['cat', 'dog', 'dog'];
    // exp(.1 / t) against 2: the turning point is t = 0.1 / ln 2 = 0.144
    expect(vote(rows, scores, { labels, temperature: 0.14 })).toBe('cat');
    expect(vote(rows, scores, { labels, temperature: 0.15 })).toBe('dog');
  });

  test('counts the queries whose label wins', async () => {
    const known = { vectors: at(0, 10, 90, 100), labels: ['east', 'east', 'north', 'north'] };
    const queries = { vectors: at(5, 95, 40), labels: ['east', 'north', 'north'] };
    expect(await knnAccuracy(queries, known, { k: 2, temperature: 0.07 })).toBeCloseTo(2 / 3, 6);
    expect(await knnAccuracy(queries, known, { k: 200, temperature: 0.07 })).toBeCloseTo(2 / 3, 6);
  });

  test('within one set every tenth picture asks the others', async () => {
    const degrees = Array.from({ length: 20 }, (_, i) => (i < 10 ? i : 90 + i));
    const labels = degrees.map((d) => (d < 45 ? 'east' : 'north'));
    labels[0] = 'north'; // the first query lies among the east
    expect(await innerAccuracy({ vectors: at(...degrees), labels }, { k: 3, temperature: 0.07 })).toBe(0.5);
  });
});
