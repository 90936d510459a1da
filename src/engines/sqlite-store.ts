import { mkdirSync, statSync } from 'node:fs';
import { dirname, sep } from 'node:path';
import Database from 'better-sqlite3';
import { LookalikeError, messageOf } from '../core/errors.js';
import type { SeenFile, Store, StoredVector, StoreIdentity } from '../core/ports.js';
import type { Item, Job, NewItem } from '../core/types.js';
import { checkUnitRows } from '../core/vector.js';

/** The store in one SQLite file (WAL). Vectors have a table of their own so that item scans stay small. */

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE items (
    row INTEGER PRIMARY KEY AUTOINCREMENT, -- AUTOINCREMENT: a row number is never given out twice
    id TEXT NOT NULL UNIQUE,
    label TEXT,
    sha256 TEXT NOT NULL,
    source TEXT,
    metadata TEXT NOT NULL
  ) STRICT;
  CREATE INDEX items_sha256 ON items (sha256);
  CREATE TABLE vectors (
    row INTEGER PRIMARY KEY REFERENCES items (row) ON DELETE CASCADE,
    vector BLOB NOT NULL
  ) STRICT;
  CREATE TABLE files (
    path TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    modified_ms REAL NOT NULL,
    sha256 TEXT NOT NULL,
    error TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE jobs (id TEXT PRIMARY KEY, number INTEGER NOT NULL, job TEXT NOT NULL) STRICT;
  CREATE INDEX jobs_number ON jobs (number);
`;

/** Whole-file checks read every page; past this size only what is touched is checked. */
const QUICK_CHECK_BYTES = 256 * 1024 * 1024;

type ItemRow = Omit<Item, 'metadata'> & { metadata: string };

/**
 * Opens or creates the database at `path` for vectors of this model.
 * Throws `database_mismatch` (made by another model), `data_dir_busy` (another process holds it),
 * `database_invalid` (damaged, or a later format).
 */
export function openSqliteStore(path: string, identity: StoreIdentity): Store {
  mkdirSync(dirname(path), { recursive: true });
  const db = open(path);
  try {
    prepareSchema(db, path);
    checkIdentity(db, path, identity);
    return storeOver(db, identity);
  } catch (error) {
    db.close();
    throw named(path, error);
  }
}

function open(path: string): Database.Database {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: 500 });
    // One process owns a data folder: the lock lives as long as the process, kill -9 included.
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.exec('BEGIN IMMEDIATE; COMMIT');
    if (statSync(path).size <= QUICK_CHECK_BYTES) {
      const found = db.pragma('quick_check(1)', { simple: true });
      if (found !== 'ok')
        throw new LookalikeError('database_invalid', `${path} is damaged: ${String(found)}`);
    }
    return db;
  } catch (error) {
    db?.close();
    throw named(path, error);
  }
}

/** SQLite's own words in ours. Nothing is written to a file that fails here. */
function named(path: string, cause: unknown): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause;
  if (cause.code.startsWith('SQLITE_BUSY') || cause.code.startsWith('SQLITE_LOCKED'))
    return new LookalikeError(
      'data_dir_busy',
      `${path} is in use by another process. Stop that one, or give this one another --data-dir.`,
      { cause },
    );
  return new LookalikeError(
    'database_invalid',
    `${path} cannot be used: ${messageOf(cause)}. Nothing was changed. Restore it from a backup, or start with another --data-dir.`,
    { cause },
  );
}

function prepareSchema(db: Database.Database, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version === SCHEMA_VERSION) return;
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (version !== 0 || tables > 0)
    throw new LookalikeError(
      'database_invalid',
      `${path} has format ${version}, this version reads ${SCHEMA_VERSION}. Nothing was changed.`,
    );
  db.transaction(() => {
    db.exec(SCHEMA);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  })();
}

function checkIdentity(db: Database.Database, path: string, identity: StoreIdentity): void {
  const get = db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck();
  const set = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
  const made = get.get('model_sha256');
  if (made === undefined) {
    db.transaction(() => {
      set.run('model_sha256', identity.model_sha256);
      set.run('dimension', String(identity.dimension));
    })();
    return;
  }
  if (made !== identity.model_sha256 || get.get('dimension') !== String(identity.dimension))
    throw new LookalikeError(
      'database_mismatch',
      `${path} was indexed by the model ${made.slice(0, 12)}…, not by ${identity.model_sha256.slice(0, 12)}…. ` +
        'Start with the model that made it (--model), or index the pictures again into a new --data-dir.',
    );
}

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
