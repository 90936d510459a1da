import type { ImportFormat, SpooledUpload } from '../core/import-entry.js';
import type { LabelSummary } from '../core/label-doubts.js';
import type { PreprocessRecord } from '../core/manifests.js';
import type { Pace } from '../core/pace.js';
import type { Reason } from '../core/plan.js';
import type { Imports, ItemQuery, JobFilter, ModelShelf, Snapshots } from '../core/ports.js';
import type { Settled } from '../core/settled.js';
import type { Item, Job, LabelShare, Neighbour, PictureFacts, SearchMode } from '../core/types.js';
import type { Where } from '../core/where.js';
import type { Recall } from './recall-watch.js';

/**
 * What the doors (HTTP, command line) can ask of the assembled service. `app.ts` builds the only
 * implementation. Names are those of the JSON answers, so that a door copies nothing.
 */
export interface Service {
  // A write with `onCommit` calls it within its transaction: what that writes is there together with it or not at all.
  /** One query to its answer. `timed` is called around every stage that the query needs. */
  search(request: SearchRequest, timed: Timed): Promise<SearchAnswer>;
  /** Milliseconds that the search of so many queries is expected to take; 0 where nothing was measured. */
  searchCost(options: SearchOptions, queries: number): number;
  /** Many queries to one result each, in their order; one that is refused fails no other. */
  searchAll(request: BatchRequest, timed: Timed): Promise<Settled<SearchAnswer>[]>;
  /** Pictures to one result each, in their order; one that is refused fails no other. */
  embed(request: EmbedRequest, timed: Timed): Promise<Embeddings>;
  /** Of a collection, the default one when absent. Throws `unknown_collection`. */
  info(collection?: string): Info;
  /** Whether searches give the full answer now; `reason` is a sentence when not. */
  readiness(): { ready: boolean; reason: string | null };
  /**
   * Queues a rebuild of the index from the bank, or a swap to another model. Throws `unknown_collection`, `not_found`
   * and `invalid_parameter` (the model), `nothing_to_switch`.
   */
  reindex(request?: InCollection & ReindexRequest, onCommit?: OnCommit<JobAnswer>): Promise<JobAnswer>;
  /** Queues the switch to the model that was prepared. Throws like `reindex`. */
  switchModel(
    request: InCollection & SwitchRequest & { model?: string },
    onCommit?: OnCommit<JobAnswer>,
  ): Promise<JobAnswer>;
  /** Queues the switch back to the model before the last switch. Throws like `reindex`. */
  rollback(request: InCollection & SwitchRequest, onCommit?: OnCommit<JobAnswer>): Promise<JobAnswer>;
  /** Groups of pictures that are the same. Throws `unknown_collection`, and `invalid_parameter` for a cursor of another report. */
  duplicates(request: InCollection & PageRequest & { min_score: number }): Reported<DuplicatesPage>;
  /** Pictures whose label the others disagree with. Throws like `duplicates`. */
  labelReport(request: InCollection & PageRequest): Reported<LabelsPage>;
  /** Backups of the whole data folder; `start` queues the writing of one. */
  models: ModelShelf;
  imports: ImportDoor;
  snapshots: Pick<Snapshots, 'list' | 'path' | 'remove'> & {
    start(onCommit?: OnCommit<JobAnswer>): JobAnswer;
  };
  job(id: string): JobAnswer | undefined;
  jobs(limit: number, filter?: JobFilter): JobAnswer[];
  /** Throws `not_found` and `job_finished`. */
  cancelJob(id: string): JobAnswer;
  /** The job as it is now, and at each change until it ends; its version grows over restarts too. Throws `not_found`. */
  watchJob(id: string, onChange: (job: JobAnswer, version: number) => void): WatchedJob;
  /** WebP bytes of the item's picture, or `not_found`. */
  thumbnail(id: string, collection?: string): Promise<Uint8Array>;
  /** Stores a picture; the very next search finds it. Throws `already_exists`, `duplicate` and what decoding throws. */
  addImage(request: AddRequest, timed: Timed): Promise<Added>;
  /** Stores a picture in place of the one of this id, or as a new one. Throws what `check` and decoding throw. */
  putImage(request: PutRequest, timed: Timed): Promise<Added>;
  /** Changes label and metadata. Throws `not_found`, `invalid_parameter` and what `check` throws. */
  editImage(request: EditRequest): ImageView;
  /** No search finds it from now on, and its files are gone when this resolves. Throws `not_found` and what `check` throws. */
  removeImage(request: ImageRequest): Promise<void>;
  /** Throws `not_found`. */
  image(id: string, collection?: string): ImageView;
  images(query: ListRequest): Promise<ImageView[]>;
  /** In the order of their names. */
  collections(): CollectionView[];
  /** Throws `unknown_collection`. */
  collection(name: string): CollectionView;
  /** An empty one. Throws `invalid_parameter`, `already_exists`, `limit_reached`. */
  createCollection(name: string, onCommit?: OnCommit<CollectionView>): Promise<CollectionView>;
  /** Removes it with all that is in it. Throws `unknown_collection`, and `invalid_parameter` for the default one. */
  removeCollection(name: string): Promise<void>;
}

