import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull, LookalikeError } from '../core/errors.js';
import type { SpooledUpload } from '../core/import-entry.js';
import { sha256OfFile, syncFolder } from './files.js';

/** Bodies that wait for their import: on disk and checksummed before the import is a job, so that a restart finds them. */
export interface UploadSpool {
  /**
   * Writes a body; it is durable when this resolves, and nothing of it is left when it rejects. `announced`: bytes, null
   * when the sender does not say. Throws `storage_full`, and what the body throws.
   */
  write(body: AsyncIterable<Uint8Array>, announced: number | null): Promise<SpooledUpload>;
  /** Where it lies, once its bytes were found to be the same. Throws `not_found` and `malformed_body`. */
  verified(upload: SpooledUpload): Promise<string>;
  /** A folder beside it for what is unpacked of it; new and empty. */
  unpackFolder(id: string): Promise<string>;
  /** Also when there is none. */
  remove(id: string): Promise<void>;
  /** Removes all uploads but these. */
  keepOnly(ids: readonly string[]): Promise<void>;
}

/** What has to stay free beside an upload: the database and its log grow too. */
const RESERVE_BYTES = 64 << 20;

export function createUploadSpool(folder: string): UploadSpool {
  const pathOf = (id: string) => join(folder, id);
  const unpackedOf = (id: string) => join(folder, `${id}.unpacked`);
  const remove = async (id: string) => {
    await rm(unpackedOf(id), { recursive: true, force: true });
    await rm(pathOf(id), { force: true });
  };
  return {
    async write(body, announced) {
      await mkdir(folder, { recursive: true });
      await checkRoom(folder, announced);
      const id = randomUUID();
      const part = `${pathOf(id)}.part`;
      try {
        const facts = await writeAll(part, body);
        await rename(part, pathOf(id));
        await syncFolder(folder);
        return { id, ...facts };
      } catch (thrown) {
        await rm(part, { force: true });
        throw isDiskFull(thrown) ? storageFull(thrown) : thrown;
      }
    },
    async verified({ id, bytes, sha256 }) {
      const path = pathOf(id);
      const { size } = await stat(path).catch((cause) => {
        throw new LookalikeError(
          'not_found',
          'what was uploaded is no longer in the data folder (a snapshot does not hold it): send it again',
          { cause },
        );
      });
      if (size === bytes && (await sha256OfFile(path)) === sha256) return path;
      throw new LookalikeError(
        'malformed_body',
        'what was uploaded was damaged on the disk: its SHA-256 is another; send it again',
      );
    },
    async unpackFolder(id) {
      const unpacked = unpackedOf(id);
      await rm(unpacked, { recursive: true, force: true });
      await mkdir(unpacked, { recursive: true });
      return unpacked;
    },
    remove,
    async keepOnly(ids) {
      const names = await readdir(folder).catch(() => []);
      for (const name of names)
        if (!ids.includes(name)) await rm(pathOf(name), { recursive: true, force: true });
    },
  };
}

async function checkRoom(folder: string, announced: number | null): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize - RESERVE_BYTES;
  if (free >= (announced ?? 0)) return;
  throw storageFull(undefined, announced === null ? '' : ` for the ${announced} bytes that were announced`);
}

async function writeAll(path: string, body: AsyncIterable<Uint8Array>): Promise<Omit<SpooledUpload, 'id'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx');
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      bytes += chunk.length;
      await file.appendFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

const storageFull = (cause?: unknown, why = ''): LookalikeError =>
  new LookalikeError('storage_full', `the disk of the data folder has no room${why}`, { cause });
