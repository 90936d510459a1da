#!/usr/bin/env node
// Two graph engines over the same vectors: time of the build, and time of a search at the same breadth, with its recall.
//   node bench/graph-engines.mjs [--vectors <file of float32>] [--dimension 128] [--rows 20000] [--queries 200] [--k 200]
// Without --vectors it takes those of the shipped demo bank. Rows past those of the file lie between two of them, moved by
// a little noise. Searches run on one thread, one engine after the other for each query; lists are scored again exactly.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import hnswlib from 'hnswlib-node';
import { exactSearch, Index } from 'usearch';
import { normaliseRows } from '../dist/core/vector.js';
import { nearest } from '../dist/engines/hnsw-graph.js';
import { readBank, readModel } from '../dist/offline.js';
import { randomFrom } from './kit.mjs';

const { values } = parseArgs({
  options: {
    vectors: { type: 'string' },
    dimension: { type: 'string', default: '128' },
    rows: { type: 'string', default: '20000' },
    queries: { type: 'string', default: '200' },
    k: { type: 'string', default: '200' },
  },
});
const [dimension, rows, asked, k] = ['dimension', 'rows', 'queries', 'k'].map((name) => Number(values[name]));
const M = 16;
const EF_CONSTRUCTION = 200;

const real = values.vectors
  ? new Float32Array(readFileSync(values.vectors).buffer)
  : (await readBank('index', (await readModel('model')).manifest.sha256)).vectors;
const bank = scaled(rows, 1);
const queries = scaled(asked, 2);
const query = (i) => queries.subarray(i * dimension, (i + 1) * dimension);

/** n vectors between two real ones each, moved by noise of a hundredth a dimension. */
function scaled(n, seed) {
  const there = real.length / dimension;
  const random = randomFrom(seed);
  const made = new Float32Array(n * dimension);
  for (let row = 0; row < n; row++) {
    const [a, b, part] = [Math.floor(random() * there), Math.floor(random() * there), random() * 0.5];
    for (let i = 0; i < dimension; i++)
      made[row * dimension + i] =
        real[a * dimension + i] * (1 - part) + real[b * dimension + i] * part + (random() - 0.5) * 0.035;
  }
  return normaliseRows(made, n, dimension);
}

function timed(what, build) {
  const [wall, before] = [performance.now(), process.cpuUsage()];
  const built = build();
  const { user, system } = process.cpuUsage(before);
  console.log(
    `build ${what}: ${((performance.now() - wall) / 1000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of CPU`,
  );
  return built;
}

const threads = availableParallelism();
console.log(
  `${cpus()[0].model}, ${threads} cores, load ${loadavg()[0].toFixed(1)}; ${rows} x ${dimension}, M ${M}, ef of the build ${EF_CONSTRUCTION}`,
);
const graphs = {
  'hnswlib f32': timed('hnswlib-node, 1 thread', () => {
    const graph = new hnswlib.HierarchicalNSW('ip', dimension);
    graph.initIndex({ maxElements: rows, m: M, efConstruction: EF_CONSTRUCTION, randomSeed: 1 });
    for (let row = 0; row < rows; row++)
      graph.addPoint(Array.from(bank.subarray(row * dimension, (row + 1) * dimension)), row);
    return (vector, ef) => {
      graph.setEf(ef);
      return graph.searchKnn(Array.from(vector), ef).neighbors;
    };
  }),
};
for (const [quantization, count] of [
  ['f32', threads],
  ['bf16', threads],
  ['bf16', 1],
]) {
  const graph = timed(`usearch ${quantization}, ${count} threads`, () => {
    const graph = new Index({
      dimensions: dimension,
      metric: 'ip',
      quantization,
      connectivity: M,
      expansion_add: EF_CONSTRUCTION,
      expansion_search: 1,
      multi: false,
    });
    for (let from = 0; from < rows; from += 1024) {
      const to = Math.min(rows, from + 1024);
      const keys = BigUint64Array.from({ length: to - from }, (_, i) => BigInt(from + i));
      graph.add(keys, bank.subarray(from * dimension, to * dimension), from === 0 ? 1 : count);
    }
    return graph;
  });
  graphs[`usearch ${quantization}${count === 1 ? ', built by 1' : ''}`] = (vector, ef) =>
    nearest(graph, vector, ef);
}

const truth = exactSearch(bank, queries, dimension, k, 'ip', threads);
const trueRows = Array.from(
  { length: asked },
  (_, i) => new Set(Array.from(truth.keys.subarray(i * k, (i + 1) * k), Number)),
);
const dot = (row, vector) => {
  let sum = 0;
  for (let i = 0; i < dimension; i++) sum += bank[row * dimension + i] * vector[i];
  return sum;
};
function recallOf(found, i) {
  const best = found.map((row) => [dot(row, query(i)), row]).sort((a, b) => b[0] - a[0]);
  return best.slice(0, k).filter(([, row]) => trueRows[i].has(row)).length / k;
}
const at = (sorted, part) => sorted[Math.floor(sorted.length * part)].toFixed(3);
for (const ef of [1, 1.15, 1.3, 1.6, 2, 3].map((part) => Math.ceil(k * part))) {
  const runs = Object.entries(graphs).map(([name, search]) => ({ name, search, times: [], recall: 0 }));
  for (let i = 0; i < asked; i++)
    for (const run of runs) {
      const begun = performance.now();
      const found = run.search(query(i), ef);
      run.times.push(performance.now() - begun);
      run.recall += recallOf(found, i) / asked;
    }
  for (const { name, times, recall } of runs) {
    times.sort((a, b) => a - b);
    console.log(
      `ef ${ef}, top ${k}: ${name}: min ${times[0].toFixed(3)}, median ${at(times, 0.5)}, p99 ${at(times, 0.99)} ms, recall ${recall.toFixed(4)}`,
    );
  }
}