export type OnCommit<T> = (made: T) => void;

/** The way in for many pictures. */
export interface ImportDoor extends Pick<Imports, 'spool' | 'discard'> {
  /**
   * Queues an import of an upload or of what lies at a path. An upload that is not taken is the caller's to discard; the
   * others are removed when their job has ended. Throws `unknown_collection`, `forbidden`, `not_found`, `invalid_parameter`,
   * and what a first look at the upload finds.
   */
  start(request: ImportRequest, onCommit?: OnCommit<JobAnswer>): Promise<JobAnswer>;
  /** Where the report of an import's refused entries lies, NDJSON. Throws `not_found`. */
  errors(job: string): Promise<string>;
}

export interface ImportRequest extends InCollection {
  from: { upload: SpooledUpload; format: Exclude<ImportFormat, 'folder'> } | { path: string; items?: string };
  on_duplicate?: (typeof ON_DUPLICATE)[number]; // as in EntriesOptions; `allow` when absent
  update?: boolean;
  prune?: boolean; // of a folder: take out what is no longer in it
}

/** A picture as the doors show it; where its file came from is not said. */
export interface ImageView
  extends Pick<Item, 'id' | 'label' | 'metadata' | 'sha256' | 'picture' | 'created_at' | 'updated_at'> {
  collection: string;
  thumbnail: string; // path on this server
}

export interface ImageRequest {
  collection?: string; // the default one when absent
  id: string;
  /** Called in the turn of the write with the picture as it is then; throws to prevent the write. */
  check?: (current: ImageView | undefined) => void;
}

export interface ListRequest extends ItemQuery, InCollection {
  where?: Where; // only items whose metadata fits
  signal?: AbortSignal;
}

export interface PutRequest extends ImageRequest {
  bytes: Uint8Array; // the picture's file
  label: string | null;
  metadata: Record<string, unknown>;
  signal?: AbortSignal;
}

export const ON_DUPLICATE = ['allow', 'reject', 'link'] as const;

export interface AddRequest extends Omit<PutRequest, 'id' | 'check'> {
  id?: string; // one is made when absent
  /** With a picture that is there already: store it nevertheless, refuse, or answer with the one that is there. */
  on_duplicate: (typeof ON_DUPLICATE)[number];
  near: number; // cosine from which a picture counts as the same
  orientations: boolean; // whether a mirrored or turned one counts too
  /** Called within the transaction of the write: what it writes is there together with the picture or not at all. */
  onCommit?: OnCommit<Added>;
}

export interface EditRequest extends ImageRequest {
  label?: string | null; // null removes it
  metadata?: unknown; // a JSON merge patch
}

export interface Added {
  image: ImageView;
  created: boolean; // false: it replaced one, or is the one that was there
}

export interface Duplicate {
  id: string;
  score: number; // cosine, the highest of the orientations
  same_file: boolean;
}

