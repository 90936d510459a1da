import type Database from 'better-sqlite3';
import { facetsOf } from '../core/facets.js';
import { FACETS_SCHEMA, facetValue } from './sqlite-where.js';

/** The tables of the database, and the way from earlier formats to this one. */

export const SCHEMA_VERSION = 2;

const SCHEMA = `
  CREATE TABLE collections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    space INTEGER, -- the one that answers
    previous INTEGER, -- the one before
    changes INTEGER NOT NULL DEFAULT 0, -- items that came, went or got another label
    created_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE spaces (
    space INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections (number) ON DELETE CASCADE,
    model_sha256 TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    UNIQUE (collection, model_sha256)
  ) STRICT;
  CREATE TABLE items (
    row INTEGER PRIMARY KEY AUTOINCREMENT, -- AUTOINCREMENT: a row number is never given out twice
    collection INTEGER NOT NULL REFERENCES collections (number) ON DELETE CASCADE,
    id TEXT NOT NULL,
    label TEXT,
    sha256 TEXT NOT NULL,
    source TEXT,
    metadata TEXT NOT NULL, -- a JSON object
    picture TEXT, -- PictureFacts as JSON
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (collection, id)
  ) STRICT;
  CREATE INDEX items_in_row_order ON items (collection, row);
  CREATE INDEX items_sha256 ON items (sha256, collection);
  CREATE INDEX items_created ON items (collection, created_at, id);
  CREATE INDEX items_label_id ON items (collection, label, id) WHERE label IS NOT NULL;
  CREATE INDEX items_label_created ON items (collection, label, created_at, id) WHERE label IS NOT NULL;
  CREATE TABLE vectors (
    row INTEGER NOT NULL REFERENCES items (row) ON DELETE CASCADE,
    space INTEGER NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (row, space)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE files (
    collection INTEGER NOT NULL REFERENCES collections (number) ON DELETE CASCADE,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    modified_ms REAL NOT NULL,
    sha256 TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (collection, path)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    unfinished INTEGER NOT NULL,
    job TEXT NOT NULL
  ) STRICT;
  CREATE INDEX jobs_number ON jobs (number);
  CREATE TABLE answers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL, -- a JSON object
    body TEXT NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE trash (sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE records (
    space INTEGER NOT NULL REFERENCES spaces (space) ON DELETE CASCADE,
    name TEXT NOT NULL,
    place INTEGER NOT NULL, -- 0 for the record, from 1 for its entries
    value TEXT NOT NULL, -- JSON
    PRIMARY KEY (space, name, place)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER item_came AFTER INSERT ON items BEGIN
    UPDATE collections SET changes = changes + 1 WHERE number = new.collection;
  END;
  CREATE TRIGGER item_labelled AFTER UPDATE OF label ON items WHEN old.label IS NOT new.label BEGIN
    UPDATE collections SET changes = changes + 1 WHERE number = new.collection;
  END;
  CREATE TRIGGER item_gone AFTER DELETE ON items BEGIN
    INSERT OR IGNORE INTO trash VALUES (old.sha256);
    UPDATE collections SET changes = changes + 1 WHERE number = old.collection;
  END;
  ${FACETS_SCHEMA}
`;

/** SQLite's clock as ISO 8601 in UTC with milliseconds. */
export const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/** Format 1 held one collection of one model. Nothing of it is lost; indexes are made anew. */
const FROM_1 = `
  DROP INDEX items_sha256;
  DROP INDEX jobs_number;
  ALTER TABLE items RENAME TO old_items;
  ALTER TABLE vectors RENAME TO old_vectors;
  ALTER TABLE files RENAME TO old_files;
  ALTER TABLE jobs RENAME TO old_jobs;
  ${SCHEMA}
  INSERT INTO collections (number, name, space, created_at)
    SELECT 1, 'default', 1, ${NOW} WHERE EXISTS (SELECT 1 FROM meta);
  INSERT INTO spaces (space, collection, model_sha256, dimension)
    SELECT 1, 1, value, (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'dimension')
    FROM meta WHERE key = 'model_sha256';
  INSERT INTO items (row, collection, id, label, sha256, source, metadata, created_at, updated_at)
    SELECT row, 1, id, label, sha256, source, metadata, ${NOW}, ${NOW} FROM old_items;
  INSERT INTO vectors (row, space, vector) SELECT row, 1, vector FROM old_vectors;
  INSERT INTO files SELECT 1, path, bytes, modified_ms, sha256, error FROM old_files;
  INSERT INTO jobs (id, number, unfinished, job)
    SELECT id, number, 0, json_set(job, '$.collection', 'default', '$.parameters', json('{}')) FROM old_jobs
    WHERE json_extract(job, '$.state') NOT IN ('queued', 'running');
  INSERT INTO sqlite_sequence (name, seq)
    SELECT 'items', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'items');
  UPDATE sqlite_sequence SET seq = (SELECT max(seq) FROM sqlite_sequence WHERE name IN ('items', 'old_items'))
    WHERE name = 'items';
  DROP TABLE old_vectors;
  DROP TABLE old_items;
  DROP TABLE old_files;
  DROP TABLE old_jobs;
  DROP TABLE meta;
`;

/** Formats that this version reads; 0 is a new file. */
export const KNOWN_VERSIONS: readonly number[] = [0, 1, SCHEMA_VERSION];

/** Brings the database to this version's format, in one transaction. */
export function prepareSchema(db: Database.Database): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version === SCHEMA_VERSION) return;
  db.pragma('foreign_keys = OFF'); // a renamed table would take the references of the others with it
  db.pragma('legacy_alter_table = ON');
  db.transaction(() => {
    db.exec(version === 0 ? SCHEMA : FROM_1);
    if (version === 1) addFacets(db);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  })();
  db.pragma('legacy_alter_table = OFF');
  db.pragma('foreign_keys = ON');
}

/** Format 1 had metadata, but nothing to look it up by. */
function addFacets(db: Database.Database): void {
  const write = prepareFacets(db);
  const items = db.prepare<[number], ItemMetadata>(
    'SELECT row, collection, metadata FROM items WHERE row > ? ORDER BY row LIMIT 1000',
  );
  for (let page = items.all(0); page.length > 0; page = items.all(page.at(-1)!.row))
    for (const { metadata, ...item } of page) write(item, JSON.parse(metadata) as Record<string, unknown>);
}

interface ItemMetadata {
  row: number;
  collection: number;
  metadata: string;
}

/** Writes the facets of an item's metadata; those it had before must be gone. */
export function prepareFacets(db: Database.Database) {
  const insert = db.prepare(
    'INSERT INTO facets (collection, path, value, row) VALUES (@collection, @path, @value, @row)',
  );
  return (item: { row: number; collection: number }, metadata: Record<string, unknown>) => {
    for (const { path, value } of facetsOf(metadata)) insert.run({ ...item, path, value: facetValue(value) });
  };
}
