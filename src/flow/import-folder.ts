import { LookalikeError, messageOf } from '../core/errors.js';
import { type BadEntry, badEntry } from '../core/import-entry.js';
import type { ModelManifest } from '../core/manifests.js';
import { pictureFacts } from '../core/picture-facts.js';
import type { Decoder, Embedder, SeenFile, Store } from '../core/ports.js';
import type { Image, NewItem, PictureFacts } from '../core/types.js';
import { ID_BYTES } from '../core/vector.js';
import type { Collection } from './collection.js';
import type { Progress } from './jobs.js';

/**
 * A folder of pictures into the collection: list -> compare with what was seen -> read and decode -> embed ->
 * store -> searchable. A batch is one transaction: after kill -9 the next run goes on with the first batch
 * that is missing, nothing is lost or double. A picture that cannot be read costs one line in the report.
 */
export interface ImportParts {
  manifest: ModelManifest;
  decoder: Decoder;
  embedder: Embedder;
  store: Store;
  collection: Collection;
  files: FolderSource;
  sha256: (bytes: Uint8Array) => string;
}

export interface FoundImage {
  path: string; // absolute
  id: string; // path below the folder
  label: string | null;
}

export interface FolderSource {
  list(folder: string): Promise<FoundImage[]>;
  stat(path: string): Promise<{ bytes: number; modified_ms: number }>;
  read(path: string): Promise<Uint8Array>;
}

export interface ImportResult extends Record<string, unknown> {
  folder: string;
  found: number; // picture files in the folder
  embedded: number; // new or changed
  copied: number; // the same bytes were known: their vector was taken
  unchanged: number;
  renamed: number; // gone under one name, there under another
  removed: number; // no longer in the folder, taken out of the collection
  missing: number; // no longer in the folder, kept
  unreadable: { path: string; reason: string }[]; // the first 1,000
}

/** Pictures decoded, embedded and committed together. */
const BATCH = 32;
const REPORTED = 1000;

export interface FolderRequest {
  folder: string; // absolute
  prune: boolean;
  /** Told of each file that cannot be taken. */
  onRefused?: (entry: BadEntry) => Promise<void>;
}

export async function importFolder(
  parts: ImportParts,
  { folder, prune, onRefused = async () => undefined }: FolderRequest,
  { signal, report }: Progress,
): Promise<ImportResult> {
  const images = await parts.files.list(folder);
  if (images.length === 0)
    throw new LookalikeError(
      'nothing_to_index',
      `${folder} holds no JPEG, PNG or WebP file, in no sub-folder either`,
    );
  const seen = parts.store.files(folder);
  const result = blankResult(folder, images.length);
  report({ total: images.length });

  await importBatches(parts, { images, seen, result, onRefused }, { signal, report });
  sweep(parts, { images, seen, prune }, result);
  if (parts.collection.size === 0)
    throw new LookalikeError(
      'nothing_to_index',
      `none of the ${images.length} picture files in ${folder} can be read; the first: ${result.unreadable[0]?.path}: ${result.unreadable[0]?.reason}`,
    );
  return result;
}

interface Batches extends Required<Pick<FolderRequest, 'onRefused'>> {
  images: FoundImage[];
  seen: Map<string, SeenFile>;
  result: ImportResult;
}

/** A batch is read and decoded while the one before it is embedded and stored; none is under way at the end. */
async function importBatches(
  parts: ImportParts,
  { images, seen, result, onRefused }: Batches,
  { signal, report }: Progress,
): Promise<void> {
  let committing: Promise<void> = Promise.resolve();
  let failures = 0;
  try {
    for (let at = 0; at < images.length; at += BATCH) {
      signal.throwIfAborted();
      const batch = images.slice(at, at + BATCH);
      const read = await Promise.all(batch.map((image) => readIfChanged(parts, image, seen.get(image.path))));
      await committing;
      const refused = read.filter((one) => one.kind === 'refused');
      for (const { image, error } of refused) await onRefused(badEntry(image.id, error));
      failures += refused.length;
      const update = { done: at + batch.length, failures };
      committing = commit(parts, read, result).then(() => report(update));
      committing.catch(() => undefined); // awaited above or below; this only keeps Node from calling it unhandled
    }
  } finally {
    await committing;
  }
}

function blankResult(folder: string, found: number): ImportResult {
  return {
    folder,
    found,
    embedded: 0,
    copied: 0,
    unchanged: 0,
    renamed: 0,
    removed: 0,
    missing: 0,
    unreadable: [],
  };
}

/** What became of one file. */
type Read =
  | { kind: 'unchanged'; image: FoundImage; file: SeenFile }
  | { kind: 'decoded'; image: FoundImage; file: SeenFile; pixels: Image; picture: PictureFacts }
  // known bytes, known vector
  | { kind: 'twin'; image: FoundImage; file: SeenFile; vector: Float32Array; picture: PictureFacts | null }
  | { kind: 'refused'; image: FoundImage; file: SeenFile; error: unknown };

