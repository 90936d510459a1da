import type SqliteDatabase from 'better-sqlite3';
import { checkCollectionName } from '../core/collection-name.js';
import { LookalikeError } from '../core/errors.js';
import type { CollectionRecord, Database, JobFilter, JobStore, Store, StoreIdentity } from '../core/ports.js';
import type { Job } from '../core/types.js';
import { answersOf } from './sqlite-answers.js';
import { openSqliteFile } from './sqlite-file.js';
import { NOW } from './sqlite-schema.js';
import { createStores } from './sqlite-store.js';

/** The database of a data folder: one SQLite file (WAL) with all collections, jobs and what they share. */

interface CollectionRow extends CollectionRecord {
  number: number;
}

/** Opens or creates the database at `path`. Throws as `openSqliteFile` does. */
export function openSqliteDatabase(path: string): Database {
  const db = openSqliteFile(path);
  return {
    ...collectionsOf(db),
    ...jobsOf(db),
    ...trashOf(db),
    ...answersOf(db),
    atomically: (step) => db.transaction(step)(),
    backup: (to, options) => backUp(db, to, options),
    close: () => void db.close(),
  };
}

/** Pages copied between two turns of the event loop: about 2 MB. */
const BACKUP_PAGES = 500;

/** SQLite's own backup: writes of this process meanwhile go into the copy too. */
async function backUp(
  db: SqliteDatabase.Database,
  path: string,
  { signal, onProgress }: Parameters<Database['backup']>[1],
): Promise<void> {
  await db.backup(path, {
    progress({ totalPages, remainingPages }) {
      signal.throwIfAborted();
      onProgress(totalPages === 0 ? 0 : 1 - remainingPages / totalPages);
      return BACKUP_PAGES;
    },
  });
}

const RECORD = `
  SELECT collections.number, name, collections.space, created_at, s.model_sha256, s.dimension,
    p.model_sha256 AS previous_model
  FROM collections JOIN spaces s ON s.space = collections.space LEFT JOIN spaces p ON p.space = previous`;

function collectionsOf(db: SqliteDatabase.Database) {
  const storeAt = createStores(db);
  const sql = {
    all: db.prepare<[], CollectionRow>(`${RECORD} ORDER BY name`),
    byName: db.prepare<[string], CollectionRow>(`${RECORD} WHERE name = ?`),
    insert: db.prepare(`INSERT INTO collections (name, created_at) VALUES (?, ${NOW})`),
    insertSpace: db.prepare('INSERT INTO spaces (collection, model_sha256, dimension) VALUES (?, ?, ?)'),
    space: db.prepare<[number, string], { space: number; dimension: number }>(
      'SELECT space, dimension FROM spaces WHERE collection = ? AND model_sha256 = ?',
    ),
    setSpace: db.prepare('UPDATE collections SET space = ? WHERE number = ?'),
    switchSpace: db.prepare(
      'UPDATE collections SET previous = space, space = ? WHERE number = ? AND space <> ?',
    ),
    forgetPrevious: db.prepare('UPDATE collections SET previous = NULL WHERE number = ? AND previous = ?'),
    deleteSpace: db.prepare('DELETE FROM spaces WHERE space = ?'),
    spaces: db.prepare<[number], { space: number; model_sha256: string; dimension: number }>(
      'SELECT space, model_sha256, dimension FROM spaces WHERE collection = ? ORDER BY space',
    ),
    deleteSome: db.prepare('DELETE FROM vectors WHERE row > ? AND row <= ? AND space = ?'),
    deleteVectors: db.prepare('DELETE FROM vectors WHERE space = ?'),
    remove: db.prepare('DELETE FROM collections WHERE number = ?'),
  };
  const found = (name: string): CollectionRow => {
    const record = sql.byName.get(name);
    if (record) return record;
    throw unknownCollection(
      name,
      sql.all.all().map((one) => one.name),
    );
  };
  const spaceOf = (name: string, modelSha256?: string): Store => {
    const { number, space, model_sha256, dimension } = found(name);
    const wanted = modelSha256 ?? model_sha256;
    const there = wanted === model_sha256 ? { space, dimension } : sql.space.get(number, wanted);
    if (!there)
      throw new LookalikeError(
        'not_found',
        `the collection ${JSON.stringify(name)} has no vectors of the model ${wanted.slice(0, 12)}…`,
      );
    const identity = { model_sha256: wanted, dimension: there.dimension };
    return storeAt({ name, number, space: there.space, identity });
  };
  /** The number of a space that may lose its vectors. */
  const idleSpace = (name: string, modelSha256: string): number => {
    const { space } = spaceOf(name, modelSha256);
    if (space !== found(name).space) return space;
    throw new LookalikeError('internal', 'the space that answers cannot be removed');
  };
  const create = db.transaction((name: string, { model_sha256, dimension }: StoreIdentity) => {
    if (sql.byName.get(name))
      throw new LookalikeError('already_exists', `there is a collection ${JSON.stringify(name)} already`, {
        field: 'name',
      });
    const number = Number(sql.insert.run(name).lastInsertRowid);
    sql.setSpace.run(Number(sql.insertSpace.run(number, model_sha256, dimension).lastInsertRowid), number);
  });

  return {
    collections: () => sql.all.all().map(({ number: _, ...record }) => record),
    createCollection(name: string, identity: StoreIdentity) {
      checkCollectionName(name);
      create(name, identity);
      return spaceOf(name);
    },
    removeCollection: (name: string) => void sql.remove.run(found(name).number),
    store: spaceOf,
    addSpace(name: string, { model_sha256, dimension }: StoreIdentity) {
      const { number } = found(name);
      if (!sql.space.get(number, model_sha256)) sql.insertSpace.run(number, model_sha256, dimension);
      return spaceOf(name, model_sha256);
    },
    switchSpace(name: string, modelSha256: string) {
      const { space } = spaceOf(name, modelSha256);
      sql.switchSpace.run(space, found(name).number, space);
    },
    spaces: (name: string) => sql.spaces.all(found(name).number),
    removeVectors: (name: string, modelSha256: string, { above, upTo }: { above: number; upTo: number }) =>
      void sql.deleteSome.run(above, upTo, idleSpace(name, modelSha256)),
    removeSpace: db.transaction((name: string, modelSha256: string) => {
      const space = idleSpace(name, modelSha256);
      sql.forgetPrevious.run(found(name).number, space);
      sql.deleteVectors.run(space);
      sql.deleteSpace.run(space);
    }) as Database['removeSpace'],
  };
}

