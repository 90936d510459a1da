import type { PreprocessRecord } from '../core/manifests.js';
import type { Snapshots } from '../core/ports.js';
import type { Job, LabelShare, Neighbour, SearchMode } from '../core/types.js';
import type { Recall } from './recall-watch.js';

/**
 * What the doors (HTTP, command line) can ask of the assembled service. `app.ts` builds the only
 * implementation. Names are those of the JSON answers, so that a door copies nothing.
 */
export interface Service {
  /** One upload to its answer. `timed` is called once around every stage. */
  search(request: SearchRequest, timed: Timed): Promise<SearchAnswer>;
  /** Of a collection, the default one when absent. Throws `unknown_collection`. */
  info(collection?: string): Info;
  /** Whether searches give the full answer now; `reason` is a sentence when not. */
  readiness(): { ready: boolean; reason: string | null };
  /** Queues a rebuild of the index from the bank. */
  reindex(request?: { collection?: string }): Job;
  /** Backups of the whole data folder; `start` queues the writing of one. */
  snapshots: Pick<Snapshots, 'list' | 'path' | 'remove'> & { start(): Job };
  job(id: string): Job | undefined;
  jobs(limit: number): Job[];
  /** WebP bytes of the item's picture, or `not_found`. */
  thumbnail(id: string, collection?: string): Promise<Uint8Array>;
}

export const STAGES = ['receive', 'decode', 'embed', 'search', 'vote'] as const;
export type Stage = (typeof STAGES)[number];
/** Runs a step of a flow; what wraps it may measure, log and trace. Errors pass through unchanged. */
export type Timed = <T>(stage: Stage, step: () => T | Promise<T>) => Promise<T>;

export interface SearchRequest {
  collection?: string; // the default one when absent
  bytes: Uint8Array; // the picture's file
  k: number; // neighbours to return
  vote_k: number; // labelled neighbours that vote
  temperature?: number; // of the vote; the model's own when absent
  min_score?: number; // cosine, -1..1
  labels?: readonly string[]; // only items with one of these labels
  mode: SearchMode;
  ef?: number;
  signal?: AbortSignal;
}

export interface SearchAnswer {
  labels: LabelShare[]; // best first
  neighbours: (Neighbour & { thumbnail: string })[]; // best first; `thumbnail` is a path on this server
  index: { generation: number; mode: 'hnsw' | 'exact'; exact: boolean; rows: number };
  query: {
    width: number;
    height: number;
    format: string;
    bytes: number;
    sha256: string;
    duplicate_of: string[];
  };
}

export interface Info {
  name: 'lookalike';
  version: string;
  versions: Record<string, string>; // node, onnxruntime-node, hnswlib-node, sharp, better-sqlite3
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
  bank: { rows: number; labels: number; unlabelled: number };
  index: {
    generation: number; // 0 until the first is built
    rows: number; // in the generation
    fresh_rows: number; // newer than the generation, searched exactly
    removed_rows: number; // in the generation, removed since
    created_at: string | null;
    graph_ready: boolean;
    recall: Recall; // of the graph, from searches that were asked again exactly
    engine: string;
    parameters: Record<string, number>;
  };
  exact: {
    provider: string; // the one in use
    providers: { name: string; usable: boolean; reason: string | null }[]; // all that were probed
  };
  limits: { max_bytes: number; max_pixels: number; max_k: number; formats: string[] };
}
