import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { LookalikeError } from '../core/errors.js';
import type { Provider } from '../core/provider.js';
import type { VectorTable } from '../core/top-k.js';
import { encodeOnnxModel, int64Tensor, type OnnxGraph } from './onnx-model.js';

/** One shard of a bank as an ONNX graph: scores all its rows in float32 and returns the best few. Blocks its thread. */
export interface ExactGraph {
  columns: number; // rows with those that pad the last chunk
  /** The `fetch` best columns of each of q queries; a column past the rows is padding. */
  best(queries: Float32Array, options: { q: number; fetch: number }): Promise<Candidates[]>;
  close(): Promise<void>;
}

export interface Candidates {
  rows: Int32Array;
  /** No row that was not fetched scores more than this, in the provider's arithmetic. */
  bound: number;
}

export interface ExactGraphOptions {
  provider: Provider;
  intraOpThreads: number; // of the CPU provider
}

/** WebGPU's TopK sorts more columns than this as a whole (bitonic), so that rows go in chunks of it. */
export const GPU_CHUNK = 2048;

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

/** Throws `provider_unavailable` when onnxruntime cannot start the provider. */
export async function openExactGraph(bank: VectorTable, options: ExactGraphOptions): Promise<ExactGraph> {
  const layout = layoutOf(bank.rows, options.provider);
  const session = await createSession(encodeOnnxModel(exactGraph(bank, layout)), options);
  return {
    columns: layout.chunks * layout.width,
    best: (queries, { q, fetch }) => fetchCandidates(session, layout, { queries, q, fetch }),
    close: () => session.release(),
  };
}

async function createSession(model: Uint8Array, { provider, intraOpThreads }: ExactGraphOptions) {
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
