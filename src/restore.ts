import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LookalikeError } from './core/errors.js';
import type { SnapshotManifest } from './core/manifests.js';
import { syncFolder } from './engines/files.js';
import { openSqliteDatabase } from './engines/sqlite-database.js';
import { unpackSnapshot } from './engines/tar-snapshot.js';
import { DATABASE_FILE } from './snapshots.js';

/** A snapshot back into a data folder: everything is unpacked and verified beside it before anything is replaced. */
export interface Restored {
  manifest: SnapshotManifest;
  /** Where the data folder that was there lies now, or null when there was none. */
  kept: string | null;
}

/**
 * Throws `snapshot_invalid` or `database_invalid` (the snapshot), `already_exists` (the data folder has a database and
 * `replace` is not set) or `data_dir_busy` (a service runs on it); in all of these nothing was changed.
 */
export async function restoreSnapshot(
  path: string,
  { dataDir, replace, now }: { dataDir: string; replace: boolean; now: string },
): Promise<Restored> {
  const there = existsSync(join(dataDir, DATABASE_FILE));
  if (there && !replace)
    throw new LookalikeError(
      'already_exists',
      `${dataDir} holds a database. Name an empty --data-dir, or say --replace: what is there is then moved aside, not deleted.`,
      { field: '--data-dir' },
    );
  if (there) openSqliteDatabase(join(dataDir, DATABASE_FILE)).close(); // refused while a service holds it
  const next = `${dataDir}.restoring-${process.pid}`;
  await rm(next, { recursive: true, force: true });
  try {
    await mkdir(next, { recursive: true });
    const manifest = await unpackSnapshot(path, next);
    checkDatabase(path, next, manifest);
    const kept = existsSync(dataDir) ? `${dataDir}.before-${now.replaceAll(/[-:.]/g, '')}` : null;
    if (kept) await rename(dataDir, kept);
    await rename(next, dataDir);
    await syncFolder(dirname(dataDir));
    return { manifest, kept };
  } finally {
    await rm(next, { recursive: true, force: true });
  }
}

/** Opens the database that was unpacked, which checks its pages, and counts. */
function checkDatabase(path: string, folder: string, { collections }: SnapshotManifest): void {
  const database = openSqliteDatabase(join(folder, DATABASE_FILE));
  try {
    for (const { name, rows } of collections) {
      const found = database.store(name).count();
      if (found !== rows)
        throw new LookalikeError(
          'snapshot_invalid',
          `${path} names ${rows} pictures in the collection ${name}, its database has ${found}. Nothing was changed.`,
        );
    }
  } finally {
    database.close();
  }
}
