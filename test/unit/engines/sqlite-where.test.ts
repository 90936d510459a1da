/** Filters in SQL on a real database: they find what `matches` says, and look it up instead of reading all facets. */
import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { facetsOf } from '../../../src/core/facets.js';
import { matches, parseWhere } from '../../../src/core/where.js';
import { rowsWhere } from '../../../src/engines/sqlite-rows.js';
import { FACETS_SCHEMA, facetValue, partsOf, whereSql } from '../../../src/engines/sqlite-where.js';
import { arbitrary } from '../../fixtures/filters.js';

const ITEMS = `
  CREATE TABLE items (row INTEGER PRIMARY KEY, collection INTEGER NOT NULL) STRICT;
  CREATE INDEX items_in_row_order ON items (collection, row);
`;

let db: Database.Database;
beforeEach(() => {
  db = new Database(':memory:');
  db.exec(ITEMS + FACETS_SCHEMA);
});
afterEach(() => {
  db.close();
});

interface Stored {
  collection: number;
  metadata: Record<string, unknown>;
}

/** Item i gets the row i + 1. */
function fill(items: readonly Stored[]): void {
  const item = db.prepare('INSERT INTO items (row, collection) VALUES (?, ?)');
  const facet = db.prepare('INSERT INTO facets (collection, path, value, row) VALUES (?, ?, ?, ?)');
  db.exec('DELETE FROM items');
  items.forEach(({ collection, metadata }, i) => {
    item.run(i + 1, collection);
    for (const { path, value } of facetsOf(metadata)) facet.run(collection, path, facetValue(value), i + 1);
  });
}

/** The rows as SQL gives them: each once when there is a limit. */
function rowsOf(filter: unknown, limit = 1000): number[] {
  const { sql, parameters } = whereSql(parseWhere(filter), { collection: 1, limit });
  return db
    .prepare<unknown[], number>(sql)
    .pluck()
    .all(...parameters);
}

const never = () => 0; // no write comes between
/** The same by parts of so many entries. */
const readOf = async (filter: unknown, part?: number) => [
  ...(await rowsWhere(db, parseWhere(filter), { collection: 1, writes: never, ...(part && { part }) })),
];

const ascending = (rows: Iterable<number>) => [...rows].sort((a, b) => a - b);

describe('whereSql and rowsWhere', () => {
  it('find exactly the rows that match, in the collection alone, whatever the parts are', async () => {
    const stored = fc.record<Stored>({ collection: fc.constantFrom(1, 1, 2), metadata: arbitrary.metadata });
    const items = fc.array(stored, { minLength: 1, maxLength: 12, size: 'max' });
    const filters = fc.array(arbitrary.filter, { minLength: 1, maxLength: 20, size: 'max' });
    let found = 0;
    await fc.assert(
      fc.asyncProperty(items, filters, fc.integer({ min: 1, max: 5 }), async (given, filters, part) => {
        fill(given);
        for (const filter of filters) {
          const where = parseWhere(filter);
          const expected = given.flatMap(({ collection, metadata }, i) =>
            collection === 1 && matches(where, metadata) ? [i + 1] : [],
          );
          expect(ascending(rowsOf(filter))).toEqual(expected);
          expect(await readOf(filter, part)).toEqual(expected);
          found += expected.length;
        }
      }),
      { numRuns: 200 },
    );
    expect(found).toBeGreaterThan(300); // about 1,000: not a property of empty answers
  });

  it('keep every kind out of the ranges of the others', () => {
    fill(
      [-1, 5, '', 'a', '5', false, true, ['a', 5]].map((value) => ({
        collection: 1,
        metadata: { v: value },
      })),
    );
    expect(ascending(rowsOf({ v: { gt: -5 } }))).toEqual([1, 2, 8]);
    expect(ascending(rowsOf({ v: { lt: 99 } }))).toEqual([1, 2, 8]);
    expect(ascending(rowsOf({ v: { gte: '' } }))).toEqual([3, 4, 5, 8]);
    expect(ascending(rowsOf({ v: { lt: 'zzz' } }))).toEqual([3, 4, 5, 8]);
    expect(rowsOf({ v: false })).toEqual([6]);
    expect(ascending(rowsOf({ v: { in: [true, 5] } }))).toEqual([2, 7, 8]);
  });

  it('find an item whose long string goes past a bound, and not one that only begins like it', () => {
    const start = 'x'.repeat(256);
    fill(
      [start, `${start}a`, `${start}${'z'.repeat(2000)}`].map((s) => ({ collection: 1, metadata: { s } })),
    );
    expect(rowsOf({ s: start })).toEqual([1]);
    expect(ascending(rowsOf({ s: { gt: start } }))).toEqual([2, 3]);
    expect(rowsOf({ s: { lte: start } })).toEqual([1]);
  });

  it('stop at the limit', () => {
    fill(Array.from({ length: 20 }, (_, i) => ({ collection: 1, metadata: { n: i, tags: ['a', 'b'] } })));
    for (const filter of [{}, { tags: 'a' }, { tags: { in: ['a', 'b'] } }, { n: { gte: 0 }, tags: 'b' }]) {
      expect(new Set(rowsOf(filter, 7)).size).toBe(7);
    }
  });

  it('begin with the narrowest condition', async () => {
    const said: string[] = [];
    db.close();
    db = new Database(':memory:', { verbose: (text) => said.push(String(text)) });
    db.exec(ITEMS + FACETS_SCHEMA);
    fill(
      Array.from({ length: 20 }, (_, i) => ({
        collection: 1,
        metadata: { n: i, even: i % 2 === 0, k: i % 5 },
      })),
    );
    const filter = { even: true, none: { not: 1 }, n: { gte: 17 }, k: { exists: true } };
    expect(await readOf(filter)).toEqual([19]);
    expect(said.at(-1)).toContain("WHERE d.collection = 1.0 AND d.path = 'n'");
  });

  it('lose the facets of an item that goes', () => {
    fill([{ collection: 1, metadata: { colour: 'red' } }]);
    db.exec('DELETE FROM items');
    expect(db.prepare('SELECT count(*) FROM facets').pluck().get()).toBe(0);
  });

  it('take nothing of a filter into the text', () => {
    const { sql } = whereSql(parseWhere({ "p' OR 1": { in: ["'; DROP"] }, "q'": { gt: "z'" } }), {
      collection: 1,
    });
    expect(sql).not.toMatch(/OR 1|DROP|q'|z'/);
  });
});

