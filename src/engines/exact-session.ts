import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { LookalikeError } from '../core/errors.js';
import type { Provider } from '../core/provider.js';
import { createTopK, scanTopK, type VectorTable } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { canonicalScore } from '../core/vector.js';
import { encodeOnnxModel, int64Tensor, type OnnxGraph } from './onnx-model.js';

/**
 * Exact search as an ONNX graph, with a proof. The graph scores every row in float32 and returns the best
 * few more than were asked for; those are scored again canonically, and the answer is proven when the k-th
 * canonical score beats everything the graph left out, rounding included. Otherwise more is fetched.
 * Blocks the thread it runs on: used by `exact-index.worker.ts` and by the provider probe's child process.
 */

export interface ExactSession {
  /** `queries`: q x dimension unit vectors. */
  search(queries: Float32Array, q: number, k: number): Promise<Hits[]>;
  /** How many queries a plain scan answered: the graph could prove none of its lists, or the bank is tiny. */
  readonly scanned: number;
  close(): Promise<void>;
}

export interface ExactSessionOptions {
  provider: Provider;
  intraOpThreads: number; // of the CPU provider
}

/** Past this many candidates a plain scan answers: only banks with thousands of equal scores come here. */
const MAX_FETCH = 8192;
/** The score matrix of one run holds at most this many floats (128 MiB); larger batches are cut. */
const MAX_SCORES = 32 * 2 ** 20;
/** WebGPU's TopK sorts more columns than this as a whole (bitonic), so that rows go in chunks of it. */
const GPU_CHUNK = 2048;
/** What protobuf, and with it one ONNX file, can hold; some room is left for the rest of the graph. */
const MAX_MODEL_BYTES = 2 ** 31 - 2 ** 20;

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

/** Rows are cut into `chunks` of `width` columns; what pads the last chunk scores -4 and never wins. */
interface Layout {
  chunks: number;
  width: number;
}

function layoutOf(rows: number, provider: Provider): Layout {
  if (provider === 'cpu') return { chunks: 1, width: rows };
  return { chunks: Math.ceil(rows / GPU_CHUNK), width: GPU_CHUNK };
}

function exactGraph({ vectors, rows, dimension }: VectorTable, { chunks, width }: Layout): OnnxGraph {
  const padded = chunks * width;
  let bank = vectors.subarray(0, rows * dimension);
  if (padded > rows) {
    bank = new Float32Array(padded * dimension);
    bank.set(vectors.subarray(0, rows * dimension));
  }
  const attributes = { axis: { int: -1 }, largest: { int: 1 }, sorted: { int: 1 } };
  return {
    name: 'exact-search',
    inputs: [
      { name: 'queries', type: 'float32', dims: ['q', dimension] },
      { name: 'fetch_chunk', type: 'int64', dims: [1] },
      { name: 'fetch', type: 'int64', dims: [1] },
    ],
    outputs: [
      { name: 'scores', type: 'float32', dims: ['q', 'fetch'] }, // best first
      { name: 'places', type: 'int64', dims: ['q', 'fetch'] }, // into the flattened `columns`
      { name: 'columns', type: 'int64', dims: ['q', chunks, 'fetch_chunk'] }, // column within its chunk
    ],
    initializers: [
      { name: 'bank', dims: [padded, dimension], data: bank },
      { name: 'padding', dims: [padded], data: new Float32Array(padded).fill(-4, rows) },
      int64Tensor('in_chunks', [-1, chunks, width]),
      int64Tensor('in_one', [0, -1]),
    ],
    // Row numbers are put together in JavaScript: WebGPU has no int64 arithmetic, and every node must run there.
    nodes: [
      {
        op: 'Gemm',
        inputs: ['queries', 'bank', 'padding'],
        outputs: ['all'],
        attributes: { transB: { int: 1 } },
      },
      { op: 'Reshape', inputs: ['all', 'in_chunks'], outputs: ['chunked'] },
      { op: 'TopK', inputs: ['chunked', 'fetch_chunk'], outputs: ['chunk_scores', 'columns'], attributes },
      { op: 'Reshape', inputs: ['chunk_scores', 'in_one'], outputs: ['finalists'] },
      { op: 'TopK', inputs: ['finalists', 'fetch'], outputs: ['scores', 'places'], attributes },
    ],
  };
}

/**
 * Loads the bank into the provider. Throws `provider_unavailable` when the bank does not fit in one graph
 * or onnxruntime cannot start the provider.
 */
