import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LookalikeError, messageOf } from '../core/errors.js';
import { type GenerationManifest, generationManifest } from '../core/manifests.js';
import { checkUnitRows } from '../core/vector.js';
import { sha256Of, sha256OfFile, syncFolder, writeDurably } from './files.js';
import { MANIFEST_FILE, parseManifest } from './manifest.js';

/**
 * Generations: the derived, immutable files of an index, one numbered folder each under `generations/`.
 * All of it can be made again from the database, so a folder is used whole or set aside, never mended.
 * A folder is written under a temporary name and renamed when everything in it is on the disk.
 */

export const VECTORS_FILE = 'vectors.f32'; // rows x dimension, little-endian
export const ROWS_FILE = 'rows.i32'; // the store row of each position, little-endian
export const GRAPH_FILE = 'graph.hnsw';
const MANIFEST_HASH_FILE = 'manifest.sha256'; // a changed digit in the manifest would still be a manifest
const DATA_FILES = [VECTORS_FILE, ROWS_FILE, GRAPH_FILE];
const STEP = 8 * 2 ** 20; // bytes a read or write

export interface Generation {
  number: number;
  folder: string;
  manifest: GenerationManifest;
  vectors: Float32Array; // rows x dimension, over a SharedArrayBuffer
  rows: Int32Array; // the store row of each position, over a SharedArrayBuffer
  graphPath: string;
}

export interface NewGeneration {
  vectors: Float32Array; // rows.length x dimension unit vectors, in the order of the ids
  rows: Int32Array;
  /** Writes the graph of the vectors to this path (`buildHnswGraph`). */
  writeGraph(path: string): Promise<void>;
  manifest: Pick<GenerationManifest, 'model_sha256' | 'bank_mark' | 'dimension' | 'parameters'>;
}

/**
 * Writes a generation with the next free number under `dir` and returns that number. Nothing is left
 * behind when it fails. Throws what `writeGraph` throws, `invalid_vector`, or the file system's error.
 */
