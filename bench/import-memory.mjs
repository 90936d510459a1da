#!/usr/bin/env node
// What an import of a million entries holds in memory, beside what the collection itself needs.
//   node bench/import-memory.mjs [--rows 1000000] [--only npy,ndjson,zip] [--folder <scratch>] [--json]
// A collection has to have every vector in memory, so each source is imported twice: the first time the collection grows,
// the second time nothing changes and all that is held is the import's. A service of its own runs in a child process with
// a small ready-made model; its memory is read from /proc (Linux) at least every 200 ms. Needs `npm run build`.
import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { createClient, startImport, waitForJob } from '../client/dist/index.js';
import { packFiles } from '../dist/engines/tar-folder.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    only: { type: 'string', default: 'npy,ndjson,zip' },
    folder: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const home = mkdtempSync(join(values.folder, 'lookalike-memory-'));
const { dimension } = JSON.parse(readFileSync(join(root, 'model', 'manifest.json'), 'utf8'));
const PAGE = 1000;

/** The same unit vectors for every source: a cheap generator, one page at a time. */
function* pagesOfVectors() {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
  for (let at = 0; at < rows; at += PAGE) {
    const page = new Float32Array(Math.min(PAGE, rows - at) * dimension);
    for (let row = 0; row * dimension < page.length; row++) {
      let squares = 0;
      for (let i = row * dimension; i < (row + 1) * dimension; i++) {
        page[i] = next();
        squares += page[i] ** 2;
      }
      for (let i = 0; i < dimension; i++) page[row * dimension + i] /= Math.sqrt(squares);
    }
    yield page;
  }
}

async function write(name, fill) {
  const path = join(home, name);
  const file = await open(path, 'w');
  await fill(file);
  await file.close();
  return path;
}