export async function openExactSession(
  bank: VectorTable,
  options: ExactSessionOptions,
): Promise<ExactSession> {
  const layout = layoutOf(bank.rows, options.provider);
  checkModelSize(bank, layout);
  const session = await createSession(encodeOnnxModel(exactGraph(bank, layout)), options);
  const epsilon = scoreError(options.provider, bank.dimension);
  const perRun = Math.max(1, Math.floor(MAX_SCORES / (layout.chunks * layout.width)));
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
    const candidates = await fetchCandidates(session, layout, { queries, q, fetch });
    const hits: Hits[] = [];
    for (const [i, query] of each.entries()) {
      const proven = provenTopK(bank, query, { ...candidates[i]!, k, epsilon });
      hits.push(proven ?? (await searchRun(query, k, fetch * 2))[0]!);
    }
    return hits;
  };

  return {
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
    close: () => session.release(),
  };
}

function checkModelSize({ rows, dimension }: VectorTable, { chunks, width }: Layout): void {
  const bytes = chunks * width * (dimension + 1) * 4;
  if (bytes <= MAX_MODEL_BYTES) return;
  const most = Math.floor(MAX_MODEL_BYTES / ((dimension + 1) * 4));
  throw new LookalikeError(
    'provider_unavailable',
    `the exact index holds at most ${most} vectors of ${dimension} dimensions (one ONNX file of 2 GiB), got ${rows}`,
  );
}

async function createSession(model: Uint8Array, { provider, intraOpThreads }: ExactSessionOptions) {
  env.logLevel = 'fatal'; // faults come back as errors; the library's own lines would be the second report
  try {
    return await InferenceSession.create(model, {
      executionProviders: [provider],
      intraOpNumThreads: intraOpThreads,
      logSeverityLevel: 4,
      // Spinning threads would fight the decoder and the embedder for the cores. A GPU session that silently
      // ran parts on the CPU would be neither fast nor what was asked for.
      extra: {
        session: {
          intra_op: { allow_spinning: '0' },
          ...(provider === 'cpu' ? {} : { disable_cpu_ep_fallback: '1' }),
        },
      },
    });
  } catch (cause) {
    throw new LookalikeError('provider_unavailable', `${provider} does not start: ${readable(cause)}`, {
      cause,
    });
  }
}

// "/source/file.cc:136 function(...) condition was false. Failed to ...": only the last sentence helps a reader.
function readable(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = text
    .trim()
    .split('\n')[0]!
    .replace(/^.* was false\. /, '')
    .trim();
  return /CUDA.*Failed to load shared library/i.test(line)
    ? "onnxruntime's CUDA libraries are not installed"
    : line;
}

interface Candidates {
  rows: Int32Array;
  /** No row that was not fetched scores more than this, in the provider's arithmetic. */
  bound: number;
}

async function fetchCandidates(
  session: InferenceSession,
  { chunks, width }: Layout,
  { queries, q, fetch }: { queries: Float32Array; q: number; fetch: number },
): Promise<Candidates[]> {
  const perChunk = Math.min(fetch, width);
  const count = (value: number) => new Tensor('int64', [BigInt(value)], [1]);
  const output = await session.run({
    // A copy: onnxruntime refuses views on shared memory.
    queries: new Tensor('float32', queries.slice(), [q, queries.length / q]),
    fetch_chunk: count(perChunk),
    fetch: count(fetch),
  });
  const scores = output.scores!.data as Float32Array;
  const places = output.places!.data as BigInt64Array;
  const columns = output.columns!.data as BigInt64Array;
  return Array.from({ length: q }, (_, i) => {
    const rows = Int32Array.from({ length: fetch }, (_, j) => {
      const place = Number(places[i * fetch + j]!);
      return Math.floor(place / perChunk) * width + Number(columns[i * chunks * perChunk + place]!);
    });
    return { rows, bound: scores[(i + 1) * fetch - 1]! };
  });
}

/** The canonical best k of the candidates, or undefined when a row that was not fetched might belong to them. */
function provenTopK(
  { vectors, rows: size, dimension }: VectorTable,
  query: Float32Array,
  { rows, bound, k, epsilon }: Candidates & { k: number; epsilon: number },
): Hits | undefined {
  const top = createTopK(k);
  for (const row of rows)
    if (row < size) top.offer(row, canonicalScore(query, 0, vectors, row * dimension, dimension));
  const { rows: best, scores } = top.take();
  // Strictly above: a row left out with an equal score could have the smaller number.
  return best.length === k && scores[k - 1]! > bound + epsilon
    ? { rows: best, scores, exact: true }
    : undefined;
}
