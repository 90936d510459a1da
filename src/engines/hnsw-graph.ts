import { statSync } from 'node:fs';
import hnswlib, { type HierarchicalNSW } from 'hnswlib-node';
import { abortedError } from '../core/check-search.js';
import { LookalikeError, messageOf } from '../core/errors.js';
import type { VectorTable } from '../core/top-k.js';

/**
 * Graph files of hnswlib, opened and written with care, because the library itself takes little: it loads
 * an overwritten span without a word (the generation's checksums find that), does not notice a full disk
 * while saving, and keeps a dangling index after a failed read, so every attempt gets a new object.
 * Labels in a graph are positions 0..rows-1. Synchronous: for worker threads only.
 */

export interface GraphParameters {
  m: number; // links a node and layer; twice as many on the lowest
  efConstruction: number; // breadth of the search that finds them
  seed: number; // of the layers' random numbers: the same vectors and seed give the same graph
}

/** Opens a graph file and checks that it is the graph of these vectors. Throws `generation_invalid`. */
export function openGraph(path: string, { rows, dimension }: Omit<VectorTable, 'vectors'>): HierarchicalNSW {
  const refuse = (why: string, cause?: unknown): never => {
    throw new LookalikeError('generation_invalid', `the graph ${path} cannot be used: ${why}`, { cause });
  };
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? refuse('there is no such file');
  // The vectors lie inside the file: a shorter one is cut off, and not worth the native reader's risk.
  if (bytes < rows * dimension * 4) refuse(`it has ${bytes} bytes, fewer than its vectors alone`);
  const graph = new hnswlib.HierarchicalNSW('ip', dimension);
  try {
    graph.readIndexSync(path);
  } catch (cause) {
    return refuse(messageOf(cause), cause);
  }
  if (graph.getCurrentCount() !== rows)
    refuse(`it holds ${graph.getCurrentCount()} rows, ${rows} were expected`);
  return graph;
}

export type BuildParameters = GraphParameters & {
  path: string;
  stop: Int32Array; // one number in shared memory; not 0 once the build is to end
};

/**
 * Builds the graph of checked unit vectors and writes it to `path`; `report` hears the number of rows done.
 * Reads the file back: a full disk shows only there. Throws `aborted` between two rows when told to stop
 * (terminating the thread instead would abort the process: addPoint does not survive it).
 */
export function buildGraph(
  bank: VectorTable,
  { m, efConstruction, seed, path, stop }: BuildParameters,
  report: (rows: number) => void,
): void {
  const { vectors, rows, dimension } = bank;
  const graph = new hnswlib.HierarchicalNSW('ip', dimension);
  graph.initIndex({ maxElements: Math.max(1, rows), m, efConstruction, randomSeed: seed });
  const step = Math.max(1, Math.ceil(rows / 200));
  for (let row = 0; row < rows; row++) {
    if (Atomics.load(stop, 0) !== 0) throw abortedError();
    graph.addPoint(Array.from(vectors.subarray(row * dimension, (row + 1) * dimension)), row);
    if ((row + 1) % step === 0 || row + 1 === rows) report(row + 1);
  }
  graph.writeIndexSync(path);
  openGraph(path, bank);
}
