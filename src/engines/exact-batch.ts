import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GROUP, LIST } from './exact-memory.js';
import { openSelection, type Selection } from './exact-selection.js';
import { encodeOnnxModel, type OnnxGraph } from './onnx-model.js';

/**
 * Blocks of rows times a batch of queries. Where a row serves many queries the time goes into multiplying, and
 * onnxruntime multiplies bytes (`MatMulInteger`) about three times as fast as the kernels of a single query. It works
 * on memory of its own, because it refuses shared memory.
 */
export interface Batch {
  /** The queries of the next blocks: whole numbers (dimension) of at most `BATCH_LIMIT`, and what a product is worth. */
  setQueries(queries: readonly { numbers: Int8Array; scale: number }[]): void;
  setThreshold(q: number, threshold: number): void;
  /** Products of a block: `plane` is rows x stride, `scales` and `errors` one a row, at most `LIST` and a multiple of 4. */
  run(block: { row: number; plane: Uint8Array; scales: Float32Array; errors: Float32Array }): Promise<void>;
  /** What `run` found for query q: (row as int32, score as float32) for each row whose score + error reaches the threshold. */
  found(q: number): Int32Array;
  close(): Promise<void>;
}

/**
 * Without VNNI the products of bytes are added up in twos in 16 bits that clip: 255 x 64 x 2 still fits. Seven bits cost
 * a batch some more candidates, which both planes sort out.
 */
export const BATCH_LIMIT = 64;

const PAGE = 65_536;

function regions(stride: number) {
  const plane = 0;
  const sums = LIST * stride;
  const scales = sums + LIST * GROUP * 4;
  const errors = scales + LIST * 4;
  const queryScales = errors + LIST * 4;
  const thresholds = queryScales + GROUP * 4;
  const outs = thresholds + GROUP * 4;
  const found = outs + GROUP * 4;
  return {
    plane,
    sums,
    scales,
    errors,
    queryScales,
    thresholds,
    outs,
    found,
    bytes: found + GROUP * LIST * 8,
  };
}

const graph = (stride: number): OnnxGraph => ({
  name: 'products',
  inputs: [
    { name: 'rows', type: 'uint8', dims: ['r', stride] },
    { name: 'queries', type: 'int8', dims: [stride, 'q'] },
  ],
  outputs: [{ name: 'sums', type: 'int32', dims: ['r', 'q'] }],
  initializers: [{ name: 'zero', dims: [], data: Uint8Array.of(128) }],
  nodes: [{ op: 'MatMulInteger', inputs: ['rows', 'queries', 'zero'], outputs: ['sums'] }],
});

/** Null where onnxruntime multiplies bytes wrongly, or not at all. */
export async function openBatch(stride: number): Promise<Batch | null> {
  const session = await InferenceSession.create(encodeOnnxModel(graph(stride)), {
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  }).catch(() => null);
  if (!session) return null;
  const multiply = async (feeds: { rows: Tensor; queries: Tensor }, sums: Tensor) =>
    void (await session.run({ ...feeds }, { sums }));
  if (!(await multipliesRightly(stride, multiply).catch(() => false))) {
    await session.release();
    return null;
  }
  return batchOf(stride, multiply, () => session.release());
}

export type Multiply = (feeds: { rows: Tensor; queries: Tensor }, sums: Tensor) => Promise<void>;

/** The largest numbers of both signs, where sums that clip would show. */
export async function multipliesRightly(stride: number, multiply: Multiply): Promise<boolean> {
  const [rows, queries] = [64, GROUP];
  const plane = Uint8Array.from({ length: rows * stride }, (_, at) => {
    const row = Math.floor(at / stride);
    return row < 2 ? row * 255 : (at * 89 + row) % 256;
  });
  const numbers = Int8Array.from({ length: stride * queries }, (_, at) => {
    const q = at % queries;
    return q < 2 ? BATCH_LIMIT * (1 - 2 * q) : ((at * 37) % (2 * BATCH_LIMIT + 1)) - BATCH_LIMIT;
  });
  const sums = new Int32Array(rows * queries);
  await multiply(
    {
      rows: new Tensor('uint8', plane, [rows, stride]),
      queries: new Tensor('int8', numbers, [stride, queries]),
    },
    new Tensor('int32', sums, [rows, queries]),
  );
  return sums.every((sum, at) => {
    const [row, q] = [Math.floor(at / queries), at % queries];
    let expected = 0;
    for (let i = 0; i < stride; i++) expected += (plane[row * stride + i]! - 128) * numbers[i * queries + q]!;
    return sum === expected;
  });
}

function batchOf(stride: number, multiply: Multiply, close: () => Promise<void>): Batch {
  const at = regions(stride);
  const pages = Math.ceil(at.bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { select }: Selection = openSelection(memory);
  const { buffer } = memory;
  const ints = new Int32Array(buffer);
  const floats = new Float32Array(buffer);
  const foundOf = (q: number) => at.found + q * LIST * 8;
  let queries = new Tensor('int8', new Int8Array(0), [stride, 0]);
  let n = 0;
  return {
    setQueries(wanted) {
      n = Math.ceil(wanted.length / 4) * 4; // groups of four; the last ones find nothing
      const numbers = new Int8Array(stride * n);
      floats.fill(Number.POSITIVE_INFINITY, at.thresholds / 4, at.thresholds / 4 + n);
      wanted.forEach((query, q) => {
        query.numbers.forEach((number, i) => {
          numbers[i * n + q] = number;
        });
        floats[at.queryScales / 4 + q] = query.scale;
      });
      queries = new Tensor('int8', numbers, [stride, n]);
    },
    setThreshold(q, threshold) {
      floats[at.thresholds / 4 + q] = threshold;
    },
    async run({ row, plane, scales, errors }) {
      const count = scales.length;
      const rows = new Uint8Array(buffer, at.plane, count * stride);
      rows.set(plane);
      floats.set(scales, at.scales / 4);
      floats.set(errors, at.errors / 4);
      for (let q = 0; q < n; q++) ints[at.outs / 4 + q] = foundOf(q);
      const sums = new Int32Array(buffer, at.sums, count * n);
      await multiply(
        { rows: new Tensor('uint8', rows, [count, stride]), queries },
        new Tensor('int32', sums, [count, n]),
      );
      select(row, row + count, n, at.sums, at.scales, at.errors, at.queryScales, at.thresholds, at.outs);
    },
    found: (q) => ints.subarray(foundOf(q) / 4, ints[at.outs / 4 + q]! / 4),
    close,
  };
}
