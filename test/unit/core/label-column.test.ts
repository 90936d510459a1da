/** The label column against a Map: whatever is set and deleted, both say the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LabelColumn } from '../../../src/core/label-column.js';

const LABELS = ['a', 'b', 'c', '', 'toString'];

interface Step {
  row: number;
  label: string | null | undefined; // undefined deletes
}

const steps = fc.array(
  fc.record<Step>({
    // Low rows collide, high ones make the column grow.
    row: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1000, max: 9000 })),
    label: fc.constantFrom<string | null | undefined>(...LABELS, null, undefined),
  }),
  { maxLength: 120 },
);

function apply(given: readonly Step[]): { column: LabelColumn; model: Map<number, string | null> } {
  const column = new LabelColumn();
  const model = new Map<number, string | null>();
  for (const { row, label } of given) {
    if (label === undefined) {
      column.delete(row);
      model.delete(row);
    } else {
      column.set(row, label);
      model.set(row, label);
    }
  }
  return { column, model };
}

describe('LabelColumn', () => {
  it('says what a Map would say, after any steps', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const { column, model } = apply(given);
        for (const row of [...given.map((step) => step.row), 0, 13, 50_000]) {
          expect(column.has(row)).toBe(model.has(row));
          expect(column.get(row)).toBe(model.get(row) ?? null);
        }
        const named = [...model.values()].filter((label) => label !== null);
        expect(column.unlabelled).toBe(model.size - named.length);
        const counts = new Map(
          [...new Set(named)].map((label) => [label, named.filter((other) => other === label).length]),
        );
        expect(column.counts()).toEqual(counts);
      }),
    );
  });

  it('finds the rows of any labels, and none of a label that nobody has', () => {
    fc.assert(
      fc.property(steps, fc.subarray([...LABELS, 'nobody']), (given, wanted) => {
        const { column, model } = apply(given);
        const expected = [...model].filter(([, label]) => label !== null && wanted.includes(label));
        expect(new Set(column.rowsWith(wanted))).toEqual(new Set(expected.map(([row]) => row)));
      }),
    );
  });

  it('lists its rows in their order, and has copies that go their own way', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const { column, model } = apply(given);
        const copy = column.copy();
        for (const row of column.rows()) column.delete(row);
        expect([...column.rows()]).toEqual([]);
        expect([...copy.rows()]).toEqual([...model.keys()].sort((a, b) => a - b));
        for (const [row, label] of model) expect(copy.get(row)).toBe(label);
        copy.set(5000, 'new in the copy');
        expect([column.has(5000), copy.get(5000), column.counts().size]).toEqual([
          false,
          'new in the copy',
          0,
        ]);
      }),
    );
  });

  it('is empty at the start', () => {
    const column = new LabelColumn();
    expect([column.has(1), column.get(1), column.unlabelled, column.counts().size]).toEqual([
      false,
      null,
      0,
      0,
    ]);
  });
});
