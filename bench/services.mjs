// The services that the benchmarks ask, each a process of its own, and the one client that asks them all alike.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { listImages } from '../dist/offline.js';
import { ENVIRONMENT } from '../scripts/environment.mjs';
import { readBank } from './bank.mjs';
import { dataFolder } from './data-folder.mjs';
import { int8Model } from './int8-model.mjs';
import { inSequence, leastBreadth, recallOf } from './kit.mjs';
import { serve } from './story/service.mjs';

const WATCH = new URL('./main-thread.preload.mjs', import.meta.url).href;
const peer = (name) => fileURLToPath(new URL(`./peers/${name}`, import.meta.url));

/** The service on a data folder, with its own settings but three: no search for a GPU, no recall sampling in the others' turns, a quiet log. `report`: a file for what `main-thread.preload.mjs` finds. */
export async function startOurs({ folder, model, report }, more = []) {
  const args = ['--data-dir', folder, '--model', model, '--exact-provider', 'cpu', ...more];
  const { url, pid, stop } = await serve(args, {
    LOOKALIKE_RECALL_SAMPLE: '0',
    LOOKALIKE_LOG_LEVEL: 'error',
    ...(report && {
      NODE_OPTIONS: `${ENVIRONMENT.NODE_OPTIONS} --import=${WATCH}`,
      MAIN_THREAD_REPORT: report,
    }),
  });
  return { ...clientOf(url), pid, stop };
}

/** FastAPI, Pillow, onnxruntime and faiss; null where the Python is missing. */
export const startFastapi = (peers, setup) =>
  peers?.python ? startPeerService(peers.python, [peer('fastapi_service.py')], setup) : null;

/** Express, multer, sharp, onnxruntime-node and hnswlib-node, all on one thread, as a first version is written. */
export const startNaive = (setup) => startPeerService(process.execPath, [peer('naive-service.mjs')], setup);

/** What the rows serve: all vectors, those of the graphs, the same for the 8-bit encoder `small`, and the peers' setup. */
export async function servedFolders(context) {
  const { model, rows, graphRows } = context;
  const whole = await dataFolder(context, { rows, graph: rows === graphRows });
  const graph = rows === graphRows ? whole : await dataFolder(context, { rows: graphRows, graph: true });
  const small = int8Model(context);
  const smallData = await dataFolder({ ...context, model: small }, { rows: graphRows, graph: true });
  return { whole, graph, small, smallData, setup: await peerSetup(context, graph, model) };
}

/**
 * What both peers are told: the ONNX file, how pictures are prepared for it, the vectors, where their graphs are kept, and
 * how broad they search. `recall` says what that finds, and what the service's own choice finds.
 */
export async function peerSetup(context, data, model) {
  const cache = `${data.folder}-peers`;
  const { input, output, preprocess, temperature } = JSON.parse(
    readFileSync(join(model, 'manifest.json'), 'utf8'),
  );
  mkdirSync(cache, { recursive: true });
  const { mean, std } = preprocess;
  const { vectors, rows, dimension } = data;
  const onnx = join(model, 'encoder.onnx');
  const setup = { onnx, input, output, mean, std, temperature, vectors, rows, dimension, cache };
  const tuned = join(cache, 'breadths.json');
  if (!existsSync(tuned))
    writeFileSync(tuned, JSON.stringify(await breadths(context, { data, model, setup })));
  return { ...setup, ...JSON.parse(readFileSync(tuned, 'utf8')) };
}

/** For the page. */
export const breadthFacts = ({ ef, recall }) => ({ recall_of_the_graphs: recall, breadth_of_the_peers: ef });

const K = 200;
const BREADTHS = [200, 250, 300, 400, 500, 600, 800, 1000, 1300, 1600, 2000];
const RECALL = 0.99; // what the service tunes itself to
const ASKED = 64;

/** The breadth with which each peer finds as much of the true 200 as the service sees to, by name of the library. */
async function breadths({ vectors, peers, say }, { data, model, setup }) {
  say('the breadths of the peers for the same recall; their first start builds their graphs');
  const { queries, dimension } = readBank(vectors, 1);
  const asked = Array.from({ length: ASKED }, (_, i) =>
    Array.from(queries.subarray(i * dimension, (i + 1) * dimension)),
  );
  const ours = await startOurs({ folder: data.folder, model });
  const rowsOf = (mode) => async (vector) =>
    (await ours.post(`/v1/search?k=${K}&mode=${mode}`, { vector })).neighbours.map(({ id }) => Number(id));
  const truth = (await inSequence(asked, rowsOf('exact'))).map((rows) => new Set(rows));
  const recall = { lookalike: recallOf(await inSequence(asked, rowsOf('hnsw')), truth) };
  await ours.stop();
  const ef = { faiss: K, hnswlib: K };
  for (const [library, start] of [
    ['faiss', () => startFastapi(peers, { ...setup, ef })],
    ['hnswlib', () => startNaive({ ...setup, ef })],
  ]) {
    const peer = await start();
    if (!peer) continue;
    const search = (ef) => inSequence(asked, (vector) => peer.post(`/neighbours?ef=${ef}`, vector));
    const found = await leastBreadth(BREADTHS, { recall: RECALL, truth, search });
    [ef[library], recall[library]] = [found.ef, found.recall];
    await peer.stop();
  }
  return { ef, recall };
}

