import type { CalibrationRecord } from './calibrate.js';
import type { FitOptions, VotedRow } from './fit-calibration.js';
import type { ErrorReport, ImportOrigin, ImportSource, SpooledUpload } from './import-entry.js';
import type { ModelManifest, Pooling, PreprocessRecord } from './manifests.js';
import type { RowSet } from './row-set.js';
import type { DecodedImage, Hits, Image, Item, Job, NewItem } from './types.js';
import type { Where } from './where.js';

/**
 * The ports: what the flows need from the engines. Each has one contract suite in `test/contract/`
 * that every implementation runs. Whoever creates an engine closes it; `close` may be called twice.
 */

/** Picture bytes to preprocessed pixels. Concurrent calls are allowed. */
export interface Decoder {
  /**
   * Decodes `bytes` and resizes and crops them as `preprocess` says: the result is
   * `preprocess.crop.width` x `preprocess.crop.height` pixels of sRGB.
   * Throws `unsupported_image` (not an allowed type), `undecodable_image`, `image_too_large`.
   */
  decode(bytes: Uint8Array, preprocess: PreprocessRecord): Promise<DecodedImage>;
  /** A small WebP picture re-encoded by us, at most `size` pixels on its longer side. Throws like `decode`. */
  thumbnail(bytes: Uint8Array, size: number): Promise<Uint8Array>;
}

