import { sep } from 'node:path';
import type Database from 'better-sqlite3';
import type {
  Embeddable,
  HashedRow,
  ItemChanges,
  SeenFile,
  Store,
  StoredVector,
  StoreIdentity,
} from '../core/ports.js';
import type { Item, NewItem } from '../core/types.js';
import { checkId, checkUnitRows } from '../core/vector.js';
import { createFilterCache, type FilterCache } from './sqlite-filter-cache.js';
import { prepareList } from './sqlite-list.js';
import { prepareRecords } from './sqlite-records.js';
import { rowsWhere } from './sqlite-rows.js';
import { NOW, prepareFacets } from './sqlite-schema.js';

/** One collection in one space. Vectors have a table of their own so that item scans stay small. */

type ItemRow = Omit<Item, 'metadata' | 'picture'> & { metadata: string; picture: string | null };
const ITEM = 'row, id, label, sha256, source, metadata, picture, created_at, updated_at';

/** Where a store looks: bound to every statement. */
export interface Place {
  name: string; // of the collection
  number: number;
  space: number;
  identity: StoreIdentity;
}

/** Every statement once, compiled when the database is opened; all stores share them. */
function prepareStatements(db: Database.Database) {
  return {
    list: prepareList(db),
    records: prepareRecords(db),
    insertItem: db.prepare(
      `INSERT INTO items (collection, id, label, sha256, source, metadata, picture, created_at, updated_at)
       VALUES (@collection, @id, @label, @sha256, @source, @metadata, @picture, coalesce(@created_at, ${NOW}), ${NOW})`,
    ),
    putVector: db.prepare(
      `INSERT OR REPLACE INTO vectors (row, space, vector) SELECT @row, @space, @vector
       WHERE EXISTS (SELECT 1 FROM items WHERE row = @row)`,
    ),
    deleteById: db.prepare<[number, string], { row: number; created_at: string }>(
      'DELETE FROM items WHERE collection = ? AND id = ? RETURNING row, created_at',
    ),
    updateItem: db.prepare<
      [{ collection: number; id: string; label: string | null; metadata: string }],
      ItemRow
    >(
      `UPDATE items SET label = @label, metadata = @metadata, updated_at = ${NOW}
       WHERE collection = @collection AND id = @id RETURNING ${ITEM}`,
    ),
    putFacets: prepareFacets(db),
    deleteFacets: db.prepare('DELETE FROM facets WHERE row = ?'),
    putFile: db.prepare(
      `INSERT OR REPLACE INTO files (collection, path, bytes, modified_ms, sha256, error)
       VALUES (@collection, @path, @bytes, @modified_ms, @sha256, @error)`,
    ),
    deleteFile: db.prepare('DELETE FROM files WHERE collection = ? AND path = ?'),
    // '0' is the character after '/': everything below the folder and nothing beside it.
    files: db.prepare<[number, string, string], SeenFile>(
      'SELECT path, bytes, modified_ms, sha256, error FROM files WHERE collection = ? AND path >= ? AND path < ?',
    ),
    mark: db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'items'").pluck(),
    count: db.prepare<[number], number>('SELECT count(*) FROM items WHERE collection = ?').pluck(),
    byRow: db.prepare<[number, number], ItemRow>(
      `SELECT ${ITEM} FROM items WHERE row = ? AND collection = ?`,
    ),
    byId: db.prepare<[number, string], ItemRow>(`SELECT ${ITEM} FROM items WHERE collection = ? AND id = ?`),
    // Named: SQLite would rather go through the whole collection in the order of its ids than sort the one row it finds.
    bySha: db.prepare<[string, number], ItemRow>(
      `SELECT ${ITEM} FROM items INDEXED BY items_sha256 WHERE sha256 = ? AND collection = ? ORDER BY id`,
    ),
    vector: db
      .prepare<[number, number], Buffer>('SELECT vector FROM vectors WHERE row = ? AND space = ?')
      .pluck(),
    inIdOrder: db.prepare<[number, number, string, number], { row: number; id: string; vector: Buffer }>(
      `SELECT items.row, id, vector FROM items JOIN vectors ON vectors.row = items.row AND space = ?
       WHERE collection = ? AND id > ? ORDER BY id LIMIT ?`,
    ),
    labels: db.prepare<[number, number, number], { row: number; label: string | null }>(
      'SELECT row, label FROM items WHERE collection = ? AND row > ? ORDER BY row LIMIT ?',
    ),
    // Named: the index is of labelled items alone, and a step from one label to the next in it.
    nextLabel: db
      .prepare<[number, string], string | null>(
        'SELECT min(label) FROM items INDEXED BY items_label_id WHERE collection = ? AND label >= ?',
      )
      .pluck(),
    labelled: db
      .prepare<[number, string], number>(
        'SELECT row FROM items INDEXED BY items_label_id WHERE collection = ? AND label = ?',
      )
      .pluck(),
    unlabelled: db
      .prepare<[number], number>('SELECT row FROM items WHERE collection = ? AND label IS NULL')
      .pluck(),
    // The row is the end of the index on the hash, so this reads the index alone.
    hashes: db.prepare<[{ collection: number; sha256: string; row: number; limit: number }], HashedRow>(
      `SELECT row, sha256 FROM items INDEXED BY items_sha256
       WHERE collection = @collection AND sha256 >= @sha256 AND (sha256 > @sha256 OR row > @row)
       ORDER BY sha256, row LIMIT @limit`,
    ),
    changes: db.prepare<[number], number>('SELECT changes FROM collections WHERE number = ?').pluck(),
    lacking: db.prepare<[number, number, number, number, number], Embeddable>(
      `SELECT row, id, sha256, source FROM items WHERE collection = ? AND row > ? AND row <= ?
       AND NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.row = items.row AND space = ?) ORDER BY row LIMIT ?`,
    ),
  };
}

