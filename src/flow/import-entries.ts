import { LookalikeError } from '../core/errors.js';
import { badEntry, type ErrorReport, type ImportSource } from '../core/import-entry.js';
import { pictureFacts } from '../core/picture-facts.js';
import type { Database } from '../core/ports.js';
import { succeeded } from '../core/settled.js';
import type { Item, NewItem, PictureFacts } from '../core/types.js';
import type { Active } from './collections.js';
import { embedPictures } from './embed.js';
import { batchesOf, type ReadEntry, type ReadPicture } from './import-batches.js';
import type { Progress } from './jobs.js';
import { type KeepParts, keepThenCommit } from './keep-picture.js';
import type { ON_DUPLICATE } from './service.js';

/**
 * The entries of an archive, of lines or of a bank into the collection: read and hash -> look what is there -> embed what
 * is new -> keep the files -> store and make searchable in one turn. A batch is one transaction, and what is there with the
 * same bytes is passed over: after kill -9 the job begins at the first entry again and embeds only what is missing.
 * An entry that cannot be taken costs one line in the report.
 */
export interface EntriesParts extends Active, KeepParts {
  database: Pick<Database, 'addTrash' | 'sweptTrash' | 'atomically'>;
  sha256: (bytes: Uint8Array) => string;
}

export interface EntriesOptions {
  /** With a picture whose very bytes are there under another id: store it too, refuse it, or pass over it. */
  on_duplicate: (typeof ON_DUPLICATE)[number];
  /** Whether pictures that are there get the label and the metadata that the source gives. */
  update: boolean;
}

export interface EntriesResult extends Record<string, unknown> {
  found: number; // entries
  embedded: number; // pictures that were new or changed
  imported: number; // ready vectors that were new or changed
  copied: number; // the same bytes were known: their vector was taken
  replaced: number; // of those: there was another picture under the id
  unchanged: number;
  updated: number; // of the unchanged: got another label or metadata
  duplicates: number; // passed over: the same bytes are there under another id
  refused: number; // in the report
  ignored: number; // in an archive: no pictures
}

export async function importEntries(
  parts: EntriesParts,
  { source, errors, ...options }: EntriesOptions & { source: ImportSource; errors: ErrorReport },
  { signal, report }: Progress,
): Promise<EntriesResult> {
  const result = blankResult();
  let first: string | null = null; // why the first refused entry was refused
  report({ total: source.total });

  async function takeIn(batch: readonly ReadEntry[]): Promise<void> {
    const outcomes = await outcomesOf(parts, batch, options);
    for (const outcome of outcomes) {
      if (outcome.kind !== 'refused') continue;
      first ??= `${outcome.entry.place}: ${outcome.error.message}`;
      await errors.add(badEntry(outcome.entry.place, outcome.error, outcome.entry.id));
    }
    await commit(parts, outcomes);
    count(result, outcomes);
    report({ done: result.found, failures: result.refused });
  }

  let committing: Promise<void> = Promise.resolve();
  try {
    // A batch is read while the one before it is embedded and stored; none is under way at the end.
    for await (const batch of batchesOf(source, parts.sha256)) {
      await committing;
      signal.throwIfAborted();
      committing = takeIn(batch);
      committing.catch(() => undefined); // awaited above or below; this only keeps Node from calling it unhandled
    }
  } finally {
    await committing;
    result.ignored = source.ignored();
    report({ result });
  }
  if (result.found === result.refused) throw nothingTaken(result, first);
  report({ total: result.found });
  return result;
}

function blankResult(): EntriesResult {
  return {
    found: 0,
    embedded: 0,
    imported: 0,
    copied: 0,
    replaced: 0,
    unchanged: 0,
    updated: 0,
    duplicates: 0,
    refused: 0,
    ignored: 0,
  };
}

function nothingTaken({ found, ignored }: EntriesResult, first: string | null): LookalikeError {
  const why =
    first === null
      ? `there is no picture in it${ignored > 0 ? `, ${ignored} other entries were passed over` : ''}`
      : `none of its ${found} entries can be taken; the first: ${first}`;
  return new LookalikeError('nothing_to_index', why);
}

type Taken = Exclude<ReadEntry, { kind: 'bad' }>;
type Refused = { kind: 'refused'; entry: { place: string; id?: string }; error: LookalikeError };

/** What becomes of an entry. */
type Outcome =
  | Refused
  | { kind: 'unchanged'; current: Item; changes: { label: string | null; metadata: Item['metadata'] } | null }
  | { kind: 'duplicate' }
  | {
      kind: 'stored';
      how: 'embedded' | 'imported' | 'copied';
      replaces: boolean;
      entry: Taken;
      item: NewItem;
    };

/** One outcome an entry, in their order. Nothing is written yet. */
async function outcomesOf(
  parts: EntriesParts,
  batch: readonly ReadEntry[],
  options: EntriesOptions,
): Promise<Outcome[]> {
  const known = batch.map((entry) => lookUp(parts, entry, options));
  const unknown = batch.filter(
    (entry, i): entry is ReadPicture => known[i] === null && entry.kind === 'picture',
  );
  const embedded = await embedPictures(
    parts,
    unknown.map(({ bytes }) => bytes),
    { timed: async (_, step) => step() },
  );
  const vectors = new Map(unknown.map((entry, i) => [entry as ReadEntry, embedded[i]!]));
  const stored = new Set<string>(); // hashes of this batch
  return batch.map((entry, i) => {
    const outcome = known[i] ?? embeddedOutcome(parts, entry as ReadPicture, vectors.get(entry)!);
    if (outcome.kind !== 'stored' || outcome.how === 'imported') return outcome;
    const { sha256 } = outcome.item;
    if (stored.has(sha256) && options.on_duplicate !== 'allow')
      return duplicateOf(outcome.entry, 'an entry before it', options);
    stored.add(sha256);
    return outcome;
  });
}

