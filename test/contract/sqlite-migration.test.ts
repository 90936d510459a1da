/** A database of format 1, as the first version wrote it, opens in this one with all that was in it. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { parseWhere } from '../../src/core/where.js';
import { openSqliteDatabase } from '../../src/engines/sqlite-database.js';
import { newItem, newJob } from '../fixtures/items.js';
import { tempFolder } from '../fixtures/temp-folder.js';

const FORMAT_1 = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE items (
    row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, label TEXT, sha256 TEXT NOT NULL, source TEXT,
    metadata TEXT NOT NULL
  ) STRICT;
  CREATE INDEX items_sha256 ON items (sha256);
  CREATE TABLE vectors (row INTEGER PRIMARY KEY REFERENCES items (row) ON DELETE CASCADE, vector BLOB NOT NULL) STRICT;
  CREATE TABLE files (
    path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, modified_ms REAL NOT NULL, sha256 TEXT NOT NULL, error TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE jobs (id TEXT PRIMARY KEY, number INTEGER NOT NULL, job TEXT NOT NULL) STRICT;
  CREATE INDEX jobs_number ON jobs (number);
  PRAGMA user_version = 1;
`;

async function format1(fill: (db: Database.Database) => void): Promise<string> {
  const path = join(await tempFolder(), 'lookalike.db');
  const db = new Database(path);
  db.exec(FORMAT_1);
  fill(db);
  db.close();
  return path;
}

const { vector } = newItem('a');
const blob = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);

it('keeps items, vectors, files, ended jobs and the row mark', async () => {
  const path = await format1((db) => {
    db.exec(`INSERT INTO meta VALUES ('model_sha256', '${'ab'.repeat(32)}'), ('dimension', '16')`);
    const insert = db.prepare(
      'INSERT INTO items (id, label, sha256, source, metadata) VALUES (?, ?, ?, ?, ?)',
    );
    for (const id of ['a', 'b', 'gone'])
      db.prepare('INSERT INTO vectors VALUES (?, ?)').run(
        insert.run(id, id === 'a' ? 'cat' : null, 'cd'.repeat(32), '/f/a', '{"x":1}').lastInsertRowid,
        blob,
      );
    db.exec("DELETE FROM items WHERE id = 'gone'");
    db.exec(`INSERT INTO files VALUES ('/f/a', 10, 1.5, 'cd', NULL)`);
    const { collection: _, parameters: __, ...ended } = newJob('ended', { state: 'succeeded' });
    const put = db.prepare('INSERT INTO jobs VALUES (?, ?, ?)');
    put.run('ended', 1, JSON.stringify(ended));
    put.run('running', 2, JSON.stringify({ ...ended, id: 'running', state: 'running' }));
  });
  const database = openSqliteDatabase(path);
  try {
    expect(database.collections()).toMatchObject([
      { name: 'default', model_sha256: 'ab'.repeat(32), dimension: 16, previous_model: null },
    ]);
    const store = database.store('default');
    expect(store.itemById('a')).toMatchObject({
      row: 1,
      label: 'cat',
      source: '/f/a',
      metadata: { x: 1 },
      picture: null,
    });
    expect([store.count(), store.vector(2)]).toEqual([2, vector]);
    expect([...(await store.rowsWhere(parseWhere({ x: 1 })))].sort()).toEqual([1, 2]);
    expect(store.files('/f').get('/f/a')).toMatchObject({ bytes: 10, error: null });
    expect(database.jobs(9)).toEqual([newJob('ended', { state: 'succeeded' })]); // what was cut short is asked for anew
    expect([store.highWaterMark(), store.put([newItem('next')]).rows]).toEqual([3, [4]]);
  } finally {
    database.close();
  }
  openSqliteDatabase(path).close(); // it is of this format now
});

it('that was never used becomes an empty one', async () => {
  const database = openSqliteDatabase(await format1(() => undefined));
  expect([database.collections(), database.jobs(9)]).toEqual([[], []]);
  database.close();
});
