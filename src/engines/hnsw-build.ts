import { open, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { abortedError } from '../core/check-search.js';
import { LookalikeError } from '../core/errors.js';
import { syncFolder } from './files.js';
import type { BuildRequest } from './hnsw-build.worker.js';
import { graphBytes } from './hnsw-file.js';
import { vectorBytes } from './hnsw-graph.js';
import { availableMemory } from './memory.js';
import { WorkerThread } from './worker-call.js';

/** Builds a graph file in a thread of its own, so that searches go on meanwhile. */
export interface BuildOptions {
  vectors: Float32Array; // rows x dimension unit vectors; over a SharedArrayBuffer nothing is copied
  rows: number;
  dimension: number;
  path: string; // where the graph appears once it is whole
  m: number;
  efConstruction: number;
  threads?: number; // all cores when absent; with one, the same vectors give the same graph
  available?: number; // bytes that it may take; what there is when absent
  onProgress?: (progress: { done: number; total: number }) => void;
  signal?: AbortSignal;
}

/**
 * Resolves when the graph is at `path`, read back and on the disk; until then `path` is untouched.
 * Rejects with `insufficient_memory` before it begins, `invalid_vector`, `aborted` (within some hundred rows' time),
 * `generation_invalid` when the file cannot be read back, or `internal`. Abort and await it before the process ends.
 */
export async function buildHnswGraph(options: BuildOptions): Promise<void> {
  const { vectors, rows, dimension, path, m, efConstruction, onProgress, signal } = options;
  const { threads = availableParallelism(), available = availableMemory() } = options;
  checkMemory(graphMemory(options), available);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const abort = () => Atomics.store(stop, 0, 1);
  if (signal?.aborted) throw abortedError();
  signal?.addEventListener('abort', abort, { once: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const thread = await WorkerThread.start<BuildRequest, void>('hnsw-build.worker', {
    data: undefined,
    what: 'graph builder',
  });
  try {
    const request = { bank: { vectors, rows, dimension }, path: temporary, m, efConstruction, threads, stop };
    await thread.call<number>(request, { onProgress: (done) => onProgress?.({ done, total: rows }) });
    if (signal?.aborted) throw abortedError();
    await publish(temporary, path);
  } finally {
    signal?.removeEventListener('abort', abort);
    await thread.close();
    await rm(temporary, { force: true });
  }
}

/** Bytes that the build of a graph takes beside the vectors. */
export function graphMemory({ rows, dimension, m }: Pick<BuildOptions, 'rows' | 'dimension' | 'm'>): number {
  return graphBytes({ rows, vectorBytes: vectorBytes(dimension), m });
}

function checkMemory(needed: number, available: number): void {
  if (needed <= available) return;
  const [wanted, there] = [needed, available].map((bytes) => `${Math.ceil(bytes / 2 ** 20)} MiB`);
  throw new LookalikeError(
    'insufficient_memory',
    `the graph needs ${wanted} of memory while it is built, ${there} are available: the exact index goes on answering`,
  );
}

async function publish(temporary: string, path: string): Promise<void> {
  const file = await open(temporary, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}