describe('a reading in parts', () => {
  const every = (filter: unknown) =>
    fill(Array.from({ length: 20 }, () => ({ collection: 1, metadata: filter as Stored['metadata'] })));

  it('is made again when a write comes between, and is of one moment', async () => {
    fill(Array.from({ length: 20 }, (_, n) => ({ collection: 1, metadata: { n } })));
    let writes = 0;
    const where = parseWhere({ n: { gte: 0 } });
    const reading = rowsWhere(db, where, { collection: 1, writes: () => writes, part: 4 });
    await setImmediate(); // rows 1 to 8 are read by now: the last one moves to where the reading was already
    writes++;
    db.exec('UPDATE facets SET value = 0.5 WHERE row = 20');
    expect((await reading).size).toBe(20);
  });

  it('ends though a write comes between every two parts', async () => {
    every({ n: 1 });
    let writes = 0;
    let done = false;
    const reading = rowsWhere(db, parseWhere({ n: 1 }), { collection: 1, writes: () => writes, part: 3 });
    const writing = (async () => {
      for (; !done; await setImmediate()) writes++;
    })();
    expect((await reading).size).toBe(20);
    done = true;
    await writing;
  });

  it.each<[unknown, string]>([
    [{ n: 1 }, 'PRIMARY KEY (collection=? AND path=? AND value=? AND row>?)'],
    [{ n: { gte: 0 } }, 'PRIMARY KEY (collection=? AND path=? AND (value,row)>(?,?) AND value<?)'],
    [{ n: { gt: 0, lt: 9 } }, 'PRIMARY KEY (collection=? AND path=? AND (value,row)>(?,?) AND value<?)'],
    [{ n: { exists: true } }, 'PRIMARY KEY (collection=? AND path=? AND (value,row)>(?,?))'],
    [{ n: { not: 1 } }, 'items_in_row_order (collection=? AND row>?)'],
  ])('of %j goes on where it was, without sorting', (filter, index) => {
    every({ n: 1 });
    const [after] = partsOf(db, parseWhere(filter), { collection: 1, limit: 5 });
    const { sql, parameters } = after!({ row: 3, value: 1 });
    const steps = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters);
    expect(steps[0]!.detail).toContain(index);
    expect(steps.map(({ detail }) => detail).join('\n')).not.toMatch(/SCAN|TEMP B-TREE/);
  });
});

describe('the plan', () => {
  const planOf = (filter: unknown) => {
    const { sql, parameters } = whereSql(parseWhere(filter), { collection: 1 });
    const steps = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters);
    return steps.map(({ detail }) => detail);
  };
  const LOOKUP = 'SEARCH d USING PRIMARY KEY (collection=? AND path=?';

  it.each<[unknown, string]>([
    [{ colour: 'red' }, ' AND value=?)'],
    [{ colour: { in: ['red', 'blue'] } }, ' AND value=?)'],
    [{ year: { gte: 1990, lt: 2000 } }, ' AND value>? AND value<?)'],
    [{ year: { gte: 1990 } }, ' AND value>? AND value<?)'],
    [{ year: { lt: 1990 } }, ' AND value<?)'],
    [{ name: { lt: 'm' } }, ' AND value>? AND value<?)'],
    [{ year: { exists: true } }, ')'],
  ])('looks %j up', (filter, last) => {
    const plan = planOf(filter);
    expect(plan[0]).toBe(LOOKUP + last);
    expect(plan.join('\n')).not.toMatch(/SCAN [df]\b/);
  });

  it.each<[unknown, string]>([
    [{ colour: 'red' }, 'value=?'],
    [{ colour: { in: ['red', 'blue'] } }, 'value=?'],
    [{ year: { gte: 1990, lt: 2000 } }, 'value>? AND value<?'],
    [{ colour: { not: 'red' } }, 'value=?'],
    [{ year: { exists: false } }, ''],
  ])('tests a row against %j by the facets of that row', (filter, last) => {
    const plan = planOf({ first: 1, ...(filter as object) }).join('\n');
    expect(plan).toContain(`${LOOKUP} AND value=?)`);
    const columns = ['row=? AND collection=? AND path=?', last].filter((part) => part !== '').join(' AND ');
    expect(plan).toContain(`USING COVERING INDEX facets_row (${columns})`);
    expect(plan).not.toMatch(/SCAN [df]\b/);
  });

  it('goes through the items of the collection where no value is asked for', () => {
    expect(planOf({ colour: { not: 'red' } })[0]).toContain('items_in_row_order (collection=?)');
  });

  it('stays when SQLite has counted the table', () => {
    fill(Array.from({ length: 500 }, (_, i) => ({ collection: 1, metadata: { n: i, even: i % 2 === 0 } })));
    db.exec('ANALYZE');
    const plan = planOf({ even: true, n: { gte: 10 } });
    expect(plan[0]).toBe(`${LOOKUP} AND value=?)`);
    expect(plan.join('\n')).toContain(
      'facets_row (row=? AND collection=? AND path=? AND value>? AND value<?)',
    );
  });
});
