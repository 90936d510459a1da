import { LookalikeError, messageOf } from '../core/errors.js';
import { isWellFormed } from '../core/facets.js';
import {
  type BadEntry,
  badEntry,
  type ImportEvent,
  type ImportSource,
  type PictureEntry,
  type VectorEntry,
} from '../core/import-entry.js';

/** The entries of a source in batches that are read, embedded and committed together. */

/** A picture with its file, a vector, or what cannot be taken. */
export type ReadEntry = ReadPicture | (VectorEntry & { sha256: string }) | BadEntry;
export type ReadPicture = Omit<PictureEntry, 'read'> & { bytes: Uint8Array; sha256: string };

/** Pictures in a batch, and the bytes after which no further one is taken in: they are in memory. */
const PICTURES = 64;
const BYTES = 64 << 20;
/** Vectors in a batch: stored in one go, which holds up requests for as long. */
const VECTORS = 128;

export async function* batchesOf(
  source: ImportSource,
  sha256: (bytes: Uint8Array) => string,
): AsyncGenerator<ReadEntry[]> {
  let batch: ReadEntry[] = [];
  let weight = 0;
  let failure: { thrown: unknown } | null = null;
  try {
    for await (const event of source) {
      const entry = await read(event, sha256);
      batch.push(entry);
      weight += weightOf(entry);
      if (weight < 1) continue;
      yield batch;
      [batch, weight] = [[], 0];
    }
  } catch (thrown) {
    failure = { thrown };
  }
  if (batch.length > 0) yield batch; // what came before a fault is taken
  if (failure) throw failure.thrown;
}

/** The part of a batch that it takes. */
const weightOf = (entry: ReadEntry): number =>
  entry.kind === 'picture' ? Math.max(1 / PICTURES, entry.bytes.length / BYTES) : 1 / VECTORS;

async function read(event: ImportEvent, sha256: (bytes: Uint8Array) => string): Promise<ReadEntry> {
  if (event.kind === 'bad') return event;
  try {
    checkPathId(event.id);
    if (event.kind === 'vector') return { ...event, sha256: event.sha256 ?? sha256(bytesOf(event.vector)) };
    const { read: readBytes, ...picture } = event;
    const bytes = await readBytes();
    return { ...picture, bytes, sha256: sha256(bytes) };
  } catch (thrown) {
    if (thrown instanceof LookalikeError) return badEntry(event.place, thrown, event.id);
    // A file that cannot be read now costs itself.
    const unread = new LookalikeError('not_found', `it cannot be read: ${messageOf(thrown)}`, {
      cause: thrown,
    });
    return badEntry(event.place, unread, event.id);
  }
}

/** An item whose picture is not known goes by the hash of its vector. */
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Clients take a lone dot or two for steps of a path. */
function checkPathId(id: string): void {
  if (id !== '.' && id !== '..' && isWellFormed(id)) return;
  throw new LookalikeError('invalid_parameter', 'an id may not be "." or "..", and must be valid Unicode', {
    field: 'id',
  });
}