/** What can be said without the encoder; null for a picture that has to be embedded. */
function lookUp(parts: EntriesParts, entry: ReadEntry, options: EntriesOptions): Outcome | null {
  if (entry.kind === 'bad') return { kind: 'refused', entry, error: entry.error };
  const { store, collection } = parts;
  const current = store.itemById(entry.id);
  const searchable = current && collection.labels.has(current.row) ? current : undefined;
  const same = searchable?.sha256 === entry.sha256 ? searchable : undefined;
  if (entry.kind === 'vector') {
    if (same && equal(store.vector(same.row)!, entry.vector)) return unchanged(entry, same, options);
    const { vector } = entry;
    return stored(parts, entry, { how: 'imported', vector, picture: same?.picture ?? null });
  }
  if (same) return unchanged(entry, same, options);
  const twin = store
    .itemsBySha256(entry.sha256)
    .find(({ id, row, picture }) => id !== entry.id && picture !== null && collection.labels.has(row));
  if (!twin) return null;
  if (options.on_duplicate !== 'allow') return duplicateOf(entry, JSON.stringify(twin.id), options);
  return stored(parts, entry, { how: 'copied', vector: store.vector(twin.row)!, picture: twin.picture });
}

function embeddedOutcome(
  parts: EntriesParts,
  entry: ReadPicture,
  embedded: Awaited<ReturnType<typeof embedPictures>>[number],
): Outcome {
  if (!succeeded(embedded)) return { kind: 'refused', entry, error: embedded };
  const picture = pictureFacts(embedded, entry.bytes.length);
  return stored(parts, entry, { how: 'embedded', vector: embedded.vector, picture });
}

interface Made {
  how: 'embedded' | 'imported' | 'copied';
  vector: Float32Array;
  picture: PictureFacts | null;
}

/** A picture that is replaced keeps what was written to it, where the source says nothing else. */
function stored({ store }: EntriesParts, entry: Taken, { how, vector, picture }: Made): Outcome {
  const { id, sha256, source } = entry;
  const current = store.itemById(id);
  const label = entry.label ?? current?.label ?? null;
  const metadata = isEmpty(entry.metadata) ? (current?.metadata ?? {}) : entry.metadata;
  const item: NewItem = { id, label, sha256, source, metadata, picture, vector };
  return { kind: 'stored', how, replaces: current !== undefined, entry, item };
}

function unchanged(entry: Taken, current: Item, { update }: EntriesOptions): Outcome {
  const label = entry.label ?? current.label;
  const metadata = isEmpty(entry.metadata) ? current.metadata : entry.metadata;
  const differs = label !== current.label || JSON.stringify(metadata) !== JSON.stringify(current.metadata);
  return { kind: 'unchanged', current, changes: update && differs ? { label, metadata } : null };
}

function duplicateOf(entry: Taken, twin: string, { on_duplicate }: EntriesOptions): Outcome {
  if (on_duplicate === 'link') return { kind: 'duplicate' };
  const error = new LookalikeError('duplicate', `the picture is there already: ${twin} (the same file)`);
  return { kind: 'refused', entry, error };
}

/** Keeps the files of what came as a file, then writes the batch: durable and searchable when it resolves. */
async function commit(parts: EntriesParts, outcomes: readonly Outcome[]): Promise<void> {
  const made = outcomes.filter((outcome) => outcome.kind === 'stored');
  const updates = outcomes.filter((outcome) => outcome.kind === 'unchanged' && outcome.changes !== null);
  if (made.length + updates.length === 0) return;
  const kept = new Map<string, Uint8Array>();
  for (const { entry } of made)
    if (entry.kind === 'picture' && entry.source === null) kept.set(entry.sha256, entry.bytes);
  const uploads = [...kept].map(([sha256, bytes]) => ({ sha256, bytes }));
  await keepThenCommit(parts, uploads, () => {
    write(parts, made, [...kept.keys()]);
    for (const outcome of updates) relabel(parts, outcome);
  });
}

type Stored = Extract<Outcome, { kind: 'stored' }>;

function write({ database, store, collection }: EntriesParts, made: readonly Stored[], kept: string[]): void {
  const items = made.map(({ item }) => item);
  const { rows, replaced } = database.atomically(() => {
    const written = store.put(items);
    database.sweptTrash(kept); // their files are needed from now on
    return written;
  });
  collection.add(
    rows,
    items.map(({ vector }) => vector),
    items.map(({ label }) => label),
  );
  collection.remove(replaced); // after the new rows: one of them may have been replaced at once
}

function relabel({ store, collection }: EntriesParts, outcome: Outcome): void {
  if (outcome.kind !== 'unchanged' || !outcome.changes) return;
  const { id } = outcome.current;
  const item = store.update(id, outcome.changes); // undefined when it was deleted meanwhile
  if (item) collection.relabel(item.row, item.label);
}

function count(result: EntriesResult, outcomes: readonly Outcome[]): void {
  result.found += outcomes.length;
  for (const outcome of outcomes) {
    if (outcome.kind === 'stored') {
      result[outcome.how]++;
      if (outcome.replaces) result.replaced++;
    } else if (outcome.kind === 'unchanged') {
      result.unchanged++;
      if (outcome.changes) result.updated++;
    } else if (outcome.kind === 'duplicate') result.duplicates++;
    else result.refused++;
  }
}

const isEmpty = (metadata: object): boolean => Object.keys(metadata).length === 0;

const equal = (a: Float32Array, b: Float32Array): boolean => a.every((value, i) => value === b[i]);
