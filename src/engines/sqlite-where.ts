import type Database from 'better-sqlite3';
import type { Scalar } from '../core/facets.js';
import type { Bound, Condition, Where } from '../core/where.js';

/**
 * Filters on metadata in SQL. Each item has its facets (core/facets.ts) in a table that is its own index; the other
 * index leads from an item to its facets: SQLite appends the primary key to it, so it reads (row, collection, path, value).
 * Numbers are stored as REAL, strings as TEXT, booleans as a BLOB of one byte: SQLite orders these three one after
 * the other, so that they never equal and a range of one never reaches into the next.
 */
export const FACETS_SCHEMA = `
  CREATE TABLE facets (
    collection INTEGER NOT NULL,
    path TEXT NOT NULL,
    value ANY NOT NULL,
    row INTEGER NOT NULL REFERENCES items (row) ON DELETE CASCADE,
    PRIMARY KEY (collection, path, value, row)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX facets_row ON facets (row);
`;

type SqlValue = string | number | Buffer;

/** A scalar as the facets table holds it. */
export const facetValue = (value: Scalar): SqlValue =>
  typeof value === 'boolean' ? Buffer.of(Number(value)) : value;

export interface Query {
  sql: string;
  parameters: SqlValue[];
}

export interface WhereOptions {
  collection: number;
  limit?: number; // rows at most
}

/** Beyond this many facets a condition counts as broad, whatever their number. */
const BROAD = 10_000;

/** Where a part of the reading ended: the next one goes on after it. `value` is null where the index has none. */
export interface PartCursor {
  row: number;
  value: SqlValue | null;
}

/**
 * The statements that read all rows which fit, part by part: for each walk through an index one that gives the next `limit`
 * entries after a cursor as (row, value, fits), in the order of that index. With several conditions the narrowest is walked
 * through and its rows are tested against the others, so that the time goes with the narrowest.
 */
export function partsOf(
  db: Database.Database,
  where: Where,
  options: Required<WhereOptions>,
): ((after: PartCursor | null) => Query)[] {
  const ordered = narrowestFirst(db, where, options.collection);
  const first = ordered.find(isPositive);
  const fits = fitSql(ordered.filter((condition) => condition !== first));
  const part = ({ value, from, tests, order }: Walk): Query => ({
    sql: [
      `SELECT d.row, ${value} AS value, ${fits.sql} AS fits FROM ${from} d WHERE d.collection = ?`,
      ...tests.map(({ sql }) => `AND ${sql}`),
      `ORDER BY ${order} LIMIT ?`,
    ].join(' '),
    parameters: [
      ...fits.parameters,
      options.collection,
      ...tests.flatMap(({ parameters }) => parameters),
      options.limit,
    ],
  });
  if (!first) return [(after) => part(itemsWalk(after))];
  if (first.kind === 'in')
    return [...new Set(first.values)].map((value) => (after) => part(valueWalk(first.path, value, after)));
  return [(after) => part(spanWalk(first, after))];
}

interface Walk {
  from: 'items' | 'facets';
  value: string;
  tests: readonly Query[];
  order: string;
}

const rowAfter = (after: PartCursor | null): Query => ({ sql: 'd.row > ?', parameters: [after?.row ?? -1] });
const pathIs = (path: string): Query => ({ sql: 'd.path = ?', parameters: [path] });

const itemsWalk = (after: PartCursor | null): Walk => ({
  from: 'items',
  value: 'NULL',
  tests: [rowAfter(after)],
  order: 'd.row',
});

const valueWalk = (path: string, value: Scalar, after: PartCursor | null): Walk => ({
  from: 'facets',
  value: 'NULL',
  tests: [pathIs(path), { sql: 'd.value = ?', parameters: [facetValue(value)] }, rowAfter(after)],
  order: 'd.row',
});

/** Goes on after (value, row). The plus keeps a lower bound from being where SQLite starts: that would be the first part again. */
function spanWalk(condition: Condition, after: PartCursor | null): Walk {
  const tests = valueTests('d.value', condition, { lower: after ? '+d.value' : 'd.value' });
  const onward: Query[] = after
    ? [{ sql: '(d.value, d.row) > (?, ?)', parameters: [after.value!, after.row] }]
    : [];
  return {
    from: 'facets',
    value: 'd.value',
    tests: [pathIs(condition.path), ...tests, ...onward],
    order: 'd.value, d.row',
  };
}

function narrowestFirst(db: Database.Database, where: Where, collection: number): Where {
  if (where.length < 2) return where;
  const first = narrowest(db, where, collection);
  return first ? [first, ...where.filter((condition) => condition !== first)] : where;
}

/** Whether a condition leads to so few rows that they are better looked up than tested one by one. */
export const isNarrow = (db: Database.Database, where: Where, collection: number): boolean =>
  narrowest(db, where, collection) !== undefined;

