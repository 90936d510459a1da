import type { Provider } from '../core/provider.js';
import { createTopK, scanTopK, type VectorTable } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { canonicalScore } from '../core/vector.js';
import {
  type Candidates,
  type ExactGraph,
  type ExactGraphOptions,
  GPU_CHUNK,
  openExactGraph,
} from './exact-graph.js';

/**
 * Exact search over ONNX graphs, with a proof. Each graph scores the rows of one shard in float32 and returns the best
 * few more than were asked for; those are scored again canonically, and the answer is proven when the k-th
 * canonical score beats everything the graphs left out, rounding included. Otherwise more is fetched.
 * Blocks the thread it runs on: used by `exact-index.worker.ts` and by the provider probe's child process.
 */

export interface ExactSession {
  /** `queries`: q x dimension unit vectors. */
  search(queries: Float32Array, q: number, k: number): Promise<Hits[]>;
  /** How many queries a plain scan answered: the graphs could prove none of their lists, or the bank is tiny. */
  readonly scanned: number;
  readonly shards: number;
  close(): Promise<void>;
}

export interface ExactSessionOptions extends ExactGraphOptions {
  shardBytes?: number; // of vectors in one graph, at most
}

/** Past this many candidates a plain scan answers: only banks with thousands of equal scores come here. */
const MAX_FETCH = 8192;
/** The score matrix of one run holds at most this many floats (128 MiB); larger batches are cut. */
const MAX_SCORES = 32 * 2 ** 20;
/** A buffer of a GPU holds 1 to 4 GiB, one ONNX file 2 GiB (protobuf): vectors go in shards well below both. */
const SHARD_BYTES = 2 ** 30 - 2 ** 20;

/**
 * The largest difference between a provider's float32 score and the canonical score, for unit vectors.
 * A float32 dot product of d terms, in any order, with or without fused multiply-add, is off by at most
 * d u / (1 - d u) with u = 2^-24 (Higham, Accuracy and Stability, 3.1); rounding the canonical score adds u.
 * WGSL leaves the rounding direction open (u = 2^-23), and its drivers get a factor of two on top. CUDA
 * may multiply in TF32, which cuts both factors to 11 significant bits: 2^-10 a product.
 */
export function scoreError(provider: Provider, dimension: number): number {
  const float32 = (dimension + 4) * 2 ** -24 * 1.001;
  if (provider === 'cpu') return float32;
  return provider === 'webgpu' ? 4 * float32 : float32 + 1.01 * 2 ** -10;
}

/** Where the shards begin, in rows, and the end of the last one. On a GPU each is whole chunks but for the last. */
function shardEnds(
  { rows, dimension }: VectorTable,
  { provider, shardBytes = SHARD_BYTES }: ExactSessionOptions,
) {
  const most = Math.max(1, Math.floor(shardBytes / (dimension * 4)));
  const each = provider === 'cpu' ? most : Math.max(1, Math.floor(most / GPU_CHUNK)) * GPU_CHUNK;
  const starts = Array.from({ length: Math.ceil(rows / each) }, (_, i) => i * each);
  return [...starts, rows];
}

interface Shard {
  graph: ExactGraph;
  first: number; // its first row in the bank
  rows: number;
}

async function openShards(bank: VectorTable, options: ExactSessionOptions): Promise<Shard[]> {
  const { vectors, dimension } = bank;
  const ends = shardEnds(bank, options);
  const shards: Shard[] = [];
  try {
    for (const [i, first] of ends.slice(0, -1).entries()) {
      const rows = ends[i + 1]! - first;
      const own = vectors.subarray(first * dimension, (first + rows) * dimension);
      const graph = await openExactGraph({ vectors: own, rows, dimension }, options);
      shards.push({ graph, first, rows });
    }
    return shards;
  } catch (error) {
    await closeAll(shards);
    throw error;
  }
}

const closeAll = async (shards: readonly Shard[]) =>
  void (await Promise.all(shards.map(({ graph }) => graph.close())));

/** Loads the bank into the provider. Throws `provider_unavailable` when onnxruntime cannot start it, or has no room there. */
export async function openExactSession(
  bank: VectorTable,
  options: ExactSessionOptions,
): Promise<ExactSession> {
  const shards = await openShards(bank, options);
  const epsilon = scoreError(options.provider, bank.dimension);
  const perRun = Math.max(1, Math.floor(MAX_SCORES / Math.max(...shards.map(({ graph }) => graph.columns))));
  let scanned = 0;

  const rowsOf = (queries: Float32Array, from: number, count: number) =>
    queries.subarray(from * bank.dimension, (from + count) * bank.dimension);
  const scan = (query: Float32Array, k: number) => {
    scanned++;
    return scanTopK(bank, query, { k });
  };
  const searchRun = async (queries: Float32Array, k: number, fetch: number): Promise<Hits[]> => {
    const q = queries.length / bank.dimension;
    const each = Array.from({ length: q }, (_, i) => rowsOf(queries, i, 1));
    if (fetch >= bank.rows || fetch > MAX_FETCH) return each.map((query) => scan(query, k));
    const candidates = await bestOfShards(shards, queries, { q, fetch });
    const hits: Hits[] = [];
    for (const [i, query] of each.entries()) {
      const proven = provenTopK(bank, query, { ...candidates[i]!, k, epsilon });
      hits.push(proven ?? (await searchRun(query, k, fetch * 2))[0]!);
    }
    return hits;
  };

  return {
    shards: shards.length,
    get scanned() {
      return scanned;
    },
    async search(queries, q, k) {
      // A power of two, so that a GPU compiles few kernels; sixteen to spare for near ties.
      const fetch = 2 ** Math.ceil(Math.log2(k + 16));
      const hits: Hits[] = [];
      for (let from = 0; from < q; from += perRun)
        hits.push(...(await searchRun(rowsOf(queries, from, Math.min(perRun, q - from)), k, fetch)));
      return hits;
    },
    close: () => closeAll(shards),
  };
}

/** What the shards found for each query, by rows of the bank; the bound holds for what any of them left out. */
async function bestOfShards(
  shards: readonly Shard[],
  queries: Float32Array,
  { q, fetch }: { q: number; fetch: number },
): Promise<Candidates[]> {
  const found: Candidates[][] = []; // by shard: one after the other, each fills the processor
  for (const { graph, first, rows } of shards) {
    const best = await graph.best(queries, { q, fetch: Math.min(fetch, graph.columns) });
    found.push(
      best.map((one) => ({
        rows: one.rows.filter((row) => row < rows).map((row) => first + row),
        bound: one.rows.length === graph.columns ? Number.NEGATIVE_INFINITY : one.bound,
      })),
    );
  }
  return Array.from({ length: q }, (_, i) => {
    const lists = found.map((shard) => shard[i]!.rows);
    const rows = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const list of lists) {
      rows.set(list, at);
      at += list.length;
    }
    return { rows, bound: Math.max(...found.map((shard) => shard[i]!.bound)) };
  });
}

/** The canonical best k of the candidates, or undefined when a row that was not fetched might belong to them. */
function provenTopK(
  { vectors, dimension }: VectorTable,
  query: Float32Array,
  { rows, bound, k, epsilon }: Candidates & { k: number; epsilon: number },
): Hits | undefined {
  const top = createTopK(k);
  for (const row of rows) top.offer(row, canonicalScore(query, 0, vectors, row * dimension, dimension));
  const { rows: best, scores } = top.take();
  // Strictly above: a row left out with an equal score could have the smaller number.
  return best.length === k && scores[k - 1]! > bound + epsilon
    ? { rows: best, scores, exact: true }
    : undefined;
}
