import type { ModelManifest, Pooling, PreprocessRecord } from './manifests.js';

/** What is asked of an inspection: a file, how its pictures are prepared, and what is to be taken of it. */
export interface InspectRequest {
  path: string; // of the ONNX file
  preprocess: PreprocessRecord;
  output?: string | undefined; // the output to take; chosen by type and name when absent
  pooling?: Pooling | undefined; // none when absent
  threads: number; // of onnxruntime within a run
}

/** What an encoder that passed is, for its manifest and for the one who brought it. */
export interface Inspection {
  sha256: string; // of the file
  input: ModelManifest['input'];
  output: { name: string; pooling: Pooling };
  dimension: number;
  unit_length: boolean; // before we normalise
  milliseconds: number; // of one picture, the median of some runs
  threads: number; // in those runs
  notes: string[]; // sentences on what is unusual about it
}