/** The condition with the fewest facets, if they are not many. */
function narrowest(db: Database.Database, where: Where, collection: number): Condition | undefined {
  let narrowest: Condition | undefined;
  let fewest = BROAD;
  for (const condition of where.filter(isPositive)) {
    const { sql, parameters } = facetsWhere('d', condition);
    const count = db
      .prepare<SqlValue[], number>(
        `SELECT count(*) FROM (SELECT 1 FROM facets d WHERE d.collection = ? AND ${sql} LIMIT ?)`,
      )
      .pluck()
      .get(collection, ...parameters, fewest)!;
    if (count >= fewest) continue;
    fewest = count;
    narrowest = condition;
  }
  return narrowest;
}

/**
 * SQL for the rows of a collection that fit, in no order; everything that a caller gave is a bound parameter.
 * It looks up the first condition that asks for a value to be there and tests each of its rows against the rest;
 * without such a condition it goes through `items (collection, row)`. With a limit each row comes once; without, a row
 * may come again for another element of a list: SQLite takes longer to tell than a `RowSet` does.
 */
export function whereSql(where: Where, { collection, limit }: WhereOptions): Query {
  const first = where.find(isPositive);
  const driver = first && facetsWhere('d', first);
  const tests = where.filter((condition) => condition !== first).map(testOfRow);
  const sql = [
    first && mayRepeat(first) && limit !== undefined ? 'SELECT DISTINCT d.row' : 'SELECT d.row',
    `FROM ${driver ? 'facets' : 'items'} d WHERE d.collection = ?`,
    ...(driver ? [`AND ${driver.sql}`] : []),
    ...tests.map((test) => `AND ${test.sql}`),
    ...(limit === undefined ? [] : ['LIMIT ?']),
  ].join(' ');
  const parameters = [driver, ...tests].flatMap((part) => part?.parameters ?? []);
  return { sql, parameters: [collection, ...parameters, ...(limit === undefined ? [] : [limit])] };
}

/** Whether the condition asks for a value to be there, so that its facets lead to the rows. */
const isPositive = (condition: Condition): boolean =>
  condition.kind === 'exists' ? condition.wanted : condition.kind !== 'not';

/** Several elements of a list may fit, except where one value is asked for: the primary key has it once. */
const mayRepeat = (condition: Condition): boolean => condition.kind !== 'in' || condition.values.length > 1;

/** SQL for whether the item that a statement calls `d` fits. */
export function fitSql(where: Where): Query {
  const tests = where.map(testOfRow);
  return {
    sql: tests.map(({ sql }) => sql).join(' AND ') || '1',
    parameters: tests.flatMap(({ parameters }) => parameters),
  };
}

/** The index is named because the other one would read a whole range of values for each row. */
function testOfRow(condition: Condition): Query {
  const { sql, parameters } = facetsWhere('f', condition);
  const exists = isPositive(condition) ? 'EXISTS' : 'NOT EXISTS';
  return {
    sql: `${exists} (SELECT 1 FROM facets f INDEXED BY facets_row WHERE f.row = d.row AND f.collection = d.collection AND ${sql})`,
    parameters,
  };
}

/** What the facets of a condition have in common, whether it wants them or not. */
function facetsWhere(table: 'd' | 'f', condition: Condition): Query {
  const value = `${table}.value`;
  const tests = [{ sql: `${table}.path = ?`, parameters: [condition.path] }, ...valueTests(value, condition)];
  return {
    sql: tests.map((test) => test.sql).join(' AND '),
    parameters: tests.flatMap((test) => test.parameters),
  };
}

/** `lower`: how the value is written in a lower bound. */
function valueTests(value: string, condition: Condition, { lower = value } = {}): Query[] {
  if (condition.kind === 'exists') return [];
  if (condition.kind === 'range') return rangeTests({ value, lower }, condition.bounds);
  const marks = condition.values.map(() => '?').join(', ');
  return [{ sql: `${value} IN (${marks})`, parameters: condition.values.map(facetValue) }];
}

const SIGN = { gt: '>', gte: '>=', lt: '<', lte: '<=' };

/** An open end is closed where the type ends: '' is the least string, x'' the least BLOB, nothing is below numbers. */
function rangeTests({ value, lower }: { value: string; lower: string }, bounds: readonly Bound[]): Query[] {
  const side = ({ sign }: Bound) => (sign === 'gt' || sign === 'gte' ? lower : value);
  const tests = bounds.map((bound) => ({
    sql: `${side(bound)} ${SIGN[bound.sign]} ?`,
    parameters: [bound.value],
  }));
  const isText = typeof bounds[0]!.value === 'string';
  const has = (...signs: Bound['sign'][]) => bounds.some(({ sign }) => signs.includes(sign));
  if (isText && !has('gt', 'gte')) tests.push({ sql: `${lower} >= ''`, parameters: [] });
  if (!has('lt', 'lte')) tests.push({ sql: isText ? `${value} < x''` : `${value} < ''`, parameters: [] });
  return tests;
}
