import type Database from 'better-sqlite3';
import type { Scalar } from '../core/facets.js';
import { RowSet } from '../core/row-set.js';
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

/**
 * The rows of the collection that fit, all or `limit` of them. With several conditions the narrowest is looked up and
 * its rows are tested against the others, so that the time goes with the narrowest.
 */
export function rowsWhere(db: Database.Database, where: Where, options: WhereOptions): RowSet {
  const { sql, parameters } = whereSql(narrowestFirst(db, where, options.collection), options);
  const rows = db.prepare<SqlValue[], number>(sql).pluck();
  return RowSet.of(rows.all(...parameters));
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

function valueTests(value: string, condition: Condition): Query[] {
  if (condition.kind === 'exists') return [];
  if (condition.kind === 'range') return rangeTests(value, condition.bounds);
  const marks = condition.values.map(() => '?').join(', ');
  return [{ sql: `${value} IN (${marks})`, parameters: condition.values.map(facetValue) }];
}

const SIGN = { gt: '>', gte: '>=', lt: '<', lte: '<=' };

/** An open end is closed where the type ends: '' is the least string, x'' the least BLOB, nothing is below numbers. */
function rangeTests(value: string, bounds: readonly Bound[]): Query[] {
  const tests = bounds.map((bound) => ({ sql: `${value} ${SIGN[bound.sign]} ?`, parameters: [bound.value] }));
  const isText = typeof bounds[0]!.value === 'string';
  const has = (...signs: Bound['sign'][]) => bounds.some(({ sign }) => signs.includes(sign));
  if (isText && !has('gt', 'gte')) tests.push({ sql: `${value} >= ''`, parameters: [] });
  if (!has('lt', 'lte')) tests.push({ sql: isText ? `${value} < x''` : `${value} < ''`, parameters: [] });
  return tests;
}
