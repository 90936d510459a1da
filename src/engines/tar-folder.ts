import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, pack } from 'tar-stream';
import { LookalikeError, messageOf } from '../core/errors.js';

/** A folder (or one file) as a tar stream and back: how a model travels to a service. */

const MOST_FILES = 1000;

/** The files below a folder as a tar, or the one file; hidden ones are left out. Throws what the file system throws. */
export async function* packFolder(path: string): AsyncGenerator<Buffer> {
  const single = (await stat(path)).isFile();
  const files = single ? [path] : await filesBelow(path);
  const name = (file: string) => (single ? basename(file) : relative(path, file).replaceAll(sep, '/'));
  yield* packFiles(files.map((file) => ({ path: file, name: name(file) })));
}

export interface PackedFile {
  path: string;
  name: string; // in the tar
}

/**
 * Files as a tar, each read when its turn comes. Throws what the file system throws; with `onUnreadable`, a file that cannot
 * be opened is left out and told of instead.
 */
export async function* packFiles(
  files: readonly PackedFile[],
  onUnreadable?: (file: PackedFile, cause: unknown) => void,
): AsyncGenerator<Buffer> {
  const tar = pack();
  const filling = (async () => {
    for (const file of files) {
      const handle = await open(file.path).catch((cause) => {
        if (!onUnreadable) throw cause;
        onUnreadable(file, cause);
      });
      if (!handle) continue;
      const { size } = await handle.stat(); // of what is read, whatever has its name by then
      const entry = tar.entry({ name: file.name, size });
      await pipeline(size === 0 ? Readable.from([]) : handle.createReadStream({ end: size - 1 }), entry);
      await handle.close().catch(() => undefined); // the stream has closed it already
    }
    tar.finalize();
  })();
  filling.catch((error: unknown) => tar.destroy(error as Error));
  yield* tar as AsyncIterable<Buffer>;
  await filling;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/**
 * Writes the files of a tar stream into `folder` and returns their names. Throws `malformed_body` for what is no tar, or
 * holds anything but plain files with plain names; what was written by then is the caller's to remove.
 */
export async function unpackFolder(tar: AsyncIterable<Uint8Array>, folder: string): Promise<string[]> {
  const entries = extract();
  const reading = pipeline(Readable.from(tar), entries);
  reading.catch(() => undefined); // the loop below meets the same error
  const names: string[] = [];
  try {
    for await (const entry of entries as AsyncIterable<AsyncIterable<Buffer> & { header: Header }>) {
      const { name, type } = entry.header;
      if (type === 'directory') continue;
      if (type !== 'file' || !SAFE.test(name) || names.includes(name) || names.length === MOST_FILES)
        throw refusal(`it holds ${JSON.stringify(name.slice(0, 100))} (${type})`);
      names.push(name);
      await writeEntry(entry, join(folder, name));
    }
    await reading;
  } catch (cause) {
    if (cause instanceof LookalikeError) throw cause;
    throw refusal(messageOf(cause), cause);
  }
  if (names.length === 0) throw refusal('it holds no file');
  return names;
}

/** No way up, no absolute path, nothing hidden. */
const SAFE = /^(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9_. -]*(\/[A-Za-z0-9_-][A-Za-z0-9_. -]*)*$/;

const refusal = (why: string, cause?: unknown) =>
  new LookalikeError('malformed_body', `the body is not a tar of plain files: ${why}`, { cause });

async function writeEntry(entry: AsyncIterable<Buffer>, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'wx');
  try {
    for await (const chunk of entry) await file.write(chunk);
  } finally {
    await file.close();
  }
}
