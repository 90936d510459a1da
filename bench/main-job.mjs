#!/usr/bin/env node
// The main job on labelled folders: index `train`, ask for every picture of `val` over HTTP, write the figures.
//   node bench/main-job.mjs <folder with train/ and val/> [--model folder] [--write]
// --write keeps them as a section of docs/benchmarks.md.
// Uses the built service (`npm run build`), a temporary data folder and a free port.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ENVIRONMENT } from '../scripts/environment.mjs';
import { writePage } from './page.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cli = join(root, 'dist', 'cli.js');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: join(root, 'model') },
    write: { type: 'boolean', default: false },
    name: { type: 'string', default: 'Imagenette' },
  },
});
const [data] = positionals;
if (!data) throw new Error('which folder? It must hold train/ and val/');

const env = { ...ENVIRONMENT, ...process.env };
const home = mkdtempSync(join(tmpdir(), 'lookalike-bench-'));

/** Starts the service; resolves when it says that it is ready. */
async function start(folder) {
  const began = performance.now();
  const options = ['--data-dir', join(home, 'data'), '--model', values.model, '--port', '0'];
  const child = spawn(process.execPath, [cli, 'serve', folder, ...options], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) {
    text += chunk;
    const url = /ready: (\S+)/.exec(text)?.[1];
    if (url) return { child, url, seconds: (performance.now() - began) / 1000 };
  }
  throw new Error('the service did not start');
}

const stop = ({ child }) =>
  new Promise((resolve) => {
    child.on('exit', resolve);
    child.kill('SIGTERM');
  });

const evaluate = (url, mode, concurrency) =>
  JSON.parse(
    execFileSync(
      process.execPath,
      [
        cli,
        'evaluate',
        join(data, 'val'),
        '--url',
        url,
        '--mode',
        mode,
        '--concurrency',
        concurrency,
        '--json',
      ],
      { env },
    ),
  );

try {
  const first = await start(join(data, 'train'));
  const jobs = (await (await fetch(`${first.url}/v1/jobs`)).json()).jobs;
  const info = await (await fetch(`${first.url}/v1/info`)).json();
  const seconds = ({ started_at, finished_at }) => (Date.parse(finished_at) - Date.parse(started_at)) / 1000;
  const imported = jobs.find(({ kind }) => kind === 'import');
  const built = jobs.find(({ kind }) => kind === 'reindex');
  const exact = evaluate(first.url, 'exact', '1');
  const graph = evaluate(first.url, 'hnsw', '1');
  await stop(first);
  const second = await start(join(data, 'train'));
  await stop(second);
  const result = {
    machine: `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    date: new Date().toISOString().slice(0, 10),
    versions: info.versions,
    model: { name: info.model.name, input: info.model.input, accuracy: info.model.accuracy },
    rows: info.bank.rows,
    import: { seconds: seconds(imported), pictures_per_second: imported.result.embedded / seconds(imported) },
    build: { seconds: seconds(built) },
    second_start_seconds: second.seconds,
    exact,
    hnsw: graph,
  };
  console.log(JSON.stringify(result, null, 2));
  if (values.write) {
    mkdirSync(join(root, 'docs', 'benchmarks'), { recursive: true });
    writeFileSync(join(root, 'docs', 'benchmarks', 'main-job.md'), section(result));
    writePage(root);
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}

function section(r) {
  const ms = (x) => x.toFixed(2);
  const stages = Object.keys(r.exact.stages_ms);
  const row = (name, pick) =>
    `| ${name} | ${['exact', 'hnsw']
      .map((mode) => {
        const { p50, p99 } = pick(r[mode]);
        return `${ms(p50)} / ${ms(p99)}`;
      })
      .join(' | ')} |`;
  return `## The main job

\`node bench/main-job.mjs <${values.name} folder> --write\`.
Machine: ${r.machine}. ${r.date}. ${Object.entries(r.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.
Data: ${values.name}, \`train\` indexed, every picture of \`val\` asked for over HTTP by one client. Encoder:
${r.model.name}, ${r.model.input.width} x ${r.model.input.height} px.

| measure | value |
|---|---|
| pictures indexed | ${r.rows} |
| import: read, hash, decode, embed, store | ${r.import.pictures_per_second.toFixed(0)} pictures/s (${r.import.seconds.toFixed(1)} s) |
| building the index (graph, checksums, load) | ${r.build.seconds.toFixed(1)} s |
| second start, nothing new, to ready | ${r.second_start_seconds.toFixed(1)} s |
| weighted-kNN accuracy (k ${r.exact.vote_k}, temperature ${r.exact.temperature}), exact index | ${r.exact.accuracy.toFixed(2)} % of ${r.exact.pictures} |
| the same through the graph | ${r.hnsw.accuracy.toFixed(2)} % |

Whole answer and its stages, milliseconds, p50 / p99:

| | exact | graph |
|---|---|---|
${row('whole answer, seen by the client', (e) => e.answer_ms)}
${stages.map((stage) => row(`— ${stage}`, (e) => e.stages_ms[stage])).join('\n')}

\`total\` is the server's own; the rest up to the whole answer is HTTP on the loopback and the client.
`;
}