/** Pictures, as the decoder gives them for this encoder, to unit vectors. */
export interface Embedder {
  readonly dimension: number;
  readonly modelSha256: string;
  /**
   * Resolves to n x dimension float32 for n pictures of the encoder's size, each row of unit length within 1e-5.
   * Calls are queued and run one after the other off the main thread.
   */
  embed(images: readonly Image[]): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface SearchOptions {
  /** How many rows to return; fewer come back only when fewer are there. */
  k: number;
  /** Breadth of the graph search; ignored by exact indexes. */
  ef?: number;
  /** Only these rows may be returned. */
  allowed?: ReadonlySet<number>;
  signal?: AbortSignal;
}

/**
 * Nearest rows by cosine. Vectors are float32 of unit length within 1e-5, finite.
 *
 * Rows are non-negative integers; ties in the score are broken by the smaller row, so whoever numbers
 * the rows in the order of their ids gets the list that the contract wants (score descending, then id).
 * All scores are canonical (core/vector.ts): two indexes that find the same rows give the same list.
 * Asynchronous, batched, abortable: an aborted call rejects with code `aborted`.
 */
export interface Index {
  readonly kind: 'exact' | 'hnsw';
  readonly provider: string; // 'cpu', 'webgpu', 'cuda'; 'js' for plain loops
  readonly size: number; // rows held
  readonly threads?: number; // cores that a search keeps busy; 1 when absent
  /** `queries`: n x dimension float32. One `Hits` a query. */
  search(queries: Float32Array, n: number, options: SearchOptions): Promise<Hits[]>;
  close(): Promise<void>;
}

/** An index that also takes single rows; the fresh segment is one. */
export interface MutableIndex extends Index {
  /** `vectors`: rows.length x dimension. A row that is already there is refused with `invalid_parameter`. */
  add(rows: Int32Array, vectors: Float32Array): void;
  /** Rows that are not there are ignored. */
  remove(rows: Int32Array): void;
}

/** A file that was seen in an imported folder. */
export interface SeenFile {
  path: string; // absolute
  bytes: number;
  modified_ms: number; // milliseconds since the epoch
  sha256: string;
  error: string | null; // why it could not be indexed, or null
}

/** What the vectors of a space were made with. */
export interface StoreIdentity {
  model_sha256: string;
  dimension: number;
}

export interface StoredVector {
  row: number;
  id: string;
  vector: Float32Array;
}

export interface HashedRow {
  row: number;
  sha256: string;
}

/** What is needed to embed an item anew. */
export type Embeddable = Pick<Item, 'row' | 'id' | 'sha256' | 'source'>;

/** What may be changed of an item without another picture. */
export type ItemChanges = Partial<Pick<Item, 'label' | 'metadata'>>;

/** The order of a list; ties in the time go by id. */
export const ITEM_ORDERS = ['id', 'created', '-created'] as const;
export type ItemOrder = (typeof ITEM_ORDERS)[number];

/** What a page of a list begins after. */
export type ItemPlace = Pick<Item, 'id' | 'created_at'>;

export interface ItemQuery {
  order: ItemOrder;
  limit: number;
  after?: ItemPlace; // from the start when absent
  labels?: readonly string[]; // only items with one of these
  sha256?: string; // only items of this file
}

/**
 * A collection in one vector space: the durable truth. Every write is committed before the call returns and survives
 * kill -9. Items belong to the collection, vectors to the space: two spaces of a collection share their items.
 * Synchronous: SQLite answers single rows from the page cache within microseconds; what can be long comes in pages.
 */
export interface Store {
  readonly collection: string;
  readonly identity: StoreIdentity;
  /** The number of the space; never given out twice. */
  readonly space: number;
  /** Stores items and what was seen of their files in one transaction; an item whose id exists takes its place
   * under a new row. Returns the new rows and those that were replaced. */
  put(items: readonly NewItem[], files?: readonly SeenFile[]): { rows: number[]; replaced: number[] };
  /** Changes label or metadata in place; undefined when there is no such id. */
  update(id: string, changes: ItemChanges): Item | undefined;
  /** Removes the items with these ids; returns their rows. Unknown ids are ignored. */
  remove(ids: readonly string[]): number[];
  recordFiles(files: readonly SeenFile[]): void;
  forgetFiles(paths: readonly string[]): void;
  /** Files seen below a folder, by path. */
  files(folder: string): Map<string, SeenFile>;
  count(): number;
  /** The largest row ever given out in the database; 0 when none. Rows are never used twice. */
  highWaterMark(): number;
  itemByRow(row: number): Item | undefined;
  itemById(id: string): Item | undefined;
  itemsBySha256(sha256: string): Item[];
  /** A page of the items; each filter has an index, so that a page costs what it holds and not what there is. */
  list(query: ItemQuery): Item[];
  /**
   * The same of the items whose metadata fits. It looks at `scan` items at most, where there is nothing better than to look at
   * all, and says after which one to go on; null at the end of the list.
   */
  listWhere(query: ItemQuery & { where: Where; scan: number }): { items: Item[]; after: ItemPlace | null };
  /** The rows whose metadata fits, at one moment between the call and the answer. Other work runs meanwhile. */
  rowsWhere(where: Where): Promise<RowSet>;
  vector(row: number): Float32Array | undefined;
  /** The next vectors after `afterId` (null: from the start), ordered by id bytewise. */
  vectorsInIdOrder(afterId: string | null, limit: number): StoredVector[];
  /** The next rows above `mark` with their labels, ordered by row. */
  labelsInRowOrder(mark: number, limit: number): { row: number; label: string | null }[];
  /** All rows, label by label, those without one under null: quicker than in their order. Write nothing before it is read out. */
  rowsByLabel(): Iterable<{ label: string | null; rows: number[] }>;
  /** The next items above row `mark`, none above row `upTo`, that have no vector in this space, ordered by row. */
  withoutVector(mark: number, limit: number, upTo?: number): Embeddable[];
  /** Rows with the hashes of their files, ordered by hash, then row: equal files are neighbours. `after`: null is the start. */
  hashesInOrder(after: HashedRow | null, limit: number): HashedRow[];
  /** A number that grows with every item that comes, goes or gets another label. */
  changes(): number;
  /** What was worked out about this space under a name, as JSON; undefined when nothing was. */
  record(name: string): unknown;
  /** Replaces a record and its entries in one transaction. */
  saveRecord(name: string, value: unknown, entries?: readonly unknown[]): void;
  /** The next entries of a record after this place; places count from 1. */
  recordEntries(name: string, after: number, limit: number): { place: number; value: unknown }[];
  /** Gives items their vectors in this space (rows.length x dimension); rows that are gone are passed over. */
  addVectors(rows: readonly number[], vectors: Float32Array): void;
}

/** A collection as the database knows it. */
export interface CollectionRecord extends StoreIdentity {
  name: string;
  space: number; // the one that answers
  previous_model: string | null; // SHA-256 of the model before the last switch, to go back to
  created_at: string; // ISO 8601
}

/** Only jobs of which all of this is true. */
export type JobFilter = Partial<Pick<Job, 'kind' | 'collection' | 'state'>> & {
  after?: string; // the id of a job: only those queued before it; none when there is no such job
};

/** Jobs, so that they survive a restart. */
export interface JobStore {
  saveJob(job: Job): void;
  job(id: string): Job | undefined;
  /** The newest jobs first. */
  jobs(limit: number, filter?: JobFilter): Job[];
  /** Jobs that are queued or running, the oldest first. */
  unfinishedJobs(): Job[];
}

/** An answer that was given to a request with an idempotency key. */
export interface KeptAnswer {
  fingerprint: string; // of the request
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Answers by key, for 24 hours and so many: the oldest go first. */
export interface AnswerStore {
  answer(key: string): KeptAnswer | undefined;
  /** The first one under a key stays. */
  keepAnswer(key: string, answer: KeptAnswer): void;
}

/** All collections of a data folder, and what they share. One process holds it; whoever opens it closes it. */
export interface Database extends JobStore, AnswerStore {
  /** In the order of their names. */
  collections(): CollectionRecord[];
  /** Makes an empty one. Throws `invalid_parameter` (name) and `already_exists`. */
  createCollection(name: string, identity: StoreIdentity): Store;
  /** Removes a collection with all its items and vectors. */
  removeCollection(name: string): void;
  /** The collection in the space that answers, or in that of another model when there is one. Throws `unknown_collection`. */
  store(name: string, modelSha256?: string): Store;
  /** The collection's space of this model, made empty when it is not there. */
  addSpace(name: string, identity: StoreIdentity): Store;
  /** From now on the space of this model answers; the one before stays as `previous_model`. */
  switchSpace(name: string, modelSha256: string): void;
  /** All spaces of the collection, the oldest first. */
  spaces(name: string): (StoreIdentity & { space: number })[];
  /** Removes the vectors of rows above `above` up to `upTo` from the space of a model that does not answer. */
  removeVectors(name: string, modelSha256: string, rows: { above: number; upTo: number }): void;
  /** Removes the space of a model that does not answer, with the vectors that are left in it. */
  removeSpace(name: string, modelSha256: string): void;
  /** Hashes of pictures that lost an item since they were last swept: their files may be needed by nobody. */
  trash(limit: number): string[];
  /** Says so of pictures whose files are about to be written; `sweptTrash` in the transaction of their items takes it back. */
  addTrash(hashes: readonly string[]): void;
  /** Whether any item of any collection is of this picture. */
  inUse(sha256: string): boolean;
  sweptTrash(hashes: readonly string[]): void;
  /**
   * A copy of the whole database in one file, of one moment, while reads and writes go on. `onProgress` is told the part
   * that is done, 0 to 1.
   */
  backup(path: string, options: { signal: AbortSignal; onProgress: (part: number) => void }): Promise<void>;
  /** Runs `step`, which must not wait, in one transaction: what it writes is there as a whole or not at all. */
  atomically<T>(step: () => T): T;
  close(): void;
}

/** A snapshot that was written. */
export interface SnapshotRecord {
  id: string; // its time and a random part; the file's name without `.tar`
  bytes: number;
  created_at: string; // ISO 8601
}

/** Snapshots of the whole data folder: database, kept pictures, models. Indexes are not in it, they are made anew. */
export interface Snapshots {
  /** Writes one of this moment while everything goes on. `now`: ISO 8601. */
  create(options: {
    now: string;
    signal: AbortSignal;
    report: (progress: { done?: number; total?: number }) => void; // in files
  }): Promise<SnapshotRecord>;
  /** The newest first. */
  list(): Promise<SnapshotRecord[]>;
  /** Where the file lies. Throws `not_found`. */
  path(id: string): Promise<string>;
  /** Throws `not_found`. */
  remove(id: string): Promise<void>;
}

/** What imports read and leave behind: uploads that wait, sources, files of folders, and reports of what was refused. */
export interface Imports {
  /** Keeps a body until its import has ended. `announced`: bytes, null when not known. Throws `storage_full`, and what the body throws. */
  spool(body: AsyncIterable<Uint8Array>, announced: number | null): Promise<SpooledUpload>;
  discard(upload: string): Promise<void>;
  /** Removes all uploads but these. */
  keepOnly(uploads: readonly string[]): Promise<void>;
  /** What lies at a path below the allowed folders. Throws `forbidden`, `not_found`, `invalid_parameter`. */
  locate(path: string, items?: string): Promise<ImportOrigin>;
  /** Looks whether an upload is what it says, as far as a first look tells. Throws as `open` does. */
  check(origin: ImportOrigin): Promise<void>;
  /**
   * The entries of an origin other than a folder, for a model's vectors. An upload is compared with its checksum first. Throws
   * `not_found`, `malformed_body`, `unsupported_media_type`, `body_too_large`, `bank_invalid`, `bank_mismatch`.
   */
  open(origin: ImportOrigin, options: { model: StoreIdentity; signal: AbortSignal }): Promise<ImportSource>;
  /** Reads a file of a folder. Throws `forbidden` for one that a link leads out of the allowed folders, and `image_too_large`. */
  readFile(path: string): Promise<Uint8Array>;
  /** A new report of a job, in place of one that it left before a restart. */
  report(job: string): Promise<ErrorReport>;
  /** Where the report of a job lies. Throws `not_found`. */
  reportPath(job: string): Promise<string>;
}

/** A model that is loaded; `release` it when nothing embeds with it any more. */
export interface OpenModel {
  manifest: ModelManifest;
  embedder: Embedder;
  release(): Promise<void>;
}

/** A model as it is told to a person. Of a damaged one only the hash is known, and what is wrong. */
export interface ModelRecord {
  sha256: string;
  name: string | null;
  dimension: number | null;
  input: { width: number; height: number } | null; // pixels
  trained_on: string | null;
  terms: string | null;
  removable: boolean; // false for the one that the service starts with
  used_by: string[]; // collections that have vectors of it
  fault: string | null;
}

/** The models of a data folder, and the way in and out. */
export interface ModelShelf {
  /** The one that the service starts with first. */
  list(): Promise<ModelRecord[]>;
  /**
   * Inspects and keeps a model that comes as a tar of its folder. The same one again changes nothing. Throws
   * `malformed_body`, `unusable_model` (saying what was found), `invalid_parameter` and `aborted`; nothing is left then.
   */
  add(
    tar: AsyncIterable<Uint8Array>,
    asked: {
      name?: string | undefined;
      output?: string | undefined;
      pooling?: Pooling | undefined;
      temperature?: number | undefined;
      signal: AbortSignal;
    },
  ): Promise<{
    model: ModelRecord;
    added: boolean;
    inspection: { milliseconds: number; threads: number; notes: string[] };
  }>;
  /** By SHA-256, name, or the beginning of one. Throws `not_found`, `model_in_use`, `invalid_parameter`. */
  remove(which: string): Promise<void>;
}

/** The encoders that can be opened, by the SHA-256 of their file. The same one opened twice is loaded once. */
export interface Models {
  /** Throws `model_missing`, `model_invalid`. */
  open(sha256: string): Promise<OpenModel>;
}

/** A generation that is loaded: an immutable index over the rows that the store held at `mark`. */
export interface Generation {
  readonly number: number;
  readonly mark: number; // the store's high-water mark when it was made
  readonly createdAt: string; // ISO 8601
  readonly parameters: Record<string, number>;
  /** Position in the indexes -> row in the store. Positions are in the order of the ids. */
  readonly rows: Int32Array;
  readonly graph: Index | null; // null where there was no memory for one
  readonly exact: Index;
  close(): Promise<void>;
}

/** What a generation is built from; positions are in the order of the ids. */
export interface GenerationSource {
  mark: number;
  rows: Int32Array;
  vectors: Float32Array; // rows.length x dimension, on a SharedArrayBuffer
}

export interface BuildOptions {
  /** Without one, the exact index alone answers; it is there much sooner. */
  graph: boolean;
  signal?: AbortSignal;
  onProgress?: (done: number) => void; // rows in the graph so far
}

/** Generations on disk. A broken or foreign one is set aside with its reason, never served and never deleted. */
export interface Generations {
  /** The newest whole generation of this model, or null; `onSetAside` is told of each one that was not. */
  openNewest(onSetAside: (number: number, reason: string) => void): Promise<Generation | null>;
  /** Bytes that the graph of so many rows takes while it is built. */
  graphMemory(rows: number): number;
  /** Builds, writes, verifies and opens the next one. Throws `insufficient_memory` before it begins. */
  build(source: GenerationSource, options: BuildOptions): Promise<Generation>;
  /** Deletes all but the newest `keep`. */
  prune(keep: number): Promise<void>;
}

/** One fit of a calibration, apart from the thread that answers requests. Whoever starts it closes it. */
export interface CalibrationFit {
  /** Some rows more; their order counts. */
  add(rows: readonly VotedRow[]): Promise<void>;
  /** The record of all rows so far (`fitCalibration`). Rejects as that throws. */
  finish(options: FitOptions): Promise<CalibrationRecord>;
  close(): Promise<void>;
}

/** Thumbnails by the hash of the picture they were made from. */
export interface ThumbnailCache {
  get(sha256: string): Promise<Uint8Array | null>;
  put(sha256: string, webp: Uint8Array): Promise<void>;
  remove(sha256: string): Promise<void>;
}

/** What of an uploaded picture is kept: its file, a smaller copy without metadata, or its vector alone. */
export const KEEPS = ['originals', 'copies', 'none'] as const;
export type Keep = (typeof KEEPS)[number];

/** Pictures that the service keeps itself, by the hash of the file that was uploaded. */
export interface PictureStore {
  /** Durable once it resolves. The same bytes a second time change nothing. */
  put(kind: Exclude<Keep, 'none'>, sha256: string, bytes: Uint8Array): Promise<void>;
  /** The original, else the copy, else null. */
  get(sha256: string): Promise<Uint8Array | null>;
  /** Removes all that is kept under this hash, and what a write that was cut short left of it. */
  remove(sha256: string): Promise<void>;
}
