#!/usr/bin/env node
// Data folders of any size for the benchmarks: the vectors of `bench/bank.mjs` as a collection that the service opens.
//   node bench/data-folder.mjs --vectors <folder> --scratch <folder> --rows 1280000 [--graph] [--model model]
// makes one ahead where `npm run bench` with the same --scratch looks for it.
// Ids are row numbers, labels ten names in turn: neither changes what a search costs. Without --graph only the exact index is
// made, where the service can do that. A folder that is there and whole is left alone.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openSqliteDatabase } from '../dist/engines/sqlite-database.js';
import { createGenerations } from '../dist/generations.js';
import { readModel } from '../dist/offline.js';
import { readBank } from './bank.mjs';
import { timed } from './kit.mjs';

const here = fileURLToPath(import.meta.url);
const MADE = 'made.json'; // the last file that is written
const PAGE = 10_000;
export const labelOf = (row) => `class ${row % 10}`;

/**
 * The folder of so many rows, made when it is not there yet: `{folder, vectors, rows, dimension, seconds}`; `vectors` is the file of
 * them, float32. It lies beside the row's own scratch folder, so that all rows share it.
 */
export async function dataFolder({ scratch, vectors, model, say }, { rows, graph }) {
  const { manifest } = await readModel(model);
  // Of other vectors, or of another format, a folder is another one.
  const of = createHash('sha256').update(readFileSync(join(vectors, 'bank.json')));
  of.update(readFileSync(new URL('../dist/engines/generation.js', import.meta.url)));
  const name = [
    rows,
    graph ? 'graph' : 'exact',
    manifest.sha256.slice(0, 8),
    of.digest('hex').slice(0, 8),
  ].join('-');
  const folder = join(dirname(scratch), 'data-folders', name);
  if (!existsSync(join(folder, MADE))) {
    say(`making a data folder of ${rows} rows${graph ? ' with a graph' : ''}`);
    await inChild([
      '--vectors',
      vectors,
      '--out',
      folder,
      '--rows',
      rows,
      '--model',
      model,
      ...(graph ? ['--graph'] : []),
    ]);
  }
  const made = JSON.parse(readFileSync(join(folder, MADE), 'utf8'));
  return { folder, ...made, vectors: join(folder, made.vectors) };
}

/** A process of its own: what it took of memory is free afterwards. */
function inChild(args) {
  const child = spawn(process.execPath, [here, ...args.map(String)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${here} ended with ${code}`))));
  });
}

async function make({ vectors: from, out, rows, model, graph }) {
  const { manifest } = await readModel(model);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { vectors, dimension } = readBank(from, rows);
  const identity = { model_sha256: manifest.sha256, dimension };
  const database = openSqliteDatabase(join(out, 'lookalike.db'));
  const seconds = {};
  let store;
  seconds.database = await secondsOf(() => {
    store = database.createCollection('default', identity);
    for (let first = 0; first < rows; first += PAGE)
      store.put(
        Array.from({ length: Math.min(PAGE, rows - first) }, (_, i) => itemOf(vectors, dimension, first + i)),
      );
  });
  const dir = join(out, 'generations', String(store.space));
  const onCrash = (error) => console.error(error.message);
  const parts = { dir, identity, provider: 'cpu', exactThreads: 2, maxVectorBytes: 0, onCrash };
  const generations = createGenerations(parts);
  const source = {
    mark: store.highWaterMark(),
    rows: Int32Array.from({ length: rows }, (_, i) => i + 1),
    vectors,
  };
  let number;
  seconds.index = await secondsOf(async () => {
    const generation = await generations.build(source, { graph });
    number = generation.number;
    await generation.close();
  });
  database.close();
  const made = { rows, dimension, vectors: relative(out, join(dir, String(number), 'vectors.f32')), seconds };
  writeFileSync(join(out, MADE), `${JSON.stringify(made)}\n`);
  return made;
}

const secondsOf = async (step) => (await timed(step)) / 1000;

function itemOf(vectors, dimension, row) {
  const vector = vectors.slice(row * dimension, (row + 1) * dimension);
  const sha256 = row.toString(16).padStart(64, '0'); // of no file; in order, which is what the database likes best
  // As wide as the last one of any size, so that the order of the ids is that of the rows.
  return {
    id: String(row).padStart(8, '0'),
    label: labelOf(row),
    sha256,
    source: null,
    metadata: {},
    vector,
  };
}

if (process.argv[1] === here) {
  const { values } = parseArgs({
    options: {
      vectors: { type: 'string' },
      out: { type: 'string' }, // this very folder, instead of one in --scratch
      scratch: { type: 'string' },
      rows: { type: 'string' },
      model: { type: 'string', default: join(dirname(dirname(here)), 'model') },
      graph: { type: 'boolean', default: false },
    },
  });
  for (const name of ['vectors', 'rows']) if (!values[name]) throw new Error(`--${name} is needed`);
  const asked = { ...values, rows: Number(values.rows) };
  if (asked.out) console.log(JSON.stringify(await make(asked)));
  else if (!asked.scratch) throw new Error('--scratch is needed');
  else
    console.log(
      JSON.stringify(
        await dataFolder({ ...asked, scratch: join(asked.scratch, 'row'), say: console.error }, asked),
      ),
    );
}