export interface CollectionView {
  name: string;
  model: string; // its name
  model_sha256: string;
  dimension: number;
  rows: number;
  labels: number;
  unlabelled: number;
  created_at: string;
}

export const STAGES = ['receive', 'decode', 'embed', 'search', 'vote', 'store'] as const;
export type Stage = (typeof STAGES)[number];
/** Runs a step of a flow; what wraps it may measure, log and trace. Errors pass through unchanged. */
export type Timed = <T>(stage: Stage, step: () => T | Promise<T>) => Promise<T>;

/** A job as it is told, with its pace at that moment. */
export type JobAnswer = Job & Pace;

export interface WatchedJob {
  job: JobAnswer;
  version: number;
  stop(): void;
}

export interface InCollection {
  collection?: string; // the default one when absent
}

export interface PageRequest {
  limit: number;
  after?: ReportPlace; // from the start when absent
}

/** Where in which report a page ended. */
export interface ReportPlace {
  computed_at: string; // ISO 8601
  place: number;
}

/** A page of a report, or the job that makes it when there is none; with a page, `job` makes it anew where it is stale. */
export type Reported<Page> = { page: Page; job: JobAnswer | null } | { page: null; job: JobAnswer };

export interface ReportPage {
  computed_at: string; // ISO 8601, when it was begun
  stale: boolean; // pictures came, went or got another label since
  next: ReportPlace | null; // null on the last page
}

export interface DuplicatesPage extends ReportPage {
  min_score: number; // cosine
  groups_found: number;
  pictures_found: number; // in them
  groups: {
    size: number; // pictures in it when the report was made
    keep: string; // the largest picture, of equal ones the oldest
    members: (PictureRef & { score: number; exact: boolean })[]; // at most 100; score: to the nearest of the group
  }[]; // the largest first
}

export interface LabelsPage extends ReportPage {
  judged: number; // labelled pictures that the others voted about
  doubts_found: number;
  doubts: (PictureRef & {
    suggested: string; // the label that the others vote for
    share: number; // of its own label in their vote
    suggested_share: number;
    margin: number; // suggested_share - share
    neighbours: (PictureRef & { score: number })[]; // the nearest, best first
  })[]; // the surest first
  labels_found: number;
  labels: LabelSummary[]; // those that agree least, at most 1,000
}

export interface PictureRef {
  id: string;
  label: string | null;
  thumbnail: string; // path on this server
}

export interface SwitchRequest {
  /** Pictures that cannot be embedded: refuse the switch (as when absent), or keep them unfound. */
  missing?: 'refuse' | 'drop';
  /** Whether the vectors and files of the model before stay for a way back; true when absent. */
  keep_previous?: boolean;
}

export interface ReindexRequest extends SwitchRequest {
  model?: string; // SHA-256, its beginning, or a name; from the bank when absent
  switch?: 'auto' | 'manual'; // auto when absent
}

/** One thing that a search can begin from. */
export type Example =
  | { kind: 'image'; bytes: Uint8Array } // a picture's file
  | { kind: 'id'; id: string } // a picture of the collection
  | { kind: 'vector'; vector: Float32Array }; // of the collection's space, unit length within 1e-5

/** Like these and unlike those; at least one is positive. */
export type Query =
  | Example
  | { kind: 'examples'; positive: readonly Example[]; negative: readonly Example[] };

export interface SearchOptions {
  collection?: string; // the default one when absent
  k: number; // neighbours to return
  vote_k: number; // labelled neighbours that vote
  temperature?: number; // of the vote; the model's own when absent
  min_score?: number; // cosine, -1..1
  labels?: readonly string[]; // only items with one of these labels
  where?: Where; // only items whose metadata fits
  mode: SearchMode;
  ef?: number;
  beta: number; // weight of the negative examples
  signal?: AbortSignal;
}

export interface SearchRequest extends SearchOptions {
  query: Query;
}

/** A query that was refused when it was read keeps its place. */
export interface BatchRequest extends SearchOptions {
  queries: readonly Settled<Query>[];
}

