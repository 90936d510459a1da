import { stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type Entry, getFileNameLowLevel, openPromise, type ZipFile } from 'yauzl';
import { LookalikeError, messageOf } from '../core/errors.js';
import { badEntry, type ImportEvent, type ImportSource } from '../core/import-entry.js';
import { damaged, pathInArchive, pictureIn, pictureOf, refusedEntry, shown } from './archive-entry.js';
import { pictureTooLarge } from './files.js';

/**
 * A zip archive, zip64 too, as a source of imports, by the rules of `tar-source.ts`: every picture's file in it, named by
 * its path and labelled by its first folder. One entry is in memory at a time, and nothing is unpacked to the disk.
 * Entries that are encrypted, packed otherwise than by deflate, or damaged cost themselves.
 */
export interface ZipOptions {
  maxBytes: number; // of one picture
  maxTotalBytes: number; // of all pictures when they are unpacked
  maxEntries: number;
  signal?: AbortSignal;
}

/** Pictures hardly shrink. Deflate makes at most a thousandth, and entries that share their bytes make less. */
const RATIO = 200;
/** Below this many unpacked bytes no archive is a bomb. */
const HARMLESS_BYTES = 64 << 20;

/** Opens the archive. Throws `not_found`, `malformed_body` (no zip) and `body_too_large` (too many entries). */
export async function openZip(path: string, options: ZipOptions): Promise<ImportSource> {
  const { size } = await stat(path).catch((cause) => {
    throw new LookalikeError('not_found', `the archive cannot be read: ${messageOf(cause)}`, { cause });
  });
  const first = await open(path);
  first.close();
  const { entryCount } = first;
  if (entryCount > options.maxEntries)
    throw new LookalikeError(
      'body_too_large',
      `the archive has ${entryCount} entries, ${options.maxEntries} are allowed`,
    );
  const counts: Counts = { packed: 0, unpacked: 0, ignored: 0, size };
  return {
    total: entryCount,
    bytesTotal: size,
    bytesRead: () => Math.min(size, counts.packed),
    ignored: () => counts.ignored,
    [Symbol.asyncIterator]: () => entries(path, options, counts),
  };
}

/** Names are read here: yauzl gives up the whole archive for one that leads out of it. */
const open = (path: string): Promise<ZipFile> =>
  openPromise(path, { decodeStrings: false }).catch((cause) => {
    throw new LookalikeError('malformed_body', `this is no zip archive: ${messageOf(cause)}`, { cause });
  });

interface Counts {
  packed: number; // bytes of the entries so far, in the file
  unpacked: number; // bytes of the pictures so far
  ignored: number;
  size: number; // bytes of the file
}

async function* entries(path: string, options: ZipOptions, counts: Counts): AsyncGenerator<ImportEvent> {
  Object.assign(counts, { packed: 0, unpacked: 0, ignored: 0 });
  const zip = await open(path);
  let place = 'its start';
  try {
    for await (const entry of zip.eachEntry()) {
      options.signal?.throwIfAborted();
      const name = nameOf(entry);
      place = shown(name);
      counts.packed += entry.compressedSize;
      const event = await eventOf(zip, { entry, name }, options, counts);
      if (event) yield event;
      else if (!name.endsWith('/')) counts.ignored++;
    }
  } catch (thrown) {
    options.signal?.throwIfAborted();
    throw damaged(thrown, place);
  }
}

const nameOf = ({ generalPurposeBitFlag, fileNameRaw, extraFields }: Entry): string =>
  getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false);

interface Named {
  entry: Entry;
  name: string;
}

/** The event of an entry, null for what is passed over. Throws for what is wrong with the archive as a whole. */
async function eventOf(
  zip: ZipFile,
  { entry, name }: Named,
  options: ZipOptions,
  counts: Counts,
): Promise<ImportEvent | null> {
  let path: string | null;
  try {
    path = picturePath(entry, name);
    if (path === null) return null;
    if (entry.uncompressedSize > options.maxBytes)
      throw pictureTooLarge(entry.uncompressedSize, options.maxBytes);
  } catch (thrown) {
    return badEntry(shown(name), thrown);
  }
  counts.unpacked += entry.uncompressedSize;
  checkUnpacked(counts, options);
  try {
    return pictureOf(path, await contents(zip, entry));
  } catch (thrown) {
    if (thrown instanceof LookalikeError) return badEntry(shown(name), thrown);
    const why = `its data are damaged: ${messageOf(thrown)}`;
    return badEntry(shown(name), new LookalikeError('malformed_body', why, { cause: thrown }));
  }
}

const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;

function picturePath(entry: Entry, name: string): string | null {
  if (name.endsWith('/')) return null;
  const parts = pathInArchive(name);
  // Made on Unix, the mode of the file stands in the upper half; 0 when its maker left it out.
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  if (type !== 0 && type !== REGULAR) throw refusedEntry('it is a link or a device, only files are read');
  const path = pictureIn(parts);
  if (path === null) return null;
  if (entry.isEncrypted()) throw refusedEntry('it is encrypted');
  if (!entry.canDecodeFileData())
    throw refusedEntry(
      `it is packed by the method ${entry.compressionMethod}; 0 (stored) and 8 (deflate) are read`,
    );
  return path;
}

function checkUnpacked({ unpacked, size }: Counts, { maxTotalBytes }: ZipOptions): void {
  if (unpacked > maxTotalBytes)
    throw new LookalikeError(
      'body_too_large',
      `it holds more than the ${maxTotalBytes} bytes that are allowed`,
    );
  if (unpacked > HARMLESS_BYTES && unpacked > RATIO * size)
    throw new LookalikeError(
      'body_too_large',
      `its pictures unpack to more than ${RATIO} times its ${size} bytes`,
    );
}

/** yauzl checks that there are as many bytes as the entry says. */
async function contents(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const stream = await zip.openReadStreamPromise(entry);
  for await (const piece of stream) pieces.push(piece as Buffer);
  const bytes = Buffer.concat(pieces);
  if (crc32(bytes) === entry.crc32) return bytes;
  throw new LookalikeError('malformed_body', 'its data are damaged: the checksum is another');
}
