import type Database from 'better-sqlite3';
import type { ItemPlace, ItemQuery } from '../core/ports.js';
import { compareIds } from '../core/vector.js';
import type { Where } from '../core/where.js';
import { fitSql, isNarrow, type Query, whereSql } from './sqlite-where.js';

/** Pages of a collection's items, by an index for every order and filter; several labels are merged. */

interface Key extends ItemPlace {
  row: number;
}

const BY_ID = { index: 'items_label_id', after: 'AND id > @id', order: 'id' };
const ORDERS = {
  id: BY_ID,
  created: {
    index: 'items_label_created',
    after: 'AND (created_at, id) > (@created_at, @id)',
    order: 'created_at, id',
  },
  '-created': {
    index: 'items_label_created',
    after: 'AND (created_at, id) < (@created_at, @id)',
    order: 'created_at DESC, id DESC',
  },
};

const byCreation = (a: Key, b: Key) =>
  a.created_at === b.created_at ? compareIds(a.id, b.id) : a.created_at < b.created_at ? -1 : 1;
const COMPARE: Record<ItemQuery['order'], (a: Key, b: Key) => number> = {
  id: (a, b) => compareIds(a.id, b.id),
  created: byCreation,
  '-created': (a, b) => byCreation(b, a),
};

/** Resolves a query to the rows of its page, in its order. */
export function prepareList(db: Database.Database) {
  const prepared = new Map<string, Database.Statement<unknown[], Key & { fits: 0 | 1 }>>();
  /** Statements with a filter are as many as there are filters: they are not kept. */
  const prepare = (sql: string, keep: boolean) => {
    const statement = prepared.get(sql) ?? db.prepare<unknown[], Key & { fits: 0 | 1 }>(sql);
    if (keep) prepared.set(sql, statement);
    return statement;
  };

  /** The next items in the order, those of several labels merged; `fits` says whether the filter takes them. */
  function candidates(collection: number, query: ItemQuery, filter?: Filter) {
    const { order, limit, after, labels, sha256 } = query;
    const page = (label: string | undefined) => {
      const sql = sqlOf(order, { after: !!after, label: label !== undefined, sha256: !!sha256 }, filter);
      return prepare(sql, filter === undefined).all(...(filter?.parameters ?? []), {
        collection,
        limit,
        ...after,
        ...(sha256 !== undefined && { sha256 }),
        ...(label !== undefined && { label }),
      });
    };
    if (!labels) return page(undefined);
    const pages = [...new Set(labels)].flatMap(page);
    return pages.sort(COMPARE[order]).slice(0, limit);
  }

  return {
    all: (collection: number, query: ItemQuery): number[] =>
      candidates(collection, query).map(({ row }) => row),

    where(
      collection: number,
      { where, scan, ...query }: ItemQuery & { where: Where; scan: number },
    ): { rows: number[]; after: ItemPlace | null } {
      const narrow = isNarrow(db, where, collection);
      const filter: Filter = narrow
        ? { kind: 'rows', ...whereSql(where, { collection }) }
        : { kind: 'test', ...fitSql(where) };
      const limit = narrow ? query.limit : scan;
      const found = candidates(collection, { ...query, limit }, filter);
      const rows: number[] = [];
      let seen = 0;
      for (; seen < found.length && rows.length < query.limit; seen++)
        if (found[seen]!.fits) rows.push(found[seen]!.row);
      const ended = seen === found.length && found.length < limit;
      const last = found[seen - 1];
      return { rows, after: ended || !last ? null : { id: last.id, created_at: last.created_at } };
    },
  };
}

/** A filter on metadata in a list: as the rows that fit, or as a test of each item. */
type Filter = Query & { kind: 'rows' | 'test' };

/** The index is named where SQLite might choose one that makes it sort everything there is. */
function sqlOf(
  order: ItemQuery['order'],
  given: { after: boolean; label: boolean; sha256: boolean },
  filter?: Filter,
): string {
  const { index, after, order: by } = ORDERS[order];
  const inOrder = given.sha256 ? 'INDEXED BY items_sha256' : given.label ? `INDEXED BY ${index}` : '';
  const from = filter?.kind === 'rows' ? 'NOT INDEXED' : inOrder; // by their numbers
  return `SELECT row, id, created_at, ${filter?.kind === 'test' ? filter.sql : '1'} AS fits
    FROM items d ${from} WHERE collection = @collection
    ${filter?.kind === 'rows' ? `AND row IN (${filter.sql})` : ''}
    ${given.sha256 ? 'AND sha256 = @sha256' : ''} ${given.label ? 'AND label = @label' : ''}
    ${given.after ? after : ''} ORDER BY ${by} LIMIT @limit`;
}
