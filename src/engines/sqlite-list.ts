import type Database from 'better-sqlite3';
import type { ItemPlace, ItemQuery } from '../core/ports.js';
import { compareIds } from '../core/vector.js';

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
export function prepareList(db: Database.Database): (collection: number, query: ItemQuery) => number[] {
  const prepared = new Map<string, Database.Statement<[Record<string, unknown>], Key>>();
  const prepare = (sql: string) => {
    const statement = prepared.get(sql) ?? db.prepare<[Record<string, unknown>], Key>(sql);
    prepared.set(sql, statement);
    return statement;
  };
  return (collection, { order, limit, after, labels, sha256 }) => {
    const page = (label: string | undefined) =>
      prepare(sqlOf(order, { after: !!after, label: label !== undefined, sha256: !!sha256 })).all({
        collection,
        limit,
        ...after,
        ...(sha256 !== undefined && { sha256 }),
        ...(label !== undefined && { label }),
      });
    if (!labels) return page(undefined).map(({ row }) => row);
    const pages = [...new Set(labels)].flatMap(page);
    return pages
      .sort(COMPARE[order])
      .slice(0, limit)
      .map(({ row }) => row);
  };
}

/** The index is named where SQLite might choose one that makes it sort everything there is. */
function sqlOf(
  order: ItemQuery['order'],
  given: { after: boolean; label: boolean; sha256: boolean },
): string {
  const { index, after, order: by } = ORDERS[order];
  const from = given.sha256 ? 'INDEXED BY items_sha256' : given.label ? `INDEXED BY ${index}` : '';
  return `SELECT row, id, created_at FROM items ${from} WHERE collection = @collection
    ${given.sha256 ? 'AND sha256 = @sha256' : ''} ${given.label ? 'AND label = @label' : ''}
    ${given.after ? after : ''} ORDER BY ${by} LIMIT @limit`;
}
