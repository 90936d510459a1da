import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, pack } from 'tar-stream';
import { LookalikeError, messageOf } from '../core/errors.js';
import { type SnapshotManifest, snapshotManifest } from '../core/manifests.js';
import { syncFolder } from './files.js';
import { MANIFEST_FILE, parseManifest } from './manifest.js';

/**
 * A snapshot: one tar file of a data folder's truth. `manifest.json` comes last and holds the SHA-256 of every entry
 * before it, so a file that was cut short has no manifest and a changed byte does not fit it.
 */

/** One file of a tar while it is read; its type has no name in tar-stream's types. */
type TarEntry = AsyncIterable<Buffer> & { header: Header };

/** A file that goes into a snapshot, under a name relative to the data folder. */
export interface SnapshotFile {
  name: string;
  path: string;
}

export interface SnapshotWriting {
  files: readonly SnapshotFile[];
  about: Omit<SnapshotManifest, 'format_version' | 'files'>;
  signal: AbortSignal;
  onFile: (done: number) => void;
}

/** Writes the snapshot at `path`; it appears there whole or not at all. Returns its size in bytes. */
export async function writeSnapshot(path: string, writing: SnapshotWriting): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await pipeline(Readable.from(tarOf(writing)), createWriteStream(temporary, { flags: 'wx' }), {
      signal: writing.signal,
    });
    const file = await open(temporary, 'r+');
    await file.sync().finally(() => file.close());
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
  return (await stat(path)).size;
}

/** The bytes of the tar, file by file: nothing of it is ever whole in memory. */
async function* tarOf({ files, about, onFile }: SnapshotWriting): AsyncGenerator<Buffer> {
  const tar = pack();
  const hashes: Record<string, string> = {};
  const filling = (async () => {
    for (const [i, { name, path }] of files.entries()) {
      hashes[name] = await addFile(tar, name, path);
      onFile(i + 1);
    }
    const manifest = snapshotManifest.parse({ format_version: 1, ...about, files: hashes });
    tar.entry({ name: MANIFEST_FILE }, `${JSON.stringify(manifest, null, 2)}\n`);
    tar.finalize();
  })();
  filling.catch((error: unknown) => tar.destroy(error as Error));
  yield* tar as AsyncIterable<Buffer>;
  await filling;
}

async function addFile(tar: ReturnType<typeof pack>, name: string, path: string): Promise<string> {
  const hash = createHash('sha256');
  const { size } = await stat(path);
  const entry = tar.entry({ name, size });
  await pipeline(
    createReadStream(path),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    entry,
  );
  return hash.digest('hex');
}

/**
 * Unpacks a snapshot into an empty folder and checks every byte of it. Throws `snapshot_invalid` with what is wrong; what
 * was written by then is the caller's to remove.
 */
export async function unpackSnapshot(path: string, folder: string): Promise<SnapshotManifest> {
  const refuse = (why: string, cause?: unknown) =>
    new LookalikeError('snapshot_invalid', `${path} is not a whole snapshot: ${why}. Nothing was changed.`, {
      cause,
    });
  const found: Record<string, string> = {};
  let manifest: string | undefined;
  const tar = extract();
  const reading = pipeline(createReadStream(path), tar);
  reading.catch(() => undefined); // the loop below meets the same error
  try {
    for await (const entry of tar as AsyncIterable<TarEntry>) {
      if (manifest !== undefined) throw refuse('something stands behind its manifest');
      const { name, type } = entry.header;
      if (type !== 'file' || !SAFE.test(name) || found[name] !== undefined)
        throw refuse(`it holds ${JSON.stringify(name)} (${type}), which is none of ours`);
      if (name === MANIFEST_FILE) manifest = await textOf(entry);
      else found[name] = await unpackFile(entry, join(folder, name));
    }
    await reading;
  } catch (cause) {
    if (cause instanceof LookalikeError) throw cause;
    throw refuse(messageOf(cause), cause);
  }
  if (manifest === undefined) throw refuse('it ends before its manifest');
  const parsed = parseManifest(manifest, snapshotManifest, { path, code: 'snapshot_invalid' });
  const names = new Set([...Object.keys(parsed.files), ...Object.keys(found)]);
  for (const name of names)
    if (parsed.files[name] !== found[name]) throw refuse(`${name} is not what its manifest says`);
  return parsed;
}

/** Names that a data folder has: no way up, no absolute path, nothing hidden. */
const SAFE = /^(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9_.-]*(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/;
const MANIFEST_BYTES = 1 << 30;

async function textOf(entry: TarEntry): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of entry) {
    size += chunk.length;
    if (size > MANIFEST_BYTES) throw new Error('its manifest is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Writes an entry to the disk and returns its hash. */
async function unpackFile(entry: TarEntry, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    for await (const chunk of entry) {
      hash.update(chunk);
      await file.write(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
