/** The nouns of the project. Every other file uses these words and no others. */

/** A decoded picture: interleaved 8-bit sRGB, `data.length === width * height * 3`, row by row from the top. */
export interface Image {
  width: number; // pixels
  height: number; // pixels
  data: Uint8Array;
}

/** What the decoder hands on: the preprocessed picture and the size of the original after orientation. */
export interface DecodedImage {
  image: Image;
  sourceWidth: number; // pixels, after EXIF orientation
  sourceHeight: number;
  format: string; // 'jpeg', 'png', 'webp'
}

/** What is known of a picture's file. */
export interface PictureFacts {
  width: number; // pixels, after EXIF orientation
  height: number;
  format: string; // 'jpeg', 'png', 'webp'
  bytes: number;
}

/** A picture in a collection. `row` is its dense number in the database and is never used twice. */
export interface Item {
  row: number;
  id: string; // 1 to 256 bytes of UTF-8, one of a kind within its collection
  label: string | null;
  sha256: string; // of the picture's file, hex
  source: string | null; // absolute path of the file, or null when the picture was uploaded
  metadata: Record<string, unknown>;
  picture: PictureFacts | null; // null where only a vector came
  created_at: string; // ISO 8601; kept when the picture is replaced
  updated_at: string;
}

/** An item to be stored, with its unit vector in the store's space. The store dates it. */
export type NewItem = Omit<Item, 'row' | 'picture' | 'created_at' | 'updated_at'> & {
  picture?: PictureFacts | null;
  vector: Float32Array;
};

/** One answer of an index to one query: `rows` and `scores` have the same length, best first. */
export interface Hits {
  rows: Int32Array;
  scores: Float32Array; // canonical cosine, see core/vector.ts
  exact: boolean; // true when the list is proven to be what a full scan would give
}

/** One vote for a label: `share` is w_c / sum of w over all labels, 0..1. */
export interface LabelShare {
  label: string;
  share: number;
}

/** A neighbour in an answer. `share` is its part of the whole vote, 0 when it took no part. */
export interface Neighbour {
  id: string;
  label: string | null;
  score: number;
  /** Share, 0 to 100, of the collection's pictures whose nearest other one is at most this near; absent before a calibration. */
  percentile?: number;
  share: number;
}

export type SearchMode = 'auto' | 'hnsw' | 'exact';

export const JOB_KINDS = ['import', 'reindex', 'report', 'snapshot'] as const;
export type JobKind = (typeof JOB_KINDS)[number];
export const JOB_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A long task. Times are ISO 8601 in UTC. */
export interface Job {
  id: string;
  kind: JobKind;
  collection: string | null; // null: the whole data folder
  parameters: Record<string, unknown>; // what was asked; a restart goes on from them
  state: JobState;
  done: number;
  total: number | null; // null while not yet known
  failures: number; // entries that could not be processed
  error: string | null; // why the job failed
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  result: Record<string, unknown> | null;
}