const writeNpy = () =>
  write('bank.npy', async (file) => {
    const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimension}), }`;
    const padded = `${text.padEnd(117)}\n`;
    const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
    head.writeUInt16LE(padded.length, 8);
    await file.appendFile(head);
    await file.appendFile(padded);
    for (const page of pagesOfVectors()) await file.appendFile(new Uint8Array(page.buffer));
  });

const writeNdjson = () =>
  write('lines.ndjson', async (file) => {
    let id = 0;
    for (const page of pagesOfVectors()) {
      const lines = [];
      for (let at = 0; at < page.length; at += dimension)
        lines.push(
          `{"id":"${id++}","label":"${id % 100}","vector":[${page.subarray(at, at + dimension)}]}\n`,
        );
      await file.appendFile(lines.join(''));
    }
  });

/** A zip64 of tiny files that are no pictures but one: the members are what counts, not how fast the encoder is. */
const writeZip = (picture) =>
  write('members.zip', async (file) => {
    let at = 0;
    const central = [];
    const member = async (name, bytes) => {
      const header = Buffer.alloc(46);
      header.writeUInt16LE(20, 6);
      header.writeUInt32LE(crc32(bytes), 16);
      header.writeUInt32LE(bytes.length, 20);
      header.writeUInt32LE(bytes.length, 24);
      header.writeUInt16LE(name.length, 28);
      header.writeUInt32LE(at, 42);
      header.writeUInt32LE(0x02014b50, 0);
      central.push(Buffer.concat([header, Buffer.from(name)]));
      const local = Buffer.alloc(30);
      local.writeUInt32LE(0x04034b50, 0);
      header.copy(local, 4, 6, 30);
      const all = Buffer.concat([local, Buffer.from(name), bytes]);
      at += all.length;
      return all;
    };
    for (let n = 0; n < rows; n += PAGE) {
      const page = [];
      for (let i = n; i < Math.min(rows, n + PAGE); i++)
        page.push(await member(`${i % 100}/${i}.jpg`, i === 0 ? picture : Buffer.from(`${i}`)));
      await file.appendFile(Buffer.concat(page));
    }
    const start = at;
    let size = 0;
    for (let n = 0; n < central.length; n += PAGE) {
      const page = Buffer.concat(central.slice(n, n + PAGE));
      size += page.length;
      await file.appendFile(page);
    }
    const end64 = Buffer.alloc(56 + 20 + 22);
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(44n, 4);
    end64.writeBigUInt64LE(BigInt(rows), 24);
    end64.writeBigUInt64LE(BigInt(rows), 32);
    end64.writeBigUInt64LE(BigInt(size), 40);
    end64.writeBigUInt64LE(BigInt(start), 48);
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(start + size), 64);
    end64.writeUInt32LE(1, 72);
    end64.writeUInt32LE(0x06054b50, 76);
    end64.writeUInt16LE(0xffff, 84);
    end64.writeUInt16LE(0xffff, 86);
    end64.writeUInt32LE(0xffffffff, 88);
    end64.writeUInt32LE(0xffffffff, 92);
    await file.appendFile(end64);
  });

async function startServer() {
  const args = ['serve', '--port', '0', '--data-dir', join(home, 'data'), '--exact-provider', 'cpu'];
  const child = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (line) => {
      const found = /ready: (\S+)/.exec(String(line));
      if (found) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { child, client: createClient({ url }) };
}

const resident = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Imports `source` and follows the memory of the service while its job runs: MiB when it begins, at the most, and after. */
async function measured({ child, client }, source, query) {
  const { id } = await startImport(client, source(), { query });
  let before = null;
  let most = 0;
  const job = await waitForJob(client, id, {
    every: 200,
    onProgress: ({ state }) => {
      if (state !== 'running') return;
      before ??= resident(child.pid);
      most = Math.max(most, resident(child.pid));
    },
  });
  if (job.state !== 'succeeded') throw new Error(job.error);
  const { found, embedded, imported, unchanged, refused } = job.result;
  return {
    seconds: (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000,
    rss_before: Math.round(before),
    rss_most: Math.round(most),
    rss_after: Math.round(resident(child.pid)),
    ...{ found, taken: imported + embedded, unchanged, refused },
  };
}

/** The index that would be built of what was imported is none of the import's business. */
async function withoutRebuild({ client }) {
  const { data } = await client.call('get', '/v1/jobs', { query: { kind: 'reindex' } });
  for (const { id, finished_at } of data.jobs)
    if (finished_at === null) {
      await client.call('delete', '/v1/jobs/{id}', { path: { id } });
      await waitForJob(client, id);
    }
}

const picture = readFileSync(join(root, 'docs', 'page.png'));
const SOURCES = {
  npy: async () => {
    const path = await writeNpy();
    return [
      path,
      () => ({ body: ReadableStream.from(packFiles([{ path, name: basename(path) }])), type: 'tar' }),
      { holds: 'bank' },
    ];
  },
  ndjson: async () => {
    const path = await writeNdjson();
    return [path, () => ({ body: ReadableStream.from(createReadStream(path)), type: 'ndjson' }), {}];
  },
  zip: async () => {
    const path = await writeZip(picture);
    return [path, () => ({ body: ReadableStream.from(createReadStream(path)), type: 'zip' }), {}];
  },
};

const results = [];
try {
  for (const name of values.only.split(',')) {
    const [path, source, query] = await SOURCES[name]();
    const server = await startServer();
    try {
      await server.client.call('post', '/v1/collections', { json: { name } });
      for (const run of ['first', 'again']) {
        const result = {
          source: name,
          run,
          ...(await measured(server, source, { ...query, collection: name })),
        };
        results.push(result);
        console.error(JSON.stringify(result));
        await withoutRebuild(server);
      }
    } finally {
      server.child.kill('SIGKILL');
      await new Promise((resolve) => server.child.on('exit', resolve));
    }
    rmSync(path);
    rmSync(join(home, 'data'), { recursive: true, force: true });
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
const machine = {
  node: process.version,
  cpus: `${cpus().length} x ${cpus()[0].model}`,
  date: new Date().toISOString().slice(0, 10),
};
if (values.json) console.log(JSON.stringify({ machine, rows, dimension, results }));
else {
  console.log(
    `${rows} entries of ${dimension} numbers; ${machine.cpus}, Node ${machine.node}, ${machine.date}; MiB of resident memory`,
  );
  console.table(results);
}
