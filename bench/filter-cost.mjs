#!/usr/bin/env node
// What a filter costs besides the search itself: processor time of reading which rows it leaves and of handing them to
// the index, which is left out here (a stand-in takes the rows and answers with the first).
//   node bench/filter-cost.mjs [--rows 1000000] [--repeats 5]
// Half of the rows fit. Needs the build (`npm run build`).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import { allowedPositions } from '../dist/core/check-search.js';
import { createFlatIndex } from '../dist/core/flat-index.js';
import { parseWhere } from '../dist/core/where.js';
import { openSqliteDatabase } from '../dist/engines/sqlite-database.js';
import { openCollection } from '../dist/flow/collection.js';
import { find } from '../dist/flow/find.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, repeats: { type: 'string', default: '5' } },
});
const ROWS = Number(values.rows);
const DIMENSION = 16;

const home = await mkdtemp(join(tmpdir(), 'lookalike-filter-'));
const path = join(home, 'lookalike.db');
openSqliteDatabase(path).close();
fill(path);
const database = openSqliteDatabase(path);
const store = database.store('default');
const generation = {
  number: 1,
  mark: ROWS,
  rows: Int32Array.from({ length: ROWS }, (_, i) => i + 1),
  exact: { search: async (_, n, { allowed, k }) => first(n, allowedPositions(allowed, ROWS).slice(0, k)) },
  close: async () => undefined,
};
const collection = openCollection(store, { newFresh: createFlatIndex, generation });
const vector = new Float32Array(DIMENSION);
vector[0] = 1;
for (const [name, filter] of [
  ['label', { labels: ['even'] }],
  ['where', { where: parseWhere({ parity: 'even' }) }],
  ['both', { labels: ['even'], where: parseWhere({ parity: 'even' }) }],
  ['narrow where', { where: parseWhere({ number: 77 }) }],
]) {
  const options = { k: 10, vote_k: 200, mode: 'exact', beta: 0, ...filter };
  const parts = { collection, store, yieldToRequests: async () => undefined };
  const times = [];
  for (let i = 0; i < Number(values.repeats); i++) {
    const before = process.cpuUsage();
    await find(parts, [{ vector, leftOut: [] }], options);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  console.log(`${name}: first ${times[0].toFixed(0)} ms, least ${Math.min(...times).toFixed(0)} ms`);
}
database.close();
await rm(home, { recursive: true });

function first(n, rows) {
  return Array.from({ length: n }, () => ({ rows, scores: new Float32Array(rows.length), exact: true }));
}

/** Rows without vectors: only what the filters read. */
function fill(file) {
  const database = openSqliteDatabase(file);
  database.createCollection('default', { model_sha256: '0'.repeat(64), dimension: DIMENSION });
  database.close();
  const db = new SqliteDatabase(file);
  db.pragma('synchronous = OFF');
  const item = db.prepare(
    "INSERT INTO items (row, collection, id, label, sha256, metadata, created_at, updated_at) VALUES (?, 1, ?, ?, ?, '{}', '', '')",
  );
  const facet = db.prepare('INSERT INTO facets (collection, path, value, row) VALUES (1, ?, ?, ?)');
  db.transaction(() => {
    for (let row = 1; row <= ROWS; row++) {
      const parity = row % 2 === 0 ? 'even' : 'odd';
      item.run(row, String(row).padStart(9, '0'), parity, String(row));
      facet.run('parity', parity, row);
      facet.run('number', row, row);
    }
  })();
  db.close();
}