async function readIfChanged(
  parts: ImportParts,
  image: FoundImage,
  recorded: SeenFile | undefined,
): Promise<Read> {
  const seen = recorded && itemIsThere(parts, image, recorded) ? recorded : undefined;
  // The hash stays that of the last bytes that were indexed until others are: their item is found by it.
  const file: SeenFile = {
    path: image.path,
    bytes: 0,
    modified_ms: 0,
    sha256: seen?.sha256 ?? '',
    error: null,
  };
  try {
    const now = await parts.files.stat(image.path);
    // Same size and time: the bytes are taken to be the same, as make and rsync do. What was refused is looked at again.
    if (seen && seen.error === null && seen.bytes === now.bytes && seen.modified_ms === now.modified_ms)
      return { kind: 'unchanged', image, file: seen };
    const bytes = await parts.files.read(image.path);
    Object.assign(file, now); // not before: what could not be read is tried again by the next run
    const sha256 = parts.sha256(bytes);
    if (seen?.sha256 === sha256 && seen.error === null) return { kind: 'unchanged', image, file };
    const [twin] = parts.store.itemsBySha256(sha256).filter(({ row }) => parts.collection.labels.has(row));
    const indexed = { ...file, sha256 };
    if (twin) {
      const { picture } = twin;
      return { kind: 'twin', image, file: indexed, vector: parts.store.vector(twin.row)!, picture };
    }
    const decoded = await parts.decoder.decode(bytes, parts.manifest.preprocess);
    const picture = pictureFacts(decoded, bytes.length);
    return { kind: 'decoded', image, file: indexed, pixels: decoded.image, picture };
  } catch (error) {
    return { kind: 'refused', image, file: { ...file, error: messageOf(error) }, error };
  }
}

/**
 * Whether a file that was indexed still has its item: a file of another folder may have taken its id, and a switch of
 * models may have left the item without a vector.
 */
function itemIsThere(parts: ImportParts, { id, path }: FoundImage, { error }: SeenFile): boolean {
  if (error !== null) return true;
  const item = parts.store.itemById(shortId(id, parts.sha256));
  return item?.source === path && parts.collection.labels.has(item.row);
}

/** Embeds what is new, stores the batch in one transaction and makes it searchable in the same turn. */
async function commit(parts: ImportParts, batch: readonly Read[], result: ImportResult): Promise<void> {
  const embedded = await embed(parts, batch);
  const items = batch.flatMap((read): NewItem[] => {
    if (read.kind !== 'twin' && read.kind !== 'decoded') return [];
    const { image, file, picture } = read;
    const { label, path: source } = image;
    const id = shortId(image.id, parts.sha256);
    const vector = read.kind === 'twin' ? read.vector : embedded.get(read)!;
    const metadata = parts.store.itemById(id)?.metadata ?? {}; // a changed file keeps what was written to its item
    return [{ id, label, sha256: file.sha256, source, metadata, picture, vector }];
  });
  const { rows, replaced } = parts.store.put(
    items,
    batch.map(({ file }) => file),
  );
  parts.collection.add(
    rows,
    items.map(({ vector }) => vector),
    items.map(({ label }) => label),
  );
  parts.collection.remove(replaced); // after the new rows: one of them may have been replaced at once
  result.embedded += embedded.size;
  result.copied += items.length - embedded.size;
  result.unchanged += batch.filter(({ kind }) => kind === 'unchanged').length;
  for (const { kind, file } of batch)
    if (kind === 'refused' && result.unreadable.length < REPORTED)
      result.unreadable.push({ path: file.path, reason: file.error! });
}

/** The vectors of the decoded pictures of a batch, in one call of the encoder. */
async function embed(parts: ImportParts, batch: readonly Read[]): Promise<Map<Read, Float32Array>> {
  const decoded = batch.filter((read) => read.kind === 'decoded');
  if (decoded.length === 0) return new Map();
  const { embedder } = parts;
  const flat = await embedder.embed(decoded.map(({ pixels }) => pixels));
  return new Map(
    decoded.map((read, i) => [read, flat.slice(i * embedder.dimension, (i + 1) * embedder.dimension)]),
  );
}

/** A path that is too long for an id goes by its hash. */
function shortId(id: string, sha256: ImportParts['sha256']): string {
  const bytes = new TextEncoder().encode(id);
  return bytes.length <= ID_BYTES ? id : sha256(bytes);
}

/** Files that were seen before and are gone: taken out with `prune`, else counted. */
function sweep(
  { store, collection }: ImportParts,
  { images, seen, prune }: { images: readonly FoundImage[]; seen: Map<string, SeenFile>; prune: boolean },
  result: ImportResult,
): void {
  const present = new Set(images.map(({ path }) => path));
  const gone = [...seen.values()].filter(({ path }) => !present.has(path));
  const items = gone.flatMap(({ path, sha256 }) =>
    store.itemsBySha256(sha256).filter(({ source }) => source === path),
  );
  // The same bytes are in the folder under another name: that name has its own item now.
  const renamed = items.filter(({ sha256 }) =>
    store.itemsBySha256(sha256).some(({ source }) => source !== null && present.has(source)),
  );
  const removable = prune ? items : renamed;
  collection.remove(store.remove(removable.map(({ id }) => id)));
  const kept = new Set(items.filter((item) => !removable.includes(item)).map(({ source }) => source));
  store.forgetFiles(gone.map(({ path }) => path).filter((path) => !kept.has(path)));
  result.renamed = renamed.length;
  result.removed = removable.length - renamed.length;
  result.missing = kept.size;
}
