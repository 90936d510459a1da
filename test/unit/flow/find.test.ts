/** Filtered search against a plain scan over the rows that fit, for filters of any selectivity. */
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFlatIndex } from '../../../src/core/flat-index.js';
import type { Database, Store } from '../../../src/core/ports.js';
import { canonicalScore, compareIds } from '../../../src/core/vector.js';
import { matches, parseWhere } from '../../../src/core/where.js';
import { openCollection } from '../../../src/flow/collection.js';
import { find } from '../../../src/flow/find.js';
import { openDefault } from '../../fixtures/database.js';
import { arbitrary } from '../../fixtures/filters.js';
import { flatGeneration } from '../../fixtures/flat-generation.js';
import { IDENTITY, newItem } from '../../fixtures/items.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let database: Database;
let store: Store;
beforeEach(async () => {
  ({ database, store } = openDefault(join(await tempFolder(), 'x.db')));
});
afterEach(() => database.close());

const LABELS = ['x', 'y', null];
const metadata = fc.oneof(
  { weight: 1, arbitrary: arbitrary.metadata },
  // A filter on `part` leaves any share of the rows.
  { weight: 3, arbitrary: fc.record({ part: fc.nat({ max: 20 }) }, { noNullPrototype: true }) },
);
const filter = fc.oneof(
  arbitrary.filter,
  fc.nat({ max: 21 }).map((limit) => ({ part: { lt: limit } })),
  fc.constant({}),
);
const scenario = fc.record({
  rows: fc.array(fc.record({ metadata, label: fc.constantFrom(...LABELS) }), { maxLength: 40 }),
  indexed: fc.nat({ max: 40 }), // rows that are in the generation; the others are fresh
  removed: fc.array(fc.nat({ max: 39 }), { maxLength: 5 }),
  filter,
  labels: fc.subarray(['x', 'y']),
  queries: fc.array(fc.nat({ max: 39 }), { minLength: 1, maxLength: 20 }),
  leaveOut: fc.boolean(),
  k: fc.integer({ min: 1, max: 45 }),
  vote_k: fc.integer({ min: 1, max: 20 }),
});

it('finds what a scan over the matching rows finds', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rows, indexed, removed, k, vote_k, labels, leaveOut, ...given }) => {
      store.remove(Array.from({ length: 40 }, (_, i) => `${i}`));
      const items = rows.map((row, i) => newItem(`${i}`, row));
      store.put(items.slice(0, indexed));
      const collection = openCollection(store, {
        newFresh: createFlatIndex,
        generation: flatGeneration(store),
      });
      const late = items.slice(indexed);
      collection.add(
        store.put(late).rows,
        late.map(({ vector }) => vector),
        late.map(({ label }) => label),
      );
      collection.remove(store.remove(removed.map((i) => `${i}`)));

      const where = parseWhere(given.filter);
      const there = items.filter(({ id }) => !removed.includes(Number(id)));
      const fitting = there.filter(
        (item) => matches(where, item.metadata) && (labels.length === 0 || labels.includes(item.label!)),
      );
      const directions = given.queries.map((seed) => {
        const row = leaveOut ? store.itemById(`${seed}`)?.row : undefined;
        const { vector } = newItem(`${seed}`);
        return { vector, leftOut: row === undefined ? [] : [row], about: { kind: 'vector' } as const };
      });
      const options = { k, vote_k, labels, where, mode: 'auto', beta: 0 } as const;
      const parts = { collection, store, yieldToRequests: async () => undefined };
      const found = await find(parts, directions, options);

      expect(found).toHaveLength(directions.length);
      for (const [i, { vector, leftOut }] of directions.entries()) {
        const expected = fitting
          .map((item) => ({
            row: store.itemById(item.id)!.row,
            id: item.id,
            score: canonicalScore(vector, 0, item.vector, 0, IDENTITY.dimension),
          }))
          .filter(({ row }) => !leftOut.includes(row))
          .sort((a, b) => b.score - a.score || compareIds(a.id, b.id))
          .map(({ row, score }) => ({ row, score }));
        const { hits } = found[i]!;
        expect(hits).toEqual(expected.slice(0, hits.length));
        expect(hits.length).toBeGreaterThanOrEqual(Math.min(k, expected.length));
        const votersIn = (list: { row: number }[]) =>
          list.filter(({ row }) => collection.labels.get(row) !== null).length;
        expect(votersIn(hits)).toBeGreaterThanOrEqual(Math.min(vote_k, votersIn(expected)));
      }
      await collection.close();
    }),
    { numRuns: 150 },
  );
});
