/** A set of rows as a mask: held against `Set`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedPositions } from '../../../src/core/check-search.js';
import { RowSet } from '../../../src/core/row-set.js';

const rows = fc.array(fc.nat(40), { maxLength: 60 });
const ascending = (set: Iterable<number>) => [...set].sort((a, b) => a - b);

describe('a set of rows', () => {
  it('has what a Set of the same rows has', () => {
    fc.assert(
      fc.property(rows, rows, fc.nat(50), (some, others, end) => {
        const [mask, set] = [RowSet.of(some), new Set(some)];
        expect([...mask]).toEqual(ascending(set));
        expect(mask.size).toBe(set.size);
        for (let row = -1; row < 45; row++) expect(mask.has(row)).toBe(set.has(row));
        const both = some.filter((row) => others.includes(row));
        for (const other of [RowSet.of(others), new Set(others)])
          expect([...mask.and(other)]).toEqual(ascending(new Set(both)));
        const below = ascending(set).filter((row) => row < end);
        expect([...mask.toArray(end)]).toEqual(below);
        expect([...allowedPositions(mask, end)!]).toEqual(ascending(allowedPositions(set, end)!));
      }),
    );
  });

  it('is a ReadonlySet', () => {
    const set: ReadonlySet<number> = RowSet.of([3, 1, 3]);
    const seen: number[] = [];
    set.forEach((row) => {
      seen.push(row);
    });
    expect([seen, [...set.keys()], [...set.entries()]]).toEqual([
      [1, 3],
      [1, 3],
      [
        [1, 1],
        [3, 3],
      ],
    ]);
    expect([RowSet.of([]).size, [...RowSet.of([])]]).toEqual([0, []]);
  });
});
