import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LookalikeError, messageOf } from '../core/errors.js';
import { ID_BYTES } from '../core/vector.js';

/** Plumbing that every engine may use: hashes, bounded reads, and writes that a power cut leaves whole or not at all. */

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** SHA-256 of a file, hex, without holding the file in memory. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** A picture goes by its path; a path that is too long for an id goes by its hash. */
export function idOfPath(path: string): string {
  const bytes = Buffer.from(path);
  return bytes.length <= ID_BYTES ? path : sha256Of(bytes);
}

/** Fills `into` from byte `at` on; returns how many bytes there were. */
export async function readFully(file: FileHandle, into: Uint8Array, at: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/**
 * The bytes of a picture's file. `path` has no links in it (`realpath`), so that it leads where it was checked to lead.
 * Throws `not_found`, `image_too_large` past `maxBytes` and `invalid_parameter` for what is no regular file.
 */
export async function readPicture(path: string, maxBytes: number): Promise<Uint8Array> {
  // Opening a pipe waits for a writer unless it must not.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((cause) => {
    throw new LookalikeError('not_found', `the picture cannot be read: ${messageOf(cause)}`, { cause });
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new LookalikeError('invalid_parameter', `${path} is not a file`);
    if (found.size > maxBytes) throw pictureTooLarge(found.size, maxBytes);
    const bytes = new Uint8Array(found.size);
    return bytes.subarray(0, await readFully(file, bytes, 0));
  } finally {
    await file.close();
  }
}

export const pictureTooLarge = (bytes: number, maxBytes: number): LookalikeError =>
  new LookalikeError('image_too_large', `the picture has ${bytes} bytes, ${maxBytes} are allowed`);

/** Makes the names in a folder durable (a rename is only on disk once its folder is). */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes a file temp -> fsync -> rename: at every moment the path holds the old bytes or the new ones. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // It names the file that it is for, so that whoever removes that file finds what a crash left of it.
  const unique = `${process.pid}-${Math.random().toString(36).slice(2)}`;
  const temporary = join(dirname(path), `.${basename(path)}.${unique}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Where a file of this hash lies: 256 sub-folders, so that none gets too many entries. */
export const shardOf = (folder: string, sha256: string): string => join(folder, sha256.slice(0, 2));

/** Removes every file of the shard that has the hash in its name, half-written ones included. */
export async function removeByHash(folder: string, sha256: string): Promise<void> {
  const shard = shardOf(folder, sha256);
  const names = await readdir(shard).catch(() => []);
  for (const name of names.filter((one) => one.includes(sha256)))
    await rm(join(shard, name), { force: true });
}
