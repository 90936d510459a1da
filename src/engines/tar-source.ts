import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { LookalikeError, messageOf } from '../core/errors.js';
import { badEntry, type ImportEvent, type ImportSource } from '../core/import-entry.js';
import { damaged, pathInArchive, pictureIn, pictureOf, refusedEntry, shown } from './archive-entry.js';
import { pictureTooLarge, readFully } from './files.js';

/**
 * A tar archive, plain or gzipped, as a source of imports: every JPEG, PNG and WebP file in it (by extension) is a
 * picture. Ids and labels are those of `listImages`: the path in the archive, and its first folder; hidden files are passed over.
 * Nothing is unpacked to the disk. Zip archives are refused here, `zip-source.ts` reads them.
 */
export interface TarOptions {
  maxBytes: number; // of one picture
  maxTotalBytes: number; // of the archive when it is unpacked: a small gzip can hold a thousand times its size
  /** Whether the archive is read once before, to tell how many entries there are. */
  count?: boolean;
  signal?: AbortSignal;
}

/** Opens the archive. Throws `not_found` and `unsupported_media_type`. */
export async function openTar(path: string, options: TarOptions): Promise<ImportSource> {
  const { size, gzip } = await lookAt(path);
  const counts: Counts = { read: 0, ignored: 0 };
  return {
    total: options.count ? await countOf({ path, gzip }, options) : null,
    bytesTotal: size,
    bytesRead: () => counts.read,
    ignored: () => counts.ignored,
    [Symbol.asyncIterator]: () => entries({ path, gzip }, options, counts),
  };
}

interface Counts {
  read: number; // bytes of the file
  ignored: number; // entries that are no pictures
}

interface Archive {
  path: string;
  gzip: boolean;
}

async function lookAt(path: string): Promise<{ size: number; gzip: boolean }> {
  const file = await open(path).catch((cause) => {
    throw new LookalikeError('not_found', `the archive cannot be read: ${messageOf(cause)}`, { cause });
  });
  try {
    const magic = new Uint8Array(2);
    await readFully(file, magic, 0);
    const [first, second] = magic;
    if (first === 0x50 && second === 0x4b)
      throw new LookalikeError('unsupported_media_type', 'this is a zip archive: tar and tar.gz are read');
    return { size: (await file.stat()).size, gzip: first === 0x1f && second === 0x8b };
  } finally {
    await file.close();
  }
}

async function* entries(archive: Archive, options: TarOptions, counts: Counts): AsyncGenerator<ImportEvent> {
  Object.assign(counts, { read: 0, ignored: 0 });
  const state: { failure: unknown; place: string } = { failure: null, place: 'its start' };
  const bytes = Readable.from(bytesOf(archive, { ...options, counts, state }));
  const tar = extract();
  bytes.pipe(tar);
  try {
    for await (const entry of tar) {
      state.place = shown(entry.header.name);
      const event = await eventOf(entry, options.maxBytes);
      if (event) yield event;
      else if (entry.header.type !== 'directory') counts.ignored++;
    }
  } catch (thrown) {
    state.failure ??= thrown;
  } finally {
    bytes.destroy();
    tar.destroy();
  }
  options.signal?.throwIfAborted();
  if (state.failure !== null) throw damaged(state.failure, state.place);
}

/** Pictures and refused entries of the archive; null when it cannot be read to its end. */
async function countOf(archive: Archive, options: TarOptions): Promise<number | null> {
  const state: { failure: unknown } = { failure: null };
  const bytes = Readable.from(bytesOf(archive, { ...options, counts: { read: 0, ignored: 0 }, state }));
  const tar = extract();
  bytes.pipe(tar);
  let count = 0;
  try {
    for await (const entry of tar) {
      count += isPassedOver(entry.header) ? 0 : 1;
      entry.resume();
    }
  } catch (thrown) {
    state.failure ??= thrown;
  } finally {
    bytes.destroy();
    tar.destroy();
  }
  options.signal?.throwIfAborted();
  return state.failure === null ? count : null;
}

function isPassedOver(header: Header): boolean {
  try {
    return picturePath(header) === null;
  } catch {
    return false;
  }
}

/** An archive ends with blocks of zeros; this many bytes of them must be there. */
const END = 512;

/** The unpacked bytes. A fault ends them early and is kept, so that the entries before it are still handed out. */
async function* bytesOf(
  { path, gzip }: Archive,
  { counts, state, maxTotalBytes, signal }: TarOptions & { counts: Counts; state: { failure: unknown } },
): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { signal });
  const unpacked = gzip ? pipeline(file, createGunzip(), () => undefined) : file;
  let total = 0;
  let zeros = 0; // at the end of what was read
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      counts.read = file.bytesRead;
      total += chunk.length;
      if (total > maxTotalBytes) throw tooLong(maxTotalBytes);
      zeros = trailingZeros(chunk, zeros);
      yield chunk;
    }
    if (zeros < END) throw new Error('it ends without the mark of its end, it was cut short');
  } catch (thrown) {
    state.failure = thrown;
  } finally {
    unpacked.destroy();
    file.destroy();
  }
}

/** How many bytes of zeros end what was read, counted to `END`. */
function trailingZeros(chunk: Uint8Array, before: number): number {
  let zeros = 0;
  while (zeros < Math.min(END, chunk.length) && chunk[chunk.length - 1 - zeros] === 0) zeros++;
  return zeros === chunk.length ? before + zeros : zeros;
}

/** An entry as the package hands it out: its header, then its bytes. */
interface TarEntry extends AsyncIterable<unknown> {
  header: Header;
  resume(): unknown;
}

/** Every entry carries the keys of the archive's common header; millions of them would be copied for each. */
const PAX_KEYS = 1000;

/** The event of an entry, null for what is passed over. The entry is read to its end either way. */
async function eventOf(entry: TarEntry, maxBytes: number): Promise<ImportEvent | null> {
  const { name, size, pax } = entry.header;
  if (Object.keys(pax ?? {}).length > PAX_KEYS)
    throw new Error(`an entry has more than ${PAX_KEYS} attributes`);
  try {
    const path = picturePath(entry.header);
    if (path !== null && size > maxBytes) throw pictureTooLarge(size, maxBytes);
    if (path !== null) return pictureOf(path, await contents(entry));
  } catch (thrown) {
    // What is wrong with the archive is wrong with all that follows.
    if (!(thrown instanceof LookalikeError)) throw thrown;
    entry.resume();
    return badEntry(shown(name), thrown);
  }
  entry.resume();
  return null;
}

async function contents(entry: TarEntry): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of entry) pieces.push(piece as Uint8Array);
  const bytes = Buffer.concat(pieces);
  if (bytes.length === entry.header.size) return bytes;
  throw new Error(`it ends after ${bytes.length} of ${entry.header.size} bytes`);
}

/** The path of an entry that is a picture's file, null for what is passed over; throws for what is refused. */
function picturePath({ name, type }: Header): string | null {
  if (type === 'directory') return null;
  const path = pathInArchive(name);
  if (type !== 'file' && type !== 'contiguous-file')
    throw refusedEntry(`it is a ${type ?? 'thing of an unknown type'}, only files are read`);
  return pictureIn(path);
}

function tooLong(maxTotalBytes: number): LookalikeError {
  return new LookalikeError(
    'body_too_large',
    `it holds more than the ${maxTotalBytes} bytes that are allowed`,
  );
}