export async function writeGeneration(dir: string, made: NewGeneration): Promise<number> {
  const { vectors, rows, manifest } = made;
  checkUnitRows(vectors, rows.length, manifest.dimension);
  await mkdir(dir, { recursive: true });
  const number = Math.max(0, ...(await entries(dir)).map((entry) => entry.number)) + 1;
  const temporary = join(dir, `${number}.${process.pid}.tmp`);
  await rm(temporary, { recursive: true, force: true });
  try {
    await mkdir(temporary);
    await writeFiles(temporary, made);
    await syncFolder(temporary);
    await rename(temporary, join(dir, String(number)));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await syncFolder(dir);
  return number;
}

async function writeFiles(
  folder: string,
  { vectors, rows, writeGraph, manifest }: NewGeneration,
): Promise<void> {
  await writeGraph(join(folder, GRAPH_FILE));
  const files = {
    [VECTORS_FILE]: await writeArray(join(folder, VECTORS_FILE), vectors),
    [ROWS_FILE]: await writeArray(join(folder, ROWS_FILE), rows),
    [GRAPH_FILE]: await sha256OfFile(join(folder, GRAPH_FILE)),
  };
  const whole = generationManifest.parse({
    format_version: 1,
    ...manifest,
    rows: rows.length,
    engine: 'hnswlib',
    created_at: new Date().toISOString(),
    files,
  });
  const text = `${JSON.stringify(whole, null, 2)}\n`;
  await writeDurably(join(folder, MANIFEST_FILE), text);
  await writeDurably(join(folder, MANIFEST_HASH_FILE), `${sha256Of(new TextEncoder().encode(text))}\n`);
}

const bytesOf = (array: Float32Array | Int32Array) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Writes the array's bytes, fsynced; returns their SHA-256, hex. */
async function writeArray(path: string, array: Float32Array | Int32Array): Promise<string> {
  const bytes = bytesOf(array);
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    for (let at = 0; at < bytes.length; at += STEP) {
      const part = bytes.subarray(at, at + STEP);
      hash.update(part);
      await file.writeFile(part); // goes on where the last one ended, and writes all of it
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/**
 * Reads generation `number` and checks all of it: schema, checksums, sizes, unit vectors. The vectors that
 * were hashed are the ones returned; the graph is read again by the index that opens it.
 * Throws `generation_mismatch` when another model made it, `generation_invalid` for anything else.
 */
export async function loadGeneration(
  dir: string,
  number: number,
  expected: { model_sha256: string; dimension: number },
): Promise<Generation> {
  const folder = join(dir, String(number));
  try {
    const manifest = await readManifest(folder);
    checkModel(folder, manifest, expected);
    const { rows: count, dimension } = manifest;
    const vectors = new Float32Array(new SharedArrayBuffer(count * dimension * 4));
    const rows = new Int32Array(new SharedArrayBuffer(count * 4));
    await readArray(folder, VECTORS_FILE, { into: bytesOf(vectors), manifest });
    await readArray(folder, ROWS_FILE, { into: bytesOf(rows), manifest });
    const graphPath = join(folder, GRAPH_FILE);
    checkHash(GRAPH_FILE, await sha256OfFile(graphPath), manifest);
    checkUnitRows(vectors, count, dimension);
    return { number, folder, manifest, vectors, rows, graphPath };
  } catch (cause) {
    if (cause instanceof LookalikeError && cause.code === 'generation_mismatch') throw cause;
    throw new LookalikeError(
      'generation_invalid',
      `generation ${folder} cannot be used: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

async function readManifest(folder: string): Promise<GenerationManifest> {
  const path = join(folder, MANIFEST_FILE);
  const bytes = await readFile(path);
  const sha256 = (await readFile(join(folder, MANIFEST_HASH_FILE), 'utf8')).trim();
  if (sha256Of(bytes) !== sha256) throw new Error(`${MANIFEST_FILE} is not what ${MANIFEST_HASH_FILE} says`);
  const manifest = parseManifest(bytes.toString(), generationManifest, { path, code: 'generation_invalid' });
  const named = Object.keys(manifest.files).sort().join(', ');
  if (named !== DATA_FILES.toSorted().join(', '))
    throw new Error(`${MANIFEST_FILE} names the files ${named}`);
  return manifest;
}

function checkModel(
  folder: string,
  manifest: GenerationManifest,
  expected: { model_sha256: string; dimension: number },
): void {
  if (manifest.model_sha256 === expected.model_sha256 && manifest.dimension === expected.dimension) return;
  throw new LookalikeError(
    'generation_mismatch',
    `generation ${folder} was made by the model ${manifest.model_sha256.slice(0, 12)}… (${manifest.dimension} ` +
      `dimensions), the model in use is ${expected.model_sha256.slice(0, 12)}… (${expected.dimension}). ` +
      'Run `lookalike reindex`, or start with the model it was made with.',
  );
}

async function readArray(
  folder: string,
  name: string,
  { into, manifest }: { into: Uint8Array; manifest: GenerationManifest },
): Promise<void> {
  const file = await open(join(folder, name), 'r');
  try {
    const { size } = await file.stat();
    if (size !== into.length) throw new Error(`${name} has ${size} bytes, ${into.length} are needed`);
    const hash = createHash('sha256');
    await fill(file, into, hash);
    checkHash(name, hash.digest('hex'), manifest);
  } finally {
    await file.close();
  }
}

async function fill(file: FileHandle, into: Uint8Array, hash: Hash): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, Math.min(STEP, into.length - at), at);
    if (bytesRead === 0) throw new Error(`it ends after ${at} of ${into.length} bytes`);
    hash.update(into.subarray(at, at + bytesRead));
    at += bytesRead;
  }
}

function checkHash(name: string, found: string, manifest: GenerationManifest): void {
  if (found !== manifest.files[name])
    throw new Error(`${name} is damaged: its SHA-256 is not the manifest's`);
}

/** A name in the folder of the generations: `7`, `7.broken`, or `8.1234.tmp` while being written. */
interface Entry {
  name: string;
  number: number;
  state: 'whole' | 'broken' | 'temporary';
}

async function entries(dir: string): Promise<Entry[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.flatMap((name): Entry[] => {
    const [, digits, broken, temporary] = /^([1-9]\d*)(?:(\.broken)|(\.\d+\.tmp))?$/.exec(name) ?? [];
    if (!digits) return [];
    return [{ name, number: Number(digits), state: broken ? 'broken' : temporary ? 'temporary' : 'whole' }];
  });
}

/** The largest number of a generation that is neither set aside nor half written; undefined when there is none. */
export async function newestGeneration(dir: string): Promise<number | undefined> {
  const numbers = (await entries(dir)).filter(({ state }) => state === 'whole').map(({ number }) => number);
  return numbers.length > 0 ? Math.max(...numbers) : undefined;
}

/** Renames a generation that cannot be used to `<number>.broken`; its number is not given out again. */
export async function setAside(dir: string, number: number): Promise<void> {
  const broken = join(dir, `${number}.broken`);
  await rm(broken, { recursive: true, force: true });
  await rename(join(dir, String(number)), broken);
  await syncFolder(dir);
}

/**
 * Deletes all but the newest `keep` generations, those set aside before them, and what an interrupted
 * write left. Not to be called while a generation is being written.
 */
export async function pruneGenerations(dir: string, keep: number): Promise<void> {
  const all = await entries(dir);
  const whole = all.filter(({ state }) => state === 'whole').sort((a, b) => b.number - a.number);
  const kept = whole.slice(0, keep);
  const oldest = kept.at(-1)?.number ?? 0;
  const dispensable = (entry: Entry) => {
    if (entry.state === 'whole') return !kept.includes(entry);
    return entry.state === 'temporary' || entry.number < oldest;
  };
  for (const entry of all.filter(dispensable))
    await rm(join(dir, entry.name), { recursive: true, force: true });
}