function unknownCollection(name: string, known: readonly string[]): LookalikeError {
  const some = known.slice(0, 20).map((one) => JSON.stringify(one));
  return new LookalikeError(
    'unknown_collection',
    `there is no collection ${JSON.stringify(name.slice(0, 60))}; there ${some.length === 1 ? 'is' : 'are'} ${some.join(', ') || 'none'}${known.length > 20 ? ', …' : ''}`,
    { field: 'collection' },
  );
}

type Nullable<T> = { [key in keyof T]: T[key] | null };

function jobsOf(db: SqliteDatabase.Database): JobStore {
  const put = db.prepare(
    `INSERT INTO jobs (id, number, unfinished, job)
     VALUES (@id, (SELECT coalesce(max(number), 0) + 1 FROM jobs), @unfinished, @job)
     ON CONFLICT (id) DO UPDATE SET job = excluded.job, unfinished = excluded.unfinished`,
  );
  const one = db.prepare<[string], string>('SELECT job FROM jobs WHERE id = ?').pluck();
  const newest = db
    .prepare<[Record<keyof JobFilter, string | null> & { limit: number }], string>(
      `SELECT job FROM jobs
       WHERE (@kind IS NULL OR job ->> '$.kind' = @kind) AND (@state IS NULL OR job ->> '$.state' = @state)
       AND (@collection IS NULL OR job ->> '$.collection' = @collection)
       AND (@after IS NULL OR number < (SELECT number FROM jobs WHERE id = @after))
       ORDER BY number DESC LIMIT @limit`,
    )
    .pluck();
  const unfinished = db
    .prepare<[], string>('SELECT job FROM jobs WHERE unfinished = 1 ORDER BY number')
    .pluck();
  const parsed = (text: string) => JSON.parse(text) as Job;
  return {
    saveJob: (job) =>
      void put.run({
        id: job.id,
        unfinished: Number(job.state === 'queued' || job.state === 'running'),
        job: JSON.stringify(job),
      }),
    job(id) {
      const text = one.get(id);
      return text === undefined ? undefined : parsed(text);
    },
    jobs: (limit, { kind = null, collection = null, state = null, after = null }: Nullable<JobFilter> = {}) =>
      newest.all({ kind, collection, state, after, limit }).map(parsed),
    unfinishedJobs: () => unfinished.all().map(parsed),
  };
}

function trashOf(db: SqliteDatabase.Database): Pick<Database, 'trash' | 'addTrash' | 'inUse' | 'sweptTrash'> {
  const some = db.prepare<[number], string>('SELECT sha256 FROM trash LIMIT ?').pluck();
  const used = db.prepare<[string], number>('SELECT EXISTS (SELECT 1 FROM items WHERE sha256 = ?)').pluck();
  const add = db.prepare('INSERT OR IGNORE INTO trash VALUES (?)');
  const forget = db.prepare('DELETE FROM trash WHERE sha256 = ?');
  return {
    trash: (limit) => some.all(limit),
    addTrash: db.transaction((hashes: readonly string[]) => {
      for (const hash of hashes) add.run(hash);
    }),
    inUse: (sha256) => used.get(sha256) === 1,
    sweptTrash: db.transaction((hashes: readonly string[]) => {
      for (const hash of hashes) forget.run(hash);
    }),
  };
}
