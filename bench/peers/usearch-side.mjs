// usearch beside our indexes: its exact search in float32 and in 8-bit integers, and its graph.
//   node usearch-side.mjs <folder with node_modules/usearch>
// One JSON line a request: first the setup, then {index, first, n, k, ef}; answers {ms, rows}.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const folder = process.argv[2];
const require = createRequire(join(folder, 'package.json'));
const { exactSearch, Index, MetricKind, ScalarKind } = require('usearch');
const { version } = JSON.parse(readFileSync(join(folder, 'node_modules', 'usearch', 'package.json'), 'utf8'));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const setup = JSON.parse((await lines.next()).value);
const { dimension, rows, threads } = setup;
const floats = (path, count) => {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer, bytes.byteOffset, count ?? bytes.byteLength / 4);
};
const vectors = floats(setup.vectors, rows * dimension);
const queries = floats(setup.queries);
/** A loop: `Int8Array.from` keeps a list of all numbers besides. */
function toBytes(values) {
  const bytes = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = Math.round(Math.max(-1, Math.min(1, values[i])) * 127);
  return bytes;
}

let graph;
let build_ms = null;
if (setup.hnsw) {
  graph = new Index({
    metric: MetricKind.IP,
    quantization: ScalarKind.F32,
    dimensions: dimension,
    connectivity: 16,
    expansion_add: 200,
    expansion_search: setup.ef ?? 200,
  });
  const keys = BigUint64Array.from({ length: rows }, (_, i) => BigInt(i));
  const began = performance.now();
  graph.add(keys, vectors, threads);
  build_ms = performance.now() - began;
}
const bytes = setup.hnsw ? undefined : toBytes(vectors);
const queryBytes = setup.hnsw ? undefined : toBytes(queries);
console.log(JSON.stringify({ version, build_ms }));

for await (const line of lines) {
  const { index, first, n, k } = JSON.parse(line);
  const from = first * dimension;
  const to = (first + n) * dimension;
  const began = performance.now();
  let found;
  if (index === 'hnsw') found = graph.search(queries.subarray(from, to), k, threads);
  else if (index === 'i8')
    found = exactSearch(bytes, queryBytes.subarray(from, to), dimension, k, MetricKind.IP, threads);
  else found = exactSearch(vectors, queries.subarray(from, to), dimension, k, MetricKind.IP, threads);
  const ms = performance.now() - began;
  console.log(JSON.stringify({ ms, rows: Array.from(found.keys, Number) }));
}