async function startPeerService(command, args, setup) {
  const child = spawn(command, [...args, JSON.stringify(setup)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-4000);
  });
  const url = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const found = /^ready: (\S+)$/m.exec(text);
      if (found) resolve(found[1]);
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`${args[0]} ended with ${code} before it was ready: ${said}`)),
    );
  });
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { ...clientOf(url), pid: child.pid, stop };
}

const BOUNDARY = 'lookalike-benchmark';

/** A picture as a browser's form sends it. */
function formOf(picture) {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), picture, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
}

const forms = new WeakMap();

/** `search(picture, query)` and `get(path)` resolve to `{status, headers, text}`, `post(path, value)` to the value that is answered. */
function clientOf(url) {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(url);
  const ask = (method, path, { body, headers } = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({ agent, hostname, port, method, path, headers }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          resolve({
            status: answer.statusCode,
            headers: answer.headers,
            text: Buffer.concat(parts).toString(),
          });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const search = async (picture, query) => {
    if (!forms.has(picture)) forms.set(picture, formOf(picture));
    const body = forms.get(picture);
    const headers = {
      'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`,
      'Content-Length': body.length,
    };
    const post = () => ask('POST', `/v1/search?${query}`, { body, headers });
    // A connection that lay idle may be closed by the other side just now.
    return post().catch((error) => (error.code === 'ECONNRESET' ? post() : Promise.reject(error)));
  };
  const post = async (path, value) => {
    const body = JSON.stringify(value);
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const { status, text } = await ask('POST', path, { body, headers });
    if (status !== 200) throw new Error(`${path} is answered with ${status}: ${text.slice(0, 500)}`);
    return JSON.parse(text);
  };
  return { url, search, post, get: (path) => ask('GET', path) };
}

/** So many clients for so long, each asking again once it was answered. */
export async function load({ service, query }, { clients, seconds, images }) {
  const times = [];
  const statuses = {};
  const began = performance.now();
  const until = began + 1000 * seconds;
  let next = 0;
  const client = async () => {
    while (performance.now() < until) {
      const sent = performance.now();
      const { status } = await service.search(images[next++ % images.length], query);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status === 200) times.push(performance.now() - sent);
      // Who is refused waits a little, as he is told to; else the refusals would be all there is.
      else await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { times, statuses, seconds: (performance.now() - began) / 1000 };
}

const WARM_UP = 30; // seconds

/** Asks until the compilers of V8 are done with what an answer runs, which takes some thousand answers; the peers are asked as long. */
export const warm = (asked, { images, quick }) =>
  load(asked, { clients: 4, images, seconds: quick ? 0.5 : WARM_UP });

export const WARMED =
  'Before anything is counted each service is asked by four clients for half a minute: V8 compiles what answers run for as long.';

/** Throws with what was said when it is no answer with labels and neighbours. */
export function checked(answer) {
  const { status, text } = answer;
  const { labels, neighbours } = status === 200 ? JSON.parse(text) : {};
  if (!(labels?.length > 0 && neighbours?.length > 0))
    throw new Error(`no answer: ${status} ${text.slice(0, 500)}`);
  return answer;
}

/** Real photographs as JPEGs of 500 x 375. */
export async function uploads(folder, count) {
  const all = await listImages(folder);
  const taken = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);
  return Promise.all(
    taken.map(async ({ path }) =>
      sharp(await readFile(path))
        .rotate()
        .resize(500, 375, { fit: 'cover' })
        .jpeg({ quality: 90 })
        .toBuffer(),
    ),
  );
}

/** The same encoder for pictures of another size: the graph is fully convolutional, only the manifest says a size. */
export function modelAt(model, size, folder) {
  const manifest = JSON.parse(readFileSync(join(model, 'manifest.json'), 'utf8'));
  cpSync(model, folder, { recursive: true });
  const square = { width: size, height: size };
  Object.assign(manifest.input, square);
  Object.assign(manifest.preprocess, { resize: { shorter_side: size }, crop: square });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}
