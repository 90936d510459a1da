import { constants } from 'node:fs';
import { access, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { LookalikeError, messageOf } from './core/errors.js';
import type { ModelManifest } from './core/manifests.js';
import { buildHnswGraph } from './engines/hnsw-build.js';
import { readModel } from './engines/manifest.js';
import { createOnnxEmbedder } from './engines/onnx-embedder.js';
import { probeProviders } from './engines/provider-probe.js';
import { createDecoder } from './engines/sharp-decoder.js';
import { checkSqliteFile } from './engines/sqlite-file.js';
import type { Settings } from './settings.js';
import { DATABASE_FILE } from './snapshots.js';

/** Which engines, providers and models work on this machine, and why others do not. Every check does a little real work. */
export interface Finding {
  what: string;
  /** off: not usable here, and nothing needs it. */
  state: 'ok' | 'off' | 'fault';
  detail: string;
}

const GB = 1e9;
const LEAST_MEMORY = 0.5; // GB: the service with a small collection
const LEAST_DISK = 1; // GB: database, and two generations of an index beside each other

/** Never rejects for what it finds. Changes nothing: a data folder that is not there is not made. */
export async function doctor(settings: Settings): Promise<Finding[]> {
  const { dataDir, model, exactProvider } = settings;
  const findings = [checkNode(), checkMemory(), checkThreads()];
  findings.push(await tried('disk', () => checkDisk(dataDir)));
  findings.push(await tried('data folder', () => checkDataFolder(dataDir)));
  findings.push(await tried('database', () => checkDatabase(dataDir)));
  findings.push(await tried('model', () => checkModel(model)));
  findings.push(await tried('graph', checkGraph));
  for (const { name, usable, reason } of await probeProviders({ setting: 'auto' }))
    findings.push({
      what: `provider ${name}`,
      state: usable ? 'ok' : exactProvider === name ? 'fault' : 'off',
      detail: reason ?? 'answers rightly',
    });
  return findings;
}

type Check = Omit<Finding, 'what'>;
const ok = (detail: string): Check => ({ state: 'ok', detail });
const fault = (detail: string): Check => ({ state: 'fault', detail });

async function tried(what: string, check: () => Promise<Check>): Promise<Finding> {
  try {
    return { what, ...(await check()) };
  } catch (error) {
    return { what, ...fault(messageOf(error)) };
  }
}

function checkNode(): Finding {
  const { node } = process.versions;
  const [major, minor] = node.split('.').map(Number) as [number, number];
  const enough = major > 20 || (major === 20 && minor >= 19);
  return { what: 'Node', ...(enough ? ok(node) : fault(`${node}: 20.19 or later is needed`)) };
}

function checkMemory(): Finding {
  const [free, all] = [process.availableMemory() / GB, totalmem() / GB];
  const detail = `${free.toFixed(1)} of ${all.toFixed(1)} GB available`;
  const enough = free >= LEAST_MEMORY;
  return { what: 'memory', ...(enough ? ok(detail) : fault(`${detail}: ${LEAST_MEMORY} GB are needed`)) };
}

const checkThreads = (): Finding => ({ what: 'threads', ...ok(String(availableParallelism())) });

async function checkDisk(folder: string): Promise<Check> {
  const { bavail, bsize } = await statfs(await nearest(folder));
  const free = (bavail * bsize) / GB;
  const detail = `${free.toFixed(1)} GB free for ${folder}`;
  return free >= LEAST_DISK ? ok(detail) : fault(`${detail}: ${LEAST_DISK} GB are needed`);
}

/** The folder, or the first one above it that is there. */
async function nearest(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => null);
  return found !== null || dirname(folder) === folder ? folder : nearest(dirname(folder));
}

async function checkDataFolder(folder: string): Promise<Check> {
  const there = await nearest(folder);
  if (!(await stat(there)).isDirectory()) return fault(`${there} is not a folder`);
  await access(there, constants.W_OK | constants.X_OK);
  return ok(there === folder ? `${folder} can be written` : `${folder} is not there yet and can be made`);
}

async function checkDatabase(folder: string): Promise<Check> {
  const path = join(folder, DATABASE_FILE);
  if ((await stat(path).catch(() => null)) === null) return { state: 'off', detail: 'none yet' };
  try {
    checkSqliteFile(path);
    return ok(`${path} is whole and free`);
  } catch (error) {
    const busy = error instanceof LookalikeError && error.code === 'data_dir_busy';
    return busy ? ok(`${path} is in use by a running service`) : fault(messageOf(error));
  }
}

/** 8 x 8 pixels of one colour. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEUlEQVQI12MwTpuJFTEMLQkAyvtMgRDzNJ8AAAAASUVORK5CYII=';

/** A picture through the decoder (sharp) and the encoder (onnxruntime). */
async function checkModel(folder: string): Promise<Check> {
  const { manifest, onnxPath } = await readModel(folder);
  const { image } = await createDecoder().decode(Buffer.from(PNG, 'base64'), manifest.preprocess);
  const embedder = await createOnnxEmbedder({ modelPath: onnxPath, manifest });
  try {
    const started = performance.now();
    await embedder.embed([image]);
    return ok(describe(manifest, performance.now() - started));
  } finally {
    await embedder.close();
  }
}

function describe({ name, dimension, sha256 }: ModelManifest, milliseconds: number): string {
  const pace = `one picture in ${milliseconds.toFixed(0)} ms`;
  return `${name} (${sha256.slice(0, 12)}) gives ${dimension} numbers, ${pace}`;
}

/** Builds a graph of two rows. */
async function checkGraph(): Promise<Check> {
  const folder = await mkdtemp(join(tmpdir(), 'lookalike-doctor-'));
  try {
    const vectors = Float32Array.of(1, 0, 0, 1);
    const parameters = { m: 16, efConstruction: 200 };
    await buildHnswGraph({ vectors, rows: 2, dimension: 2, path: join(folder, 'graph'), ...parameters });
    return ok('usearch builds and reads back a graph');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
