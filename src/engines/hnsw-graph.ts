import { Index, MetricKind, ScalarKind } from 'usearch';
import { abortedError } from '../core/check-search.js';
import { LookalikeError, messageOf } from '../core/errors.js';
import type { VectorTable } from '../core/top-k.js';
import { checkUnitRows } from '../core/vector.js';
import { faultOfGraphFile, unreachable } from './hnsw-file.js';

/**
 * Graph files of usearch, written and opened with care: the library ends the process on a file that is cut off, loads
 * one of another dimension, and does not notice a full disk while saving. Keys in a graph are positions 0..rows-1; its
 * vectors are bfloat16, half the memory, which costs no recall worth having: what is found is scored again canonically.
 * Synchronous: for worker threads only.
 */

/** Bytes of a row as the graph stores it. */
export const vectorBytes = (dimension: number): number => dimension * 2;

export interface GraphParameters {
  m: number; // links a node and layer; twice as many on the lowest
  efConstruction: number; // breadth of the search that finds them
}

function newGraph(dimension: number, { m, efConstruction }: GraphParameters): Index {
  return new Index({
    dimensions: dimension,
    metric: MetricKind.IP,
    quantization: ScalarKind.BF16,
    connectivity: m,
    expansion_add: efConstruction,
    expansion_search: 1, // a search is as broad as it has results to return: see `nearest`
    multi: false,
  });
}

/** Opens a graph file, mapped into memory, and checks that it is the graph of these vectors. Throws `generation_invalid`. */
export function openGraph(path: string, { rows, dimension }: Omit<VectorTable, 'vectors'>): Index {
  const refuse = (why: string, cause?: unknown): never => {
    throw new LookalikeError('generation_invalid', `the graph ${path} cannot be used: ${why}`, { cause });
  };
  const fault = faultOfGraphFile(path, { rows, dimension, vectorBytes: vectorBytes(dimension) });
  if (fault !== null) refuse(fault);
  const graph = newGraph(dimension, { m: 0, efConstruction: 0 }); // both come from the file
  try {
    graph.view(path);
  } catch (cause) {
    return refuse(messageOf(cause), cause);
  }
  if (Number(graph.size()) !== rows) refuse(`it holds ${graph.size()} rows, ${rows} were expected`);
  return graph;
}

/** What a search found, nearest first by the graph's own coarse scores. */
export interface Coarse {
  rows: Int32Array; // positions
  scores: Float32Array; // within COARSE_ERROR of the canonical ones
}

/**
 * bfloat16 rounds a number by at most 2^-8 of it; the products of query and row are each off by twice that and a little, and
 * for unit vectors their sizes sum up to at most 1. The rest is room for the rounding of the sum.
 */
export const COARSE_ERROR = 2 ** -7 + 2 ** -13;

/**
 * What the error of a coarse score stays below but for one row in ten thousand: its roundings, at most 2^-8 of a number,
 * know nothing of each other, so that they add up like four standard deviations of a sum, not like all at their worst. For
 * rows like the query; on real embeddings of 128 numbers a fifth of `COARSE_ERROR`.
 */
export function likelyError(query: Float32Array): number {
  const fourth = query.reduce((sum, value) => sum + value ** 4, 0);
  return Math.min(COARSE_ERROR, 4 * 2 ** -8 * Math.sqrt((2 / 3) * fourth));
}

/** What a search of breadth `ef` keeps, at most `ef` rows. */
export function nearest(graph: Index, query: Float32Array, ef: number): Coarse {
  if (ef === 0) return { rows: new Int32Array(0), scores: new Float32Array(0) };
  const { keys, distances } = graph.search(query, ef, 1);
  // The low words of the 64-bit keys: positions fit in them, and no BigInt is made.
  const words = new Int32Array(keys.buffer, keys.byteOffset, keys.length * 2);
  return {
    rows: Int32Array.from(keys, (_, i) => words[2 * i]!),
    scores: Float32Array.from(distances, (distance) => 1 - distance),
  };
}

/**
 * The rows of what was found that can be among the best k by canonical score when coarse ones are off by at most `error`, those
 * `allowed` (a byte a row) alone: all others need not be read. With `likelyError` they are all that is likely to be; the graph finds
 * no more than is likely either.
 */
export function candidates(
  { rows, scores }: Coarse,
  { k, error, allowed }: { k: number; error: number; allowed?: Uint8Array | undefined },
): Int32Array {
  const kept = new Int32Array(rows.length);
  let count = 0;
  let least = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows.length && scores[i]! >= least; i++) {
    if (allowed && !allowed[rows[i]!]) continue;
    kept[count++] = rows[i]!;
    if (count === k) least = scores[i]! - 2 * error;
  }
  return kept.subarray(0, count);
}

export type BuildParameters = GraphParameters & {
  path: string;
  threads: number; // with one, the same vectors give the same graph
  stop: Int32Array; // one number in shared memory; not 0 once the build is to end
};

/** Rows that are added in one call: between two of them progress is told and a stop is heard. */
const FEWEST = 256;
const MOST = 4096;

/** Threads that add at the same time can lose links to each other's rows: those that no search would find are added again. */
const ROUNDS = 3;

/**
 * Builds the graph of unit vectors and writes it to `path`; `report` hears the number of rows done.
 * Every row can be reached in it. Throws `invalid_vector`, and `aborted` between two calls when told to stop
 * (terminating the thread instead would abort the process: adding does not survive it).
 */
export function buildGraph(
  bank: VectorTable,
  { path, threads, stop, ...parameters }: BuildParameters,
  report: (rows: number) => void,
): void {
  const { vectors, rows, dimension } = bank;
  checkUnitRows(vectors, rows, dimension); // usearch takes NaN without a word
  const graph = newGraph(dimension, parameters);
  const step = Math.min(MOST, Math.max(FEWEST, Math.ceil(rows / 200)));
  for (let from = 0; from < rows; ) {
    if (Atomics.load(stop, 0) !== 0) throw abortedError();
    // The first rows one by one: several threads in an empty graph would not see each other's.
    const to = from < FEWEST ? from + 1 : Math.min(rows, from + step);
    const keys = BigUint64Array.from({ length: to - from }, (_, i) => BigInt(from + i));
    // The same number of threads each time: usearch makes room for them when the graph grows, not when more come.
    graph.add(keys, vectors.subarray(from * dimension, to * dimension), threads);
    if (to % FEWEST === 0 || to > FEWEST || to === rows) report(to);
    from = to;
  }
  save(graph, path, bank);
  for (let round = 0; round < ROUNDS; round++) {
    const strays = unreachable(path, { rows, dimension, vectorBytes: vectorBytes(dimension) });
    if (strays.length === 0) return;
    for (const row of strays) {
      graph.remove(BigInt(row));
      graph.add(BigInt(row), vectors.subarray(row * dimension, (row + 1) * dimension), threads);
    }
    save(graph, path, bank);
  }
}

/** Opens the file again: a full disk shows only there. */
function save(graph: Index, path: string, bank: VectorTable): void {
  try {
    graph.save(path);
  } catch (cause) {
    const why = `the graph ${path} cannot be written: ${messageOf(cause)}`;
    throw new LookalikeError('generation_invalid', why, { cause });
  }
  openGraph(path, bank);
}
