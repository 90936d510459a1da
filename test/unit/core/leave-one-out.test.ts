import { expect, it } from 'vitest';
import { NEAR_DUPLICATE, othersVote } from '../../../src/core/leave-one-out.js';

const labels = new Map([
  [1, 'cat'],
  [2, 'dog'],
  [3, 'cat'],
  [4, 'dog'],
]);
const labelOf = (row: number) => labels.get(row) ?? null;
const vote = { k: 2, temperature: 0.07 };

it('leaves near-duplicates out, and counts the nearest of the rest whether labelled or not', () => {
  const found = [
    { row: 4, score: NEAR_DUPLICATE },
    { row: 9, score: 0.9 },
    { row: 1, score: 0.8 },
    { row: 3, score: 0.7 },
  ];
  expect(othersVote(found, labelOf, vote)).toEqual({ labels: [{ label: 'cat', share: 1 }], nearest: 0.9 });
});

it('lets the first k that have a label vote', () => {
  const found = [1, 9, 2, 4].map((row) => ({ row, score: 0.5 }));
  const { labels } = othersVote(found, labelOf, vote);
  expect(labels).toEqual([
    { label: 'cat', share: 0.5 },
    { label: 'dog', share: 0.5 },
  ]);
});

it('has nothing to say without others', () => {
  expect(othersVote([], labelOf, vote)).toEqual({ labels: [], nearest: null });
});