type Statements = ReturnType<typeof prepareStatements>;

/** Several writes as one: all of them are there afterwards or none. */
function prepareWrites(
  db: Database.Database,
  sql: Statements,
  { number: collection, space, identity }: Place,
  filters: FilterCache,
) {
  const put = db.transaction((items: readonly NewItem[], files: readonly SeenFile[]) => {
    filters.clear();
    const rows: number[] = [];
    const replaced: number[] = [];
    for (const { vector, metadata, picture = null, ...item } of items) {
      checkId(item.id);
      checkUnitRows(vector, 1, identity.dimension);
      const old = sql.deleteById.get(collection, item.id);
      if (old !== undefined) replaced.push(old.row);
      const { lastInsertRowid } = sql.insertItem.run({
        ...item,
        collection,
        metadata: JSON.stringify(metadata),
        picture: picture && JSON.stringify(picture),
        created_at: old?.created_at ?? null,
      });
      const row = Number(lastInsertRowid);
      sql.putFacets({ row, collection }, metadata);
      sql.putVector.run({ row, space, vector: blobOf(vector) });
      rows.push(row);
    }
    for (const file of files) sql.putFile.run({ ...file, collection });
    return { rows, replaced };
  });
  const remove = db.transaction((ids: readonly string[]) => {
    filters.clear();
    return ids.map((id) => sql.deleteById.get(collection, id)?.row).filter((row) => row !== undefined);
  });
  const recordFiles = db.transaction((files: readonly SeenFile[]) => {
    for (const file of files) sql.putFile.run({ ...file, collection });
  });
  const forgetFiles = db.transaction((paths: readonly string[]) => {
    for (const path of paths) sql.deleteFile.run(collection, path);
  });
  const addVectors = db.transaction((rows: readonly number[], vectors: Float32Array) => {
    const { dimension } = identity;
    checkUnitRows(vectors, rows.length, dimension);
    rows.forEach((row, i) => {
      sql.putVector.run({ row, space, vector: blobOf(vectors.subarray(i * dimension, (i + 1) * dimension)) });
    });
  });
  const update = db.transaction((id: string, changes: ItemChanges) => {
    const item = itemOf(sql.byId.get(collection, id));
    if (!item) return undefined;
    const { row, label, metadata } = { ...item, ...changes };
    if (changes.metadata) {
      filters.clear();
      sql.deleteFacets.run(row);
      sql.putFacets({ row, collection }, metadata);
    }
    return itemOf(sql.updateItem.get({ collection, id, label, metadata: JSON.stringify(metadata) }));
  });
  return { put, update, remove, recordFiles, forgetFiles, addVectors };
}