export interface EmbedRequest {
  collection?: string; // whose model embeds; the default one when absent
  pictures: readonly Settled<Uint8Array>[];
  signal?: AbortSignal;
}

export interface Embeddings {
  model_sha256: string;
  dimension: number;
  embeddings: Settled<Float32Array>[];
}

/** What was asked, as the answer repeats it. */
export type QueryFacts =
  | ({ kind: 'image'; sha256: string; duplicate_of: string[] } & PictureFacts)
  | { kind: 'id'; id: string }
  | { kind: 'vector' }
  | { kind: 'examples'; positive: number; negative: number; beta: number };

export interface SearchAnswer {
  /** Best first. `probability` is what the share is worth in this collection; absent where no calibration applies. */
  labels: (LabelShare & { probability?: number })[];
  /** Whether the best label is less sure than the precision that was set asks for; absent like `probability`. */
  abstained?: boolean;
  calibration: { applied: boolean; reason: string | null }; // why not
  neighbours: (Neighbour & { thumbnail: string })[]; // best first; `thumbnail` is a path on this server
  index: { generation: number; mode: 'hnsw' | 'exact'; exact: boolean; rows: number };
  query: QueryFacts;
}

/** How much the labels of answers are worth; what is below `reason` is null where there is one. */
export interface CalibrationSummary {
  vote_k: number; // of the vote that is calibrated
  temperature: number;
  samples: number; // labelled pictures that the others voted about
  reason: string | null; // why there are no probabilities
  accuracy: number | null; // of the label with the largest share
  calibration_error: { before: number; after: number } | null;
  asked_precision: number | null;
  threshold: number | null; // probability below which answers abstain; null where no threshold reaches the precision
  precision: number | null; // of the answers that do not abstain
  coverage: number | null; // share of them
}

/** How `mode=auto` decides, for a search of the usual size that nothing filters. */
export interface PlannerView {
  engine: 'hnsw' | 'exact'; // that answers
  reason: Exclude<Reason, 'asked'>;
  k: number; // rows that such a search wants
  ef: number; // breadth of the graph search
  costs_ms: { exact: number | null; hnsw: number | null }; // expected of one query alone
  crossing_rows: number | null; // collections with fewer rows are cheaper to search exactly; null: never
  crossing_filter: number | null; // filters that leave fewer rows are; null: always or never
  recall_target: number | null;
  breadths: { k: number; ef: number; recall: number }[]; // tuned on this generation, by k
  breadth_factor: number; // on top of it, by the live recall
  measured_at: string | null; // null until the planner has measured; the graph answers meanwhile
}

export interface Info {
  name: 'lookalike';
  version: string;
  versions: Record<string, string>; // node, onnxruntime-node, usearch, sharp, better-sqlite3
  model: {
    name: string;
    sha256: string;
    dimension: number;
    temperature: number;
    input: { width: number; height: number };
    preprocess: PreprocessRecord;
    trained_on: string;
    terms: string;
    accuracy: Record<string, unknown>;
  };
  previous_model: string | null; // SHA-256 of the one before the last switch, while there is a way back to it
  bank: {
    rows: number; // that can be found
    labels: number;
    unlabelled: number;
    unsearchable: number; // kept, but without a vector of this model
  };
  index: {
    generation: number; // 0 until the first is built
    rows: number; // in the generation
    fresh_rows: number; // newer than the generation, searched exactly
    removed_rows: number; // in the generation, removed since
    created_at: string | null;
    graph_ready: boolean;
    recall: Recall; // of the graph, from searches that were asked again exactly
    planner: PlannerView;
    engine: string;
    parameters: Record<string, number>;
  };
  exact: {
    provider: string; // the one in use
    providers: { name: string; usable: boolean; reason: string | null }[]; // all that were probed
  };
  calibration: CalibrationSummary | null; // of the votes; null until one was made
  limits: { max_bytes: number; max_pixels: number; max_k: number; formats: string[] };
}
