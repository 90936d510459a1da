import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLabelDoubts, type JudgedRow } from '../../../src/core/label-doubts.js';
import { canonicalScore } from '../../../src/core/vector.js';
import { unitVectors } from '../../contract/vectors.js';

const DIMENSION = 8;
const { vectors } = unitVectors({ rows: 40, dimension: DIMENSION, seed: 5 });
const vectorOf = (row: number) => vectors.slice(row * DIMENSION, (row + 1) * DIMENSION);

const judged = (row: number, label: string, shares: Record<string, number>): JudgedRow => ({
  row,
  label,
  shares: Object.entries(shares).map(([label, share]) => ({ label, share })),
  vector: vectorOf(row),
  neighbours: [{ row: 99, score: 0.5 }],
});

it('are rows whose vote is lost as surely as the winning label wins its own, the surest first', () => {
  const doubts = createLabelDoubts(DIMENSION, 9);
  doubts.add(judged(1, 'cat', { cat: 0.9, dog: 0.1 }));
  doubts.add(judged(2, 'dog', { dog: 0.8, cat: 0.2 }));
  doubts.add(judged(3, 'dog', { cat: 0.95, dog: 0.05 })); // surely a cat: cats are cats by 0.9
  doubts.add(judged(4, 'dog', { cat: 0.6, dog: 0.4 })); // lost, but less surely than cats win
  doubts.add(judged(5, 'dog', { cat: 1 }));
  const found = doubts.finish();
  expect(found).toMatchObject({ judged: 5, total: 2 });
  expect(
    found.doubts.map(({ row, suggested, share, margin }) => ({ row, suggested, share, margin })),
  ).toEqual([
    { row: 5, suggested: 'cat', share: 0, margin: 1 },
    { row: 3, suggested: 'cat', share: 0.05, margin: 0.95 - 0.05 },
  ]);
  expect(found.labels.map(({ label, count, agreement }) => ({ label, count, agreement }))).toEqual([
    { label: 'dog', count: 4, agreement: 0.25 },
    { label: 'cat', count: 1, agreement: 1 },
  ]);
});

it('tell the mean cosine of all pairs of a label, null for a single row', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(39), { minLength: 1, maxLength: 12 }), (rows) => {
      const doubts = createLabelDoubts(DIMENSION, 9);
      for (const row of rows) doubts.add(judged(row, 'cat', { cat: 1 }));
      const pairs = rows.flatMap((a, i) =>
        rows
          .slice(i + 1)
          .map((b) => canonicalScore(vectors, a * DIMENSION, vectors, b * DIMENSION, DIMENSION)),
      );
      const [cat] = doubts.finish().labels;
      if (pairs.length === 0) expect(cat!.similarity).toBeNull();
      else expect(cat!.similarity).toBeCloseTo(pairs.reduce((sum, one) => sum + one, 0) / pairs.length, 5);
    }),
  );
});

it('are held in so many, and counted all', () => {
  const few = createLabelDoubts(DIMENSION, 2);
  const share = (row: number) => ((row * 7) % 40) / 40;
  for (let row = 0; row < 40; row++)
    few.add(judged(row, 'dog', { cat: 1 - share(row) / 2, dog: share(row) / 2 }));
  const { total, doubts } = few.finish();
  expect([total, doubts.map(({ row }) => row)]).toEqual([40, [0, 23]]); // 23 x 7 = 161, 1 over four times 40
});
