import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { LookalikeError, messageOf } from '../core/errors.js';
import { KNOWN_VERSIONS, prepareSchema, SCHEMA_VERSION } from './sqlite-schema.js';

/** The database file: its schema, and every check that comes before a first write to it. */

/** SQLite's smallest page; every page size is a multiple of it. */
const PAGE_BYTES = 512;

/** Whole-file checks read every page; past this size only what is touched is checked. */
const QUICK_CHECK_BYTES = 256 * 1024 * 1024;

/**
 * Opens or creates the database at `path`; an earlier format is brought to this version's.
 * Throws `data_dir_busy` (another process holds it), `database_invalid` (damaged, another program's, or a later format).
 */
export function openSqliteFile(path: string): Database.Database {
  mkdirSync(dirname(path), { recursive: true });
  const db = open(path);
  try {
    prepareSchema(db);
    return db;
  } catch (error) {
    db.close();
    throw named(path, error);
  }
}

/** Opens a database that is there and closes it again, leaving its format as it is. Throws like `openSqliteFile`. */
export function checkSqliteFile(path: string): void {
  open(path).close();
}

function open(path: string): Database.Database {
  let db: Database.Database | undefined;
  try {
    checkWholePages(path);
    db = new Database(path, { timeout: 500 });
    // One process owns a data folder: the lock lives as long as the process, kill -9 included.
    db.pragma('locking_mode = EXCLUSIVE');
    checkFormat(db, path); // before the first pragma that writes: the file may be another program's
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

/** A file that ends inside a page was cut: SQLite would read zeros there. Beside a WAL it mends that itself. */
function checkWholePages(path: string): void {
  if (!existsSync(path) || existsSync(`${path}-wal`)) return;
  const { size } = statSync(path);
  if (size % PAGE_BYTES !== 0)
    throw new LookalikeError(
      'database_invalid',
      `${path} is damaged: it ends after ${size} bytes, within a page`,
    );
}

function checkFormat(db: Database.Database, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (version === 0 ? tables === 0 : KNOWN_VERSIONS.includes(version)) return;
  throw new LookalikeError(
    'database_invalid',
    `${path} has format ${version}, this version reads ${SCHEMA_VERSION}. Nothing was changed.`,
  );
}
