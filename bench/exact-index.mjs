// What the certificate of the exact index costs on real embeddings: how many rows the scan leaves open, how many vectors are
// read, and for how many queries the bounds decided without reading all. Its times are rows 1 and 2 of `npm run bench`.
//
//   node bench/exact-index.mjs --vectors <folder of bench/make-bank.mjs> [--rows 1280000] [--queries 200] [--json]
//
// The bank: the real embeddings, then perturbed copies of them up to size (`bench/bank.mjs` says how).
import { parseArgs } from 'node:util';
import { scanTopK } from '../dist/core/top-k.js';
import { openInt8Session } from '../dist/engines/exact-int8.js';
import { imageOf, planesIn } from '../dist/engines/exact-memory.js';
import { makePlanes } from '../dist/engines/exact-planes.js';
import { readBank } from './bank.mjs';
import { machine, quantile, timed } from './kit.mjs';

const { values } = parseArgs({
  options: {
    vectors: { type: 'string' },
    rows: { type: 'string', default: '1280000' },
    queries: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const bank = readBank(values.vectors, rows);
const { vectors, dimension } = bank;
const count = Math.min(Number(values.queries), bank.queries.length / dimension);
const query = (i, n = 1) => bank.queries.slice(i * dimension, (i + n) * dimension);

let planes;
const planesMs = await timed(async () => {
  planes = await makePlanes(vectors, { rows, dimension, threads: 1 });
});
const errors = planesIn(planes).errors.slice(0, rows).sort();
const session = openInt8Session(planes, { vectors });
const cases = [];
for (const [name, k, batch] of [
  ['one query, k 200', 200, 1],
  ['one query, k 10', 10, 1],
  ['batch of 32, k 200', 200, 32],
]) {
  const before = { ...session.counts };
  const asked = count - (count % batch);
  for (let i = 0; i < asked; i += batch) await session.search(query(i, batch), batch, { k });
  const since = (what) => session.counts[what] - before[what];
  cases.push({
    name,
    queries: asked,
    decided_by_bounds: 1 - since('scanned') / asked,
    left_by_scan: since('left') / asked,
    vectors_read: since('scored') / asked,
  });
}
let equal = 0;
const checked = Math.min(10, count);
for (let i = 0; i < checked; i++) {
  const [found] = await session.search(query(i), 1, { k: 200 });
  const truth = scanTopK({ vectors, rows, dimension }, query(i), { k: 200 });
  if (found.rows.join() === truth.rows.join() && found.scores.join() === truth.scores.join()) equal++;
}
await session.close();

const result = {
  machine: machine(),
  date: new Date().toISOString().slice(0, 10),
  rows,
  real_rows: bank.real,
  dimension,
  planes_mb: imageOf(planes).length / 1e6,
  planes_ms: planesMs,
  row_error: { median: quantile(errors, 0.5), max: errors.at(-1) },
  cases,
  lists_equal: `${equal} of ${checked}`,
};
if (values.json) console.log(JSON.stringify(result));
else {
  console.log(result);
  console.table(cases);
}
