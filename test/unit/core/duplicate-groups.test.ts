import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDuplicateGroups } from '../../../src/core/duplicate-groups.js';

const ROWS = 30;
const row = fc.nat(ROWS - 1);
const pair = fc.tuple(row, row, fc.constantFrom(0.98, 0.99, 1)).filter(([a, b]) => a !== b);

/** The rows that are reached from `start` over the pairs. */
function reached(start: number, pairs: readonly (readonly [number, number, number])[]): number[] {
  const seen = new Set([start]);
  for (let before = 0; before < seen.size; ) {
    before = seen.size;
    for (const [a, b] of pairs) if (seen.has(a) || seen.has(b)) seen.add(a).add(b);
  }
  return [...seen].sort((a, b) => a - b);
}

it('are the connected components, the largest first, each with the best score of every row', () => {
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 40 }), (pairs) => {
      const groups = createDuplicateGroups(ROWS);
      for (const [a, b, score] of pairs) groups.join(a, b, score);
      const list = groups.list();
      const paired = new Set(pairs.flatMap(([a, b]) => [a, b] as const));
      expect(list.flatMap(({ members }) => members).length).toBe(paired.size);
      for (const { members } of list) {
        expect(members.map((one) => one.row)).toEqual(reached(members[0]!.row, pairs));
        for (const one of members) {
          const scores = pairs.filter(([a, b]) => a === one.row || b === one.row).map(([, , score]) => score);
          expect(one.score).toBe(Math.fround(Math.max(...scores)));
        }
      }
      const order = list.map(({ members }) => [-members.length, members[0]!.row]);
      expect(order).toEqual([...order].sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!));
    }),
  );
});

it('say which rows have the same bytes as another', () => {
  const groups = createDuplicateGroups(5);
  groups.join(1, 2, 0.99);
  groups.joinSame(2, 4);
  expect(groups.list()).toEqual([
    {
      members: [
        { row: 1, score: Math.fround(0.99), exact: false },
        { row: 2, score: 1, exact: true },
        { row: 4, score: 1, exact: true },
      ],
    },
  ]);
});
