#!/usr/bin/env node
// All benchmarks: `npm run bench -- --vectors <folder> [--pictures <folder>]`; --help tells the rest.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine } from './kit.mjs';
import { writePage } from './page.mjs';
import { ROWS } from './rows.mjs';

const HELP = `usage: npm run bench -- --vectors <folder> [--pictures <folder>] [options]

Measures each row of the table in docs/benchmarks.md side by side with its peers, in one run.

  --vectors     real embeddings, made by node bench/make-bank.mjs (its head says how)
  --pictures    a folder of pictures, sub-folders are labels; rows that need pictures are passed over without it
  --rows        vectors that are searched [1280000]
  --graph-rows  vectors of the graph rows: building a graph of all takes long [100000]
  --only        rows, e.g. exact,encoder; of ${ROWS.map(({ id }) => id).join(', ')}
  --quick       few rounds: to see that it works, not for figures
  --scratch     where files of vectors and data folders are kept for the next run [a temporary folder]
  --model       a model folder [model]
  --json        print what was measured as JSON
  --headline    print only the headline, as JSON with --json
  --write       keep what was measured in docs/benchmarks/ and write docs/benchmarks.md
  --help        this text

Peers (faiss, usearch, FastAPI …) are installed by npm run bench:setup; without them their sides are missing.`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    vectors: { type: 'string' },
    pictures: { type: 'string' },
    rows: { type: 'string', default: '1280000' },
    'graph-rows': { type: 'string', default: '100000' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    scratch: { type: 'string' },
    model: { type: 'string', default: join(root, 'model') },
    json: { type: 'boolean', default: false },
    headline: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit(0);
}

function wrong(message) {
  console.error(`${message}\n\n${HELP}`);
  process.exit(2);
}

const whole = (name) => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1000)
    wrong(`--${name} is "${values[name]}": a whole number from 1000 on`);
  return value;
};

const wanted = values.only?.split(',') ?? ROWS.map(({ id }) => id);
const unknown = wanted.find((id) => !ROWS.some((row) => row.id === id));
if (unknown !== undefined)
  wrong(`--only names "${unknown}"; rows are ${ROWS.map(({ id }) => id).join(', ')}`);
for (const name of ['vectors', 'pictures', 'model'])
  if (values[name] !== undefined && !existsSync(values[name]))
    wrong(`--${name}: there is no ${values[name]}`);
if (values.quick && values.write) wrong('--quick gives no figures worth keeping: leave out --write');
if (values.headline && !values.only) wanted.splice(0, wanted.length, 'exact', 'whole-answer');

const temporary = values.scratch === undefined;
const scratch = temporary ? mkdtempSync(join(tmpdir(), 'lookalike-bench-')) : resolve(values.scratch);
mkdirSync(scratch, { recursive: true });

async function peersThere() {
  const { findPeers } = await import('./peers/find.mjs');
  return findPeers();
}

const rows = whole('rows');
const context = {
  root,
  rows,
  graphRows: Math.min(rows, whole('graph-rows')),
  quick: values.quick,
  vectors: values.vectors && resolve(values.vectors),
  pictures: values.pictures && resolve(values.pictures),
  model: resolve(values.model),
  scratch,
  peers: await peersThere(),
};

const results = {};
try {
  for (const row of ROWS.filter(({ id }) => wanted.includes(id))) {
    const lacking = (row.needs ?? []).filter((name) => context[name] === undefined);
    if (lacking.length > 0) {
      console.error(`${row.id}: passed over, it needs ${lacking.map((name) => `--${name}`).join(' and ')}`);
      continue;
    }
    const began = performance.now();
    const say = (text) => console.error(`${row.id}: ${text}`);
    const own = join(scratch, row.id);
    mkdirSync(own, { recursive: true });
    let measured;
    try {
      measured = await row.run({ ...context, scratch: own, say });
    } catch (error) {
      say(`failed, the others go on: ${error.stack}`);
      process.exitCode = 1;
      continue;
    }
    const seconds = Math.round((performance.now() - began) / 1000);
    results[row.id] = { title: row.title, ...measured, seconds, quick: values.quick, machine: machine() };
    say(`done in ${seconds} s`);
    if (values.write) keep(row.id);
    if (!values.json) for (const line of summary(results[row.id])) console.log(line);
  }
} finally {
  if (temporary) rmSync(scratch, { recursive: true, force: true });
}

/** Each row at once, so that what comes after it can lose nothing. */
function keep(id) {
  const folder = join(root, 'docs', 'benchmarks');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${id}.json`), `${JSON.stringify(results[id], null, 2)}\n`);
  writePage(root);
}

function summary({ title, sides, ratios }) {
  const ms = (value) => value.toFixed(2).padStart(10);
  return [
    `\n${title}`,
    ...Object.entries(sides).map(
      ([name, { min, median, p99 }]) =>
        `  ${name.padEnd(44)}${ms(min)}${ms(median)}${ms(p99)} ms (least, median, p99)`,
    ),
    ...ratios.map(({ what, value, limit, at_least, met }) => {
      const target =
        limit === null
          ? ''
          : `, target ${at_least ? 'at least' : 'at most'} ${limit.toFixed(3)}: ${met ? 'met' : 'missed'}`;
      return `  ${what}: ${value.toFixed(3)}${target}`;
    }),
  ];
}

function headline() {
  const of = (id, name) => results[id]?.sides[name]?.median;
  const ratioOf = (id, what) => results[id]?.ratios.find((one) => one.what === what)?.value;
  const answer = Object.entries(results['whole-answer']?.sides ?? {}).find(([name]) =>
    name.startsWith('lookalike'),
  );
  return {
    whole_answer: answer && { side: answer[0], rows, p50_ms: answer[1].median, p99_ms: answer[1].p99 },
    exact: {
      p50_ms: of('exact', 'lookalike, 2 threads'),
      ratio_to_fp32_peer: ratioOf('exact', 'to faiss flat, sharded, 2 threads') ?? null,
      ratio_to_probe: ratioOf('exact', 'to reading the 8-bit plane, 2 threads'),
    },
  };
}

if (values.headline) console.log(JSON.stringify(headline(), null, values.json ? 0 : 2));
else if (values.json) console.log(JSON.stringify(results));
process.exit(); // a row that failed may have left threads behind
