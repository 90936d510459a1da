#!/usr/bin/env node
// Searches while the index is rebuilt and the model is swapped: answers a second and latency before, during and after.
//   node bench/under-load.mjs <folder of pictures> [--queries folder] [--limit 9469] [--clients 2] [--seconds 20]
//                             [--model folder] [--write docs/story.md] [--json file]
// Needs the build (`npm run build`). Exit code 1 when a single request fails or a job does. The clients run in this process,
// on the same machine as the service: what they take is missing there, in every phase alike.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReadableStream } from 'node:stream/web';
import { parseArgs } from 'node:util';
import { createClient, waitForJob } from '../client/dist/index.js';
import { packFolder } from '../dist/engines/tar-folder.js';
import { randomFrom } from './kit.mjs';
import { makeSecondEncoder, picturesOf, prepareFolder } from './story/data.mjs';
import { circumstances, table, writeSection } from './story/machine.mjs';
import { root, serve } from './story/service.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    queries: { type: 'string' },
    limit: { type: 'string', default: '9469' },
    clients: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '20' },
    model: { type: 'string', default: join(root, 'model') },
    name: { type: 'string', default: 'Imagenette' },
    write: { type: 'string' },
    json: { type: 'string' },
  },
});
const [folder] = positionals;
if (!folder) throw new Error('usage: node bench/under-load.mjs <folder of pictures> [--queries folder]');
const QUERIES = 200;
const SECOND = 'nearer';

/** Searches one after the other until stopped; each outcome goes to the phase that it began in. */
function loadOf(client, pictures) {
  const phases = [];
  let next = 0;
  let running = true;
  async function one() {
    while (running) {
      const phase = phases.at(-1);
      const body = pictures[next++ % pictures.length];
      const began = performance.now();
      const failure = await client
        .call('post', '/v1/search', { headers: { 'Content-Type': 'application/octet-stream' }, body })
        .then(({ data }) => (data.neighbours.length > 0 ? null : 'an empty answer'))
        .catch((error) => error.message);
      if (failure === null) phase.times.push(performance.now() - began);
      else phase.errors.push(failure);
    }
  }
  let clients = null;
  return {
    phases,
    async during(name, work) {
      const phase = { name, times: [], errors: [], seconds: 0 };
      phases.push(phase);
      clients ??= Array.from({ length: Number(values.clients) }, one);
      const began = performance.now();
      const detail = await work();
      phase.seconds = (performance.now() - began) / 1000;
      if (detail) phase.detail = detail;
    },
    async stop() {
      running = false;
      await Promise.all(clients ?? []);
    },
  };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 1000 * Number(values.seconds)));

async function jobOf(client, path, query = {}) {
  const { data } = await client.call('post', path, { query });
  const job = await waitForJob(client, data.id, { every: 500 });
  if (job.state !== 'succeeded') throw new Error(`${path}: ${job.state}: ${job.error}`);
  return job.result.report;
}

const home = mkdtempSync(join(tmpdir(), 'lookalike-load-'));
try {
  const stored = picturesOf(folder, Number(values.limit));
  await prepareFolder(join(home, 'pictures'), stored, { bad: 0, random: randomFrom(1) });
  const asked = picturesOf(values.queries ?? folder, QUERIES).map(({ path }) => readFileSync(path));
  const { folder: second, temperature } = await makeSecondEncoder(values.model, join(home, 'second'));
  const service = await serve([
    join(home, 'pictures'),
    '--data-dir',
    join(home, 'data'),
    '--model',
    values.model,
  ]);
  const client = createClient({ url: service.url });
  const query = { name: SECOND, temperature };
  const headers = { 'Content-Type': 'application/x-tar' };
  await client.call('post', '/v1/models', { query, headers, body: ReadableStream.from(packFolder(second)) });
  const load = loadOf(client, asked);
  try {
    await load.during('before', pause);
    await load.during('rebuilding the index', () => jobOf(client, '/v1/reindex').then(() => null));
    await load.during('between', pause);
    await load.during('swapping the model', () => jobOf(client, '/v1/reindex', { model: SECOND }));
    await load.during('with the other model', pause);
    await load.during('rolling back', () => jobOf(client, '/v1/reindex/rollback').then(() => null));
    await load.during('after', pause);
  } finally {
    await load.stop();
  }
  const info = (await client.call('get', '/v1/info')).data;
  await service.stop();
  const phases = load.phases.map(summary);
  const lines = pageOf(phases, { info, rows: stored.length });
  if (values.json) writeFileSync(values.json, `${JSON.stringify(phases, null, 2)}\n`);
  if (values.write) writeSection(values.write, 'under-load', lines);
  console.log(lines.join('\n'));
  const failed = phases.filter(({ errors, answers }) => errors > 0 || answers === 0);
  for (const { name, errors, first } of failed)
    console.error(`${name}: ${errors} errors, the first: ${first}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}

function summary({ name, times, errors, seconds }) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const rate = times.length / seconds;
  return {
    name,
    seconds,
    answers: times.length,
    rate,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    errors: errors.length,
    first: errors[0],
  };
}

function pageOf(phases, { info, rows }) {
  const ms = (value) => (value === undefined ? '-' : value.toFixed(1));
  return [
    '## Searching while the index is rebuilt and the model is swapped',
    '',
    `\`node bench/under-load.mjs <${values.name} folder> --write docs/story.md\`: ${rows} pictures, ${values.clients} clients that ask one search after the`,
    `other over HTTP, from the machine of the service. ${circumstances(info)}`,
    '',
    ...table(
      ['phase', 'seconds', 'answers', 'answers/s', 'p50 ms', 'p99 ms', 'max ms', 'errors'],
      phases.map(({ name, seconds, answers, rate, p50, p99, max, errors }) => [
        name,
        seconds.toFixed(1),
        answers,
        rate.toFixed(1),
        ms(p50),
        ms(p99),
        ms(max),
        errors,
      ]),
    ),
    '',
    'A rebuild takes one core for the graph; a swap decodes and embeds every stored picture beside the searches, which share the',
    "encoder's cores with it.",
  ];
}
