import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { LookalikeError } from './core/errors.js';
import type { SnapshotManifest } from './core/manifests.js';
import type { Database, SnapshotRecord, Snapshots } from './core/ports.js';
import { openSqliteDatabase } from './engines/sqlite-database.js';
import { type SnapshotFile, writeSnapshot } from './engines/tar-snapshot.js';

/** Database, kept pictures and models put together into one file: the part of the assembly that needs all of them. */
export interface SnapshotsParts {
  dataDir: string;
  database: Database;
  version: string;
}

export const DATABASE_FILE = 'lookalike.db';
/** Where pictures that were given to us are kept, by their hash. */
const PICTURES = [join('images', 'originals'), join('images', 'copies')];
const MODELS = 'models';
const NAME = /^[0-9]{8}T[0-9]{9}Z-[0-9a-f]{8}$/;

export function createSnapshots({ dataDir, database, version }: SnapshotsParts): Snapshots {
  const folder = join(dataDir, 'snapshots');
  const pathOf = (id: string) => {
    if (NAME.test(id)) return join(folder, `${id}.tar`);
    throw new LookalikeError('not_found', `there is no snapshot ${JSON.stringify(id.slice(0, 60))}`);
  };

  /** What stands in the copy of the database, which nothing writes to, decides what goes along with it. */
  async function filesOf(
    copy: string,
  ): Promise<{ files: SnapshotFile[]; about: Pick<SnapshotManifest, 'collections'> }> {
    const frozen = openSqliteDatabase(copy);
    try {
      const kept = await Promise.all(PICTURES.map((folder) => filesBelow(dataDir, folder)));
      const pictures = kept.flat().filter(({ path }) => frozen.inUse(hashOf(path)));
      const collections = frozen.collections().map(({ name, model_sha256 }) => {
        return { name, model_sha256, rows: frozen.store(name).count() };
      });
      const files = [
        { name: DATABASE_FILE, path: copy },
        ...pictures,
        ...(await filesBelow(dataDir, MODELS)),
      ];
      return { files, about: { collections } };
    } finally {
      frozen.close();
    }
  }

  return {
    async create({ now, signal, report }) {
      const id = `${now.replaceAll(/[-:.]/g, '')}-${randomUUID().slice(0, 8)}`;
      const copy = join(dataDir, `.snapshot-${process.pid}-${randomUUID()}.db`);
      try {
        await database.backup(copy, { signal, onProgress: () => undefined });
        const { files, about } = await filesOf(copy);
        report({ total: files.length });
        const bytes = await writeSnapshot(pathOf(id), {
          files,
          about: { ...about, lookalike: version, created_at: now },
          signal,
          onFile: (done) => report({ done }),
        });
        return { id, bytes, created_at: now };
      } finally {
        for (const end of ['', '-wal', '-shm']) await rm(copy + end, { force: true });
      }
    },
    async list() {
      const names = (await entriesOf(folder))
        .map((name) => name.replace(/\.tar$/, ''))
        .filter((id) => NAME.test(id));
      const found = await Promise.all(names.map((id) => recordOf(pathOf(id), id)));
      return found.sort((a, b) => (a.id < b.id ? 1 : -1));
    },
    async path(id) {
      const path = pathOf(id);
      await recordOf(path, id);
      return path;
    },
    async remove(id) {
      await recordOf(pathOf(id), id);
      await rm(pathOf(id));
    },
  };
}

async function recordOf(path: string, id: string): Promise<SnapshotRecord> {
  try {
    const { size, mtime } = await stat(path);
    return { id, bytes: size, created_at: mtime.toISOString() };
  } catch (cause) {
    throw new LookalikeError('not_found', `there is no snapshot ${JSON.stringify(id)}`, { cause });
  }
}

const hashOf = (path: string) => path.slice(path.lastIndexOf(sep) + 1).replace(/\..*$/, '');
const entriesOf = (folder: string) => readdir(folder).catch(() => [] as string[]);

/** Every file below a folder of the data folder, in the order of their names; none when there is no such folder. */
async function filesBelow(dataDir: string, folder: string): Promise<SnapshotFile[]> {
  const found = await readdir(join(dataDir, folder), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return found
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, name: relative(dataDir, path).replaceAll(sep, '/') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
