import { sep } from 'node:path';
import type Database from 'better-sqlite3';
import type { SeenFile, Store, StoredVector, StoreIdentity } from '../core/ports.js';
import type { Item, Job, NewItem } from '../core/types.js';
import { checkId, checkUnitRows } from '../core/vector.js';
import { openSqliteFile } from './sqlite-file.js';

/** The store in one SQLite file (WAL). Vectors have a table of their own so that item scans stay small. */

type ItemRow = Omit<Item, 'metadata'> & { metadata: string };

/** Opens or creates the database at `path` for vectors of this model. Throws as `openSqliteFile` does. */
export const openSqliteStore = (path: string, identity: StoreIdentity): Store =>
  storeOver(openSqliteFile(path, identity), identity);

/** Every statement once, compiled when the database is opened. */
function prepareStatements(db: Database.Database) {
  return {
    insertItem: db.prepare(
      'INSERT INTO items (id, label, sha256, source, metadata) VALUES (@id, @label, @sha256, @source, @metadata)',
    ),
    insertVector: db.prepare('INSERT INTO vectors (row, vector) VALUES (?, ?)'),
    deleteById: db.prepare<[string], number>('DELETE FROM items WHERE id = ? RETURNING row').pluck(),
    putFile: db.prepare(
      `INSERT OR REPLACE INTO files (path, bytes, modified_ms, sha256, error)
       VALUES (@path, @bytes, @modified_ms, @sha256, @error)`,
    ),
    deleteFile: db.prepare('DELETE FROM files WHERE path = ?'),
    // '0' is the character after '/': everything below the folder and nothing beside it.
    files: db.prepare<[string, string], SeenFile>('SELECT * FROM files WHERE path >= ? AND path < ?'),
    mark: db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'items'").pluck(),
    count: db.prepare<[], number>('SELECT count(*) FROM items').pluck(),
    byRow: db.prepare<[number], ItemRow>('SELECT * FROM items WHERE row = ?'),
    byId: db.prepare<[string], ItemRow>('SELECT * FROM items WHERE id = ?'),
    bySha: db.prepare<[string], ItemRow>('SELECT * FROM items WHERE sha256 = ? ORDER BY id'),
    vector: db.prepare<[number], Buffer>('SELECT vector FROM vectors WHERE row = ?').pluck(),
    inIdOrder: db.prepare<[string, number], { row: number; id: string; vector: Buffer }>(
      'SELECT items.row, id, vector FROM items JOIN vectors USING (row) WHERE id > ? ORDER BY id LIMIT ?',
    ),
    labels: db.prepare<[number, number], { row: number; label: string | null }>(
      'SELECT row, label FROM items WHERE row > ? ORDER BY row LIMIT ?',
    ),
    putJob: db.prepare(
      `INSERT INTO jobs (id, number, job) VALUES (@id, (SELECT coalesce(max(number), 0) + 1 FROM jobs), @job)
       ON CONFLICT (id) DO UPDATE SET job = excluded.job`,
    ),
    job: db.prepare<[string], string>('SELECT job FROM jobs WHERE id = ?').pluck(),
    jobs: db.prepare<[number], string>('SELECT job FROM jobs ORDER BY number DESC LIMIT ?').pluck(),
  };
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareWrites(db: Database.Database, sql: Statements, dimension: number) {
  const put = db.transaction((items: readonly NewItem[], files: readonly SeenFile[]) => {
    const rows: number[] = [];
    const replaced: number[] = [];
    for (const { vector, metadata, ...item } of items) {
      checkId(item.id);
      checkUnitRows(vector, 1, dimension);
      const old = sql.deleteById.get(item.id);
      if (old !== undefined) replaced.push(old);
      const row = Number(sql.insertItem.run({ ...item, metadata: JSON.stringify(metadata) }).lastInsertRowid);
      sql.insertVector.run(row, Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength));
      rows.push(row);
    }
    for (const file of files) sql.putFile.run(file);
    return { rows, replaced };
  });
  const remove = db.transaction((ids: readonly string[]) =>
    ids.map((id) => sql.deleteById.get(id)).filter((row) => row !== undefined),
  );
  const recordFiles = db.transaction((files: readonly SeenFile[]) => {
    for (const file of files) sql.putFile.run(file);
  });
  const forgetFiles = db.transaction((paths: readonly string[]) => {
    for (const path of paths) sql.deleteFile.run(path);
  });
  return { put, remove, recordFiles, forgetFiles };
}

function storeOver(db: Database.Database, identity: StoreIdentity): Store {
  const sql = prepareStatements(db);
  const write = prepareWrites(db, sql, identity.dimension);
  return {
    identity,
    put: (items, files = []) => write.put(items, files),
    remove: (ids) => write.remove(ids),
    recordFiles: (files) => write.recordFiles(files),
    forgetFiles: (paths) => write.forgetFiles(paths),
    files(folder) {
      const start = folder.endsWith(sep) ? folder : folder + sep;
      const end = start.slice(0, -1) + String.fromCharCode(sep.charCodeAt(0) + 1);
      return new Map(sql.files.all(start, end).map((file) => [file.path, file]));
    },
    count: () => sql.count.get()!,
    highWaterMark: () => sql.mark.get() ?? 0,
    itemByRow: (row) => itemOf(sql.byRow.get(row)),
    itemById: (id) => itemOf(sql.byId.get(id)),
    itemsBySha256: (sha256) => sql.bySha.all(sha256).map((row) => itemOf(row)!),
    vector(row) {
      const blob = sql.vector.get(row);
      return blob && vectorOf(blob);
    },
    // No id is empty, so '' is before all of them.
    vectorsInIdOrder: (afterId, limit) =>
      sql.inIdOrder.all(afterId ?? '', limit).map(({ row, id, vector }): StoredVector => {
        return { row, id, vector: vectorOf(vector) };
      }),
    labelsInRowOrder: (mark, limit) => sql.labels.all(mark, limit),
    saveJob: (job) => void sql.putJob.run({ id: job.id, job: JSON.stringify(job) }),
    job(id) {
      const text = sql.job.get(id);
      return text === undefined ? undefined : (JSON.parse(text) as Job);
    },
    jobs: (limit) => sql.jobs.all(limit).map((text) => JSON.parse(text) as Job),
    close: () => void db.close(),
  };
}

const itemOf = (row: ItemRow | undefined): Item | undefined =>
  row && { ...row, metadata: JSON.parse(row.metadata) as Record<string, unknown> };

/** A copy: SQLite's buffer need not start at a multiple of four bytes. */
function vectorOf(blob: Buffer): Float32Array {
  const bytes = new Uint8Array(blob);
  return new Float32Array(bytes.buffer, 0, bytes.byteLength / 4);
}
