import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { LookalikeError, messageOf } from '../core/errors.js';
import { badEntry, type ImportEvent, type ImportSource, LABEL_LENGTH } from '../core/import-entry.js';
import { IMAGE_FILE } from '../core/sniff.js';
import { idOfPath, pictureTooLarge, readFully } from './files.js';

/**
 * A tar archive, plain or gzipped, as a source of imports: every JPEG, PNG and WebP file in it (by extension) is a
 * picture. Ids and labels are those of `listImages`: the path in the archive, and its first folder; hidden files are passed over.
 * Nothing is unpacked to the disk. Zip archives are refused.
 */
export interface TarOptions {
  maxBytes: number; // of one picture
  maxTotalBytes: number; // of the archive when it is unpacked: a small gzip can hold a thousand times its size
  signal?: AbortSignal;
}

/** Opens the archive. Throws `not_found` and `unsupported_media_type`. */
export async function openTar(path: string, options: TarOptions): Promise<ImportSource> {
  const { size, gzip } = await lookAt(path);
  const counts: Counts = { read: 0, ignored: 0 };
  return {
    total: null,
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
    if (path !== null) return picture(path, await contents(entry));
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

function picture(path: string, bytes: Uint8Array): ImportEvent {
  const [folder, ...rest] = path.split('/');
  const label = rest.length > 0 ? folder! : null;
  const read = () => Promise.resolve(bytes);
  return { kind: 'picture', place: shown(path), id: idOfPath(path), label, metadata: {}, source: null, read };
}

/** What a path may have, as Linux has it; the header of an archive could hold megabytes. */
const PATH_LENGTH = 4096;

/** The path of an entry that is a picture's file, null for what is passed over; throws for what is refused. */
function picturePath({ name, type }: Header): string | null {
  if (type === 'directory') return null;
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..')) throw refused('its path leads out of the archive');
  if (type !== 'file' && type !== 'contiguous-file')
    throw refused(`it is a ${type ?? 'thing of an unknown type'}, only files are read`);
  if (!IMAGE_FILE.test(name) || parts.some((part) => part.startsWith('.'))) return null;
  if (name.length > PATH_LENGTH || parts[0]!.length > LABEL_LENGTH)
    throw refused(
      `its path has ${name.length} characters and its first folder ${parts[0]!.length}, ${PATH_LENGTH} and ${LABEL_LENGTH} are allowed`,
    );
  return parts.join('/');
}

const refused = (why: string): LookalikeError => new LookalikeError('invalid_parameter', why);

function tooLong(maxTotalBytes: number): LookalikeError {
  return new LookalikeError(
    'body_too_large',
    `it holds more than the ${maxTotalBytes} bytes that are allowed`,
  );
}

function damaged(failure: unknown, place: string): LookalikeError {
  const code = failure instanceof LookalikeError ? failure.code : 'malformed_body';
  return new LookalikeError(code, `the archive cannot be read past ${place}: ${messageOf(failure)}`, {
    cause: failure,
  });
}

const shown = (name: string): string => (name.length > 300 ? `${name.slice(0, 300)}…` : name);