/** Makes the stores of a database. They need no closing of their own: the database is closed as a whole. */
export function createStores(db: Database.Database): (place: Place) => Store {
  const sql = prepareStatements(db);
  const filters = new Map<number, FilterCache>(); // by collection: its spaces share their items
  return (place) => {
    const ofCollection = filters.get(place.number) ?? createFilterCache();
    filters.set(place.number, ofCollection);
    return storeAt(db, sql, { ...place, filters: ofCollection });
  };
}

function storeAt(db: Database.Database, sql: Statements, place: Place & { filters: FilterCache }): Store {
  const { name, number: collection, space, identity, filters } = place;
  const write = prepareWrites(db, sql, place, filters);
  const itemById = (id: string) => itemOf(sql.byId.get(collection, id));
  const itemByRow = (row: number) => itemOf(sql.byRow.get(row, collection));
  return {
    collection: name,
    identity,
    space,
    put: (items, files = []) => write.put(items, files),
    update: (id, changes) => write.update(id, changes),
    remove: (ids) => write.remove(ids),
    recordFiles: (files) => write.recordFiles(files),
    forgetFiles: (paths) => write.forgetFiles(paths),
    files(folder) {
      const start = folder.endsWith(sep) ? folder : folder + sep;
      const end = start.slice(0, -1) + String.fromCharCode(sep.charCodeAt(0) + 1);
      return new Map(sql.files.all(collection, start, end).map((file) => [file.path, file]));
    },
    count: () => sql.count.get(collection)!,
    highWaterMark: () => sql.mark.get() ?? 0,
    itemByRow,
    itemById,
    list: (query) => sql.list.all(collection, query).map((row) => itemByRow(row)!),
    listWhere(query) {
      const { rows, after } = sql.list.where(collection, query);
      return { items: rows.map((row) => itemByRow(row)!), after };
    },
    itemsBySha256: (sha256) => sql.bySha.all(sha256, collection).map((row) => itemOf(row)!),
    rowsWhere: (where) =>
      filters.get(where, () => rowsWhere(db, where, { collection, writes: filters.writes })),
    vector(row) {
      const blob = sql.vector.get(row, space);
      return blob && vectorOf(blob);
    },
    // No id is empty, so '' is before all of them.
    vectorsInIdOrder: (afterId, limit) =>
      sql.inIdOrder.all(space, collection, afterId ?? '', limit).map(({ row, id, vector }): StoredVector => {
        return { row, id, vector: vectorOf(vector) };
      }),
    labelsInRowOrder: (mark, limit) => sql.labels.all(collection, mark, limit),
    *rowsByLabel() {
      let left = sql.count.get(collection)!;
      const from = (text: string) => sql.nextLabel.get(collection, text) ?? null;
      for (let label = from(''); label !== null; label = from(`${label}\0`)) {
        const rows = sql.labelled.all(collection, label);
        left -= rows.length;
        yield { label, rows };
      }
      if (left > 0) yield { label: null, rows: sql.unlabelled.all(collection) }; // they have no index
      db.pragma('shrink_memory'); // the pages of the index, which nobody reads again soon
    },
    withoutVector: (mark, limit, upTo = Number.MAX_SAFE_INTEGER) =>
      sql.lacking.all(collection, mark, upTo, space, limit),
    hashesInOrder: (after, limit) =>
      sql.hashes.all({ collection, sha256: after?.sha256 ?? '', row: after?.row ?? 0, limit }),
    changes: () => sql.changes.get(collection) ?? 0,
    ...sql.records(space),
    addVectors: (rows, vectors) => write.addVectors(rows, vectors),
  };
}

const itemOf = (row: ItemRow | undefined): Item | undefined =>
  row && {
    ...row,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    picture: row.picture === null ? null : (JSON.parse(row.picture) as Item['picture']),
  };

const blobOf = (vector: Float32Array) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);

/** A copy: SQLite's buffer need not start at a multiple of four bytes. */
function vectorOf(blob: Buffer): Float32Array {
  const bytes = new Uint8Array(blob);
  return new Float32Array(bytes.buffer, 0, bytes.byteLength / 4);
}
