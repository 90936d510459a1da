import { parentPort } from 'node:worker_threads';
import { fillPlanes, padPlanes } from '../core/planes.js';
import { scanTopK, type VectorTable } from '../core/top-k.js';
import type { Hits } from '../core/types.js';
import { openInt8Session } from './exact-int8.js';
import { type PlaneMemory, planesIn } from './exact-memory.js';
import { type ExactSessionOptions, openExactSession } from './exact-session.js';
import { loadVectors, type VectorSource } from './vector-source.js';
import { serveCalls } from './worker-call.js';

/** The thread of `exact-index.ts`: holds a session of either kind. */
export type ExactData = Int8Data | Float32Data;

/** Scans 8-bit planes, with helpers. */
interface Int8Data {
  kind: 'int8';
  planes: PlaneMemory;
  filled: boolean; // or they are to be made from the vectors
  source: VectorSource;
}

/** Runs an ONNX graph over the vectors; scans plainly where only some rows are allowed. */
interface Float32Data {
  kind: 'float32';
  source: VectorSource;
  rows: number;
  dimension: number;
  options: ExactSessionOptions;
}

export interface ExactRequest {
  queries: Float32Array;
  n: number;
  k: number;
  positions: Int32Array | undefined; // the only rows allowed
}

type Search = (request: ExactRequest) => Promise<Hits[]> | Hits[];

await serveCalls<ExactData, ExactRequest, Hits[]>(async (data) => {
  const search = data.kind === 'int8' ? openInt8(data) : await openFloat32(data);
  return async (request) => ({ value: await search(request) });
});

function openInt8({ planes, filled, source }: Int8Data): Search {
  if (!filled) {
    const vectors = loadVectors(source, planes);
    const parts = planesIn(planes);
    fillPlanes(parts, vectors, { from: 0, to: planes.rows });
    padPlanes(parts);
  }
  const session = openInt8Session(planes, source);
  parentPort!.once('close', () => void session.close());
  return ({ queries, n, k, positions }) => session.search(queries, n, { k, positions });
}

async function openFloat32({ source, rows, dimension, options }: Float32Data): Promise<Search> {
  const bank: VectorTable = { vectors: loadVectors(source, { rows, dimension }), rows, dimension };
  const session = await openExactSession(bank, options);
  return ({ queries, n, k, positions }) => {
    if (!positions) return session.search(queries, n, k);
    const query = (i: number) => queries.subarray(i * dimension, (i + 1) * dimension);
    return Array.from({ length: n }, (_, i) => scanTopK(bank, query(i), { k, positions }));
  };
}
