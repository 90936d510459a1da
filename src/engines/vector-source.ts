import { closeSync, openSync, readSync } from 'node:fs';
import { createTopK, scanTopK } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { canonicalScore } from '../core/vector.js';

/** Where the float32 rows of a bank are: in memory, or in a file of nothing but them, little-endian. */
export type VectorSource = { vectors: Float32Array } | { path: string };

/** The source among other options. */
export const sourceOf = (options: VectorSource): VectorSource =>
  'path' in options ? { path: options.path } : { vectors: options.vectors };

/** Canonical scores of single rows. Synchronous: for worker threads. */
export interface VectorReader {
  /** The canonical score of the query with each of the rows. */
  scores(query: Float32Array, rows: Int32Array): Float32Array;
  /** The best k of all rows, or of those at `positions`, by reading every one. */
  scan(query: Float32Array, options: { k: number; positions?: Int32Array | undefined }): Hits;
  close(): void;
}

export interface BankSize {
  rows: number;
  dimension: number;
}

/** Bytes a read of many rows. */
const STEP = 2 ** 20;

/** Throws the file system's error when the file cannot be opened. */
export function openVectors(source: VectorSource, size: BankSize): VectorReader {
  return 'path' in source ? fileReader(source.path, size) : memoryReader(source.vectors, size);
}

function memoryReader(vectors: Float32Array, size: BankSize): VectorReader {
  const { dimension } = size;
  return {
    scores: (query, rows) =>
      Float32Array.from(rows, (row) => canonicalScore(query, 0, vectors, row * dimension, dimension)),
    scan: (query, options) => scanTopK({ vectors, ...size }, query, options),
    close() {},
  };
}

function fileReader(path: string, { rows: size, dimension }: BankSize): VectorReader {
  const file = openSync(path, 'r');
  const rowBytes = dimension * 4;
  const page = new Float32Array(Math.max(1, Math.floor(STEP / rowBytes)) * dimension);
  const one = page.subarray(0, dimension);
  /** Fills `into` with the rows from `row` on. */
  const read = (into: Float32Array, row: number) => {
    const bytes = readSync(file, into, 0, into.byteLength, row * rowBytes);
    if (bytes < into.byteLength) throw new Error(`${path} ends within row ${row}`);
  };
  /** Calls back with each row and where it begins in `page`. */
  const everyRow = (visit: (row: number, at: number) => void) => {
    const perPage = page.length / dimension;
    for (let first = 0; first < size; first += perPage) {
      const count = Math.min(perPage, size - first);
      read(page.subarray(0, count * dimension), first);
      for (let i = 0; i < count; i++) visit(first + i, i * dimension);
    }
  };
  return {
    scores(query, rows) {
      const scores = new Float32Array(rows.length);
      rows.forEach((row, i) => {
        read(one, row);
        scores[i] = canonicalScore(query, 0, one, 0, dimension);
      });
      return scores;
    },
    scan(query, { k, positions }) {
      const top = createTopK(Math.min(k, size));
      if (positions)
        this.scores(query, positions).forEach((score, i) => {
          top.offer(positions[i]!, score);
        });
      else everyRow((row, at) => top.offer(row, canonicalScore(query, 0, page, at, dimension)));
      return { ...top.take(), exact: true };
    },
    close: () => closeSync(file),
  };
}

/** All rows in memory, shared. */
export function loadVectors(source: VectorSource, { rows, dimension }: BankSize): Float32Array {
  if (!('path' in source)) return source.vectors;
  const vectors = new Float32Array(new SharedArrayBuffer(rows * dimension * 4));
  const file = openSync(source.path, 'r');
  try {
    for (let at = 0; at < vectors.byteLength; ) {
      const length = Math.min(STEP * 64, vectors.byteLength - at);
      const bytes = readSync(file, new Uint8Array(vectors.buffer, at, length), 0, length, at);
      if (bytes === 0) throw new Error(`${source.path} ends after ${at} bytes`);
      at += bytes;
    }
  } finally {
    closeSync(file);
  }
  return vectors;
}
