import { LookalikeError, messageOf } from '../core/errors.js';
import type { Decoder, Embeddable, OpenModel, Store } from '../core/ports.js';
import type { Image } from '../core/types.js';
import type { Progress } from './jobs.js';
import { type PictureParts, pictureBytes } from './picture-bytes.js';

/**
 * The stored pictures into another vector space: read -> decode -> embed -> store, batch by batch. What has its vector
 * already is passed over, so a run that was interrupted goes on; what came meanwhile is found by another call.
 */
export interface FillParts extends PictureParts {
  decoder: Decoder;
  /** Lets waiting requests run. */
  yieldToRequests: () => Promise<void>;
}

/** A space that is being filled. */
export interface Filling {
  store: Store; // in the space that is filled
  model: Pick<OpenModel, 'manifest' | 'embedder'>;
  mark: number; // rows up to here have been seen
  done: number; // items seen
  embedded: number;
  missing: Set<number>; // rows whose picture could not be read or embedded
  listed: Missing[]; // the first of them
}

export interface Missing {
  id: string;
  reason: string;
}

/** Why there is no picture, in words. */
const FILE_GONE = 'its file is not there any more, or is another one now';
const NOTHING_KEPT =
  'nothing of its file is kept: LOOKALIKE_KEEP was none, only its vector came, or the file was lost';

/** Pictures embedded together. */
const BATCH = 32;
/** Pictures decoded at once: a search that comes meanwhile waits behind so many, and not behind a batch. */
const AT_ONCE = 2;
const PAGE = 1000;
const LISTED = 1000;

export const newFilling = (store: Store, model: Filling['model']): Filling => {
  return { store, model, mark: 0, done: 0, embedded: 0, missing: new Set(), listed: [] };
};

/** Fills until no item above `filling.mark` is without a vector or counted as missing. */
export async function fillSpace(
  parts: FillParts,
  filling: Filling,
  { signal, report }: Progress,
): Promise<void> {
  let storing: Promise<void> = Promise.resolve();
  try {
    for await (const batch of batches(parts, filling)) {
      signal.throwIfAborted();
      const read = await readBatch(parts, filling, batch);
      await storing;
      // A batch is embedded while the next one is read and decoded.
      storing = embedAndStore(filling, read).then(() =>
        report({ done: filling.done, failures: filling.missing.size }),
      );
      storing.catch(() => undefined); // awaited above or below; this only keeps Node from calling it unhandled
    }
  } finally {
    await storing;
  }
  report({ done: filling.done });
}

/** The items that lack a vector. Pages are of rows, so that no call of the database is long where few of them lack one. */
async function* batches({ yieldToRequests }: FillParts, filling: Filling): AsyncGenerator<Embeddable[]> {
  const { store } = filling;
  for (;;) {
    const page = store.labelsInRowOrder(filling.mark, PAGE);
    const last = page.at(-1)?.row;
    if (last === undefined) return;
    const lacking = store.withoutVector(filling.mark, PAGE, last);
    filling.done += page.length - lacking.length;
    for (let at = 0; at < lacking.length; at += BATCH) yield lacking.slice(at, at + BATCH);
    filling.mark = last;
    await yieldToRequests();
  }
}

async function readBatch(parts: FillParts, filling: Filling, batch: readonly Embeddable[]): Promise<Read[]> {
  const read: Read[] = [];
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < batch.length; at = next++)
      read[at] = await readPicture(parts, filling, batch[at]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return read;
}

type Read = { item: Embeddable } & ({ pixels: Image } | { reason: string });

async function readPicture(parts: FillParts, { model }: Filling, item: Embeddable): Promise<Read> {
  try {
    const bytes = await pictureBytes(parts, item);
    if (bytes === null) return { item, reason: item.source === null ? NOTHING_KEPT : FILE_GONE };
    const { image: pixels } = await parts.decoder.decode(bytes, model.manifest.preprocess);
    return { item, pixels };
  } catch (error) {
    return { item, reason: messageOf(error) };
  }
}

async function embedAndStore(filling: Filling, batch: readonly Read[]): Promise<void> {
  for (const read of batch) if ('reason' in read) noteMissing(filling, read.item, read.reason);
  const readable = batch.filter((read) => 'pixels' in read);
  if (readable.length > 0) await embedTogether(filling, readable);
  filling.done += batch.length;
}

/** In one call of the encoder; where it has no vector for one of the pictures, that one is found and left out. */
async function embedTogether(
  filling: Filling,
  readable: readonly { item: Embeddable; pixels: Image }[],
): Promise<void> {
  const { store, model } = filling;
  try {
    const vectors = await model.embedder.embed(readable.map(({ pixels }) => pixels));
    store.addVectors(
      readable.map(({ item }) => item.row),
      vectors,
    );
    filling.embedded += readable.length;
  } catch (error) {
    if (!(error instanceof LookalikeError && error.code === 'invalid_vector')) throw error;
    if (readable.length === 1) return noteMissing(filling, readable[0]!.item, error.message);
    for (const one of readable) await embedTogether(filling, [one]);
  }
}

function noteMissing({ missing, listed }: Filling, { row, id }: Embeddable, reason: string): void {
  missing.add(row);
  if (listed.length < LISTED) listed.push({ id, reason });
}

/** Forgets the missing ones that were removed or replaced meanwhile. */
export async function forgetRemoved({ yieldToRequests }: FillParts, filling: Filling): Promise<void> {
  let looked = 0;
  for (const row of filling.missing) {
    if (!filling.store.itemByRow(row)) filling.missing.delete(row);
    if (++looked % PAGE === 0) await yieldToRequests();
  }
  if (filling.listed.length > filling.missing.size)
    filling.listed = filling.listed.filter(({ id }) => {
      const item = filling.store.itemById(id);
      return item !== undefined && filling.missing.has(item.row);
    });
}
