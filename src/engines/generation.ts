import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LookalikeError, messageOf } from '../core/errors.js';
import { type GenerationManifest, generationManifest } from '../core/manifests.js';
import { type FileIo, openFileIo } from './file-io.js';
import { sha256Of, syncFolder, writeDurably } from './files.js';
import { MANIFEST_FILE, parseManifest } from './manifest.js';

/**
 * Generations: the derived, immutable files of an index, one numbered folder each under `generations/`.
 * All of it can be made again from the database, so a folder is used whole or set aside, never mended.
 * A folder is written under a temporary name and renamed when everything in it is on the disk.
 */

export const VECTORS_FILE = 'vectors.f32'; // rows x dimension, little-endian
export const ROWS_FILE = 'rows.i32'; // the store row of each position, little-endian
export const GRAPH_FILE = 'graph.hnsw';
export const PLANES_FILE = 'planes.u8'; // what the exact index scans: the image of `core/planes.ts`
const MANIFEST_HASH_FILE = 'manifest.sha256'; // a changed digit in the manifest would still be a manifest
const filesOf = (engine: GenerationManifest['engine']) => [
  VECTORS_FILE,
  ROWS_FILE,
  PLANES_FILE,
  ...(engine === 'none' ? [] : [GRAPH_FILE]),
];

export interface Generation {
  number: number;
  folder: string;
  manifest: GenerationManifest;
  rows: Int32Array; // the store row of each position, over a SharedArrayBuffer
  vectorsPath: string; // rows x dimension float32, little-endian: read where they are needed
  vectors: Float32Array | undefined; // the same in memory, where there was memory for them
  graphPath: string | null; // null where there is none
}

export interface NewGeneration {
  vectors: Float32Array; // rows.length x dimension unit vectors, in the order of the ids
  rows: Int32Array;
  planes: Uint8Array; // the image of their planes
  /** Writes the graph of the vectors to this path (`buildHnswGraph`); null for a generation without one. */
  writeGraph: ((path: string) => Promise<void>) | null;
  manifest: Pick<GenerationManifest, 'model_sha256' | 'bank_mark' | 'dimension' | 'parameters'>;
}

/**
 * Writes a generation with the next free number under `dir` and returns that number; arrays on shared memory are
 * not copied for it. Nothing is left behind when it fails. Throws what `writeGraph` throws, `invalid_vector`, or the file system's error.
 */
export async function writeGeneration(dir: string, made: NewGeneration): Promise<number> {
  await mkdir(dir, { recursive: true });
  const number = Math.max(0, ...(await entries(dir)).map((entry) => entry.number)) + 1;
  const { rows, manifest } = made;
  const temporary = join(dir, `${number}.${process.pid}.tmp`);
  await rm(temporary, { recursive: true, force: true });
  try {
    await mkdir(temporary);
    await withFileIo({ rows: rows.length, dimension: manifest.dimension }, (io) =>
      writeFiles(io, temporary, made),
    );
    await syncFolder(temporary);
    await rename(temporary, join(dir, String(number)));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await syncFolder(dir);
  return number;
}

/** One or two threads read, write and hash: what they do would hold up the main thread. */
async function withFileIo<T>(
  { rows, dimension }: { rows: number; dimension: number },
  work: (io: FileIo) => Promise<T>,
): Promise<T> {
  const io = await openFileIo(rows * dimension < 2 ** 20 ? 1 : 2);
  try {
    return await work(io);
  } finally {
    await io.close();
  }
}

async function writeFiles(
  io: FileIo,
  folder: string,
  { vectors, rows, planes, writeGraph, manifest }: NewGeneration,
): Promise<void> {
  await io.checkRows(vectors, rows.length, manifest.dimension);
  await writeGraph?.(join(folder, GRAPH_FILE));
  const written = [
    [VECTORS_FILE, io.write(join(folder, VECTORS_FILE), bytesOf(vectors))],
    [PLANES_FILE, io.write(join(folder, PLANES_FILE), planes)],
    [ROWS_FILE, io.write(join(folder, ROWS_FILE), bytesOf(rows))],
    ...(writeGraph ? [[GRAPH_FILE, io.hash(join(folder, GRAPH_FILE))] as const] : []),
  ] as const;
  const hashes = await allSettled(written.map(([, hash]) => hash));
  const files = Object.fromEntries(written.map(([name], i) => [name, hashes[i]!]));
  const whole = generationManifest.parse({
    format_version: 2,
    ...manifest,
    rows: rows.length,
    engine: writeGraph ? 'usearch' : 'none',
    created_at: new Date().toISOString(),
    files,
  });
  const text = `${JSON.stringify(whole, null, 2)}\n`;
  await writeDurably(join(folder, MANIFEST_FILE), text);
  await writeDurably(join(folder, MANIFEST_HASH_FILE), `${sha256Of(new TextEncoder().encode(text))}\n`);
}

const bytesOf = (array: Float32Array | Int32Array) =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Waits for all, also when one has failed: nothing is at work in the folder any more then. */
async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

export interface LoadOptions {
  /** Memory for the planes of so many rows, shared; without it they are checked and not kept. */
  planesOf?: ((rows: number) => Uint8Array) | undefined;
  /** Memory for the vectors of so many rows, shared, or undefined: then they stay in their file. */
  vectorsOf?: ((rows: number) => Float32Array | undefined) | undefined;
}

/**
 * Reads generation `number` once and checks all of it: schema, checksums, sizes. That the vectors are unit vectors was
 * checked when they were written, and they are the same bytes. The graph is read again by the index that opens it.
 * Throws `generation_mismatch` when another model made it, `generation_invalid` for anything else.
 */
export async function loadGeneration(
  dir: string,
  number: number,
  expected: { model_sha256: string; dimension: number },
  { planesOf, vectorsOf }: LoadOptions = {},
): Promise<Generation> {
  const folder = join(dir, String(number));
  try {
    const manifest = await readManifest(folder);
    checkModel(folder, manifest, expected);
    const rows = new Int32Array(new SharedArrayBuffer(manifest.rows * 4));
    const planes = planesOf?.(manifest.rows);
    const vectors = vectorsOf?.(manifest.rows);
    await withFileIo(manifest, (io) => readFiles(io, folder, { manifest, rows, planes, vectors }));
    const vectorsPath = join(folder, VECTORS_FILE);
    const graphPath = manifest.engine === 'none' ? null : join(folder, GRAPH_FILE);
    return { number, folder, manifest, rows, vectorsPath, vectors, graphPath };
  } catch (cause) {
    if (cause instanceof LookalikeError && cause.code === 'generation_mismatch') throw cause;
    throw new LookalikeError(
      'generation_invalid',
      `generation ${folder} cannot be used: ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function readFiles(
  io: FileIo,
  folder: string,
  {
    manifest,
    rows,
    planes,
    vectors,
  }: Pick<Generation, 'manifest' | 'rows' | 'vectors'> & {
    planes: Uint8Array | undefined;
  },
): Promise<void> {
  const checked = async (name: string, into?: Uint8Array) => {
    const path = join(folder, name);
    const found = await (into ? io.read(path, into) : io.hash(path));
    if (found !== manifest.files[name])
      throw new Error(`${name} is damaged: its SHA-256 is not the manifest's`);
  };
  await allSettled([
    ...(manifest.engine === 'none' ? [] : [checked(GRAPH_FILE)]),
    checked(VECTORS_FILE, vectors && bytesOf(vectors)),
    checked(PLANES_FILE, planes),
    checked(ROWS_FILE, bytesOf(rows)),
  ]);
}

async function readManifest(folder: string): Promise<GenerationManifest> {
  const path = join(folder, MANIFEST_FILE);
  const bytes = await readFile(path);
  const sha256 = (await readFile(join(folder, MANIFEST_HASH_FILE), 'utf8')).trim();
  if (sha256Of(bytes) !== sha256) throw new Error(`${MANIFEST_FILE} is not what ${MANIFEST_HASH_FILE} says`);
  const manifest = parseManifest(bytes.toString(), generationManifest, { path, code: 'generation_invalid' });
  const named = Object.keys(manifest.files).sort().join(', ');
  if (named !== filesOf(manifest.engine).sort().join(', '))
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
