import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  loadGeneration,
  type NewGeneration,
  newestGeneration,
  pruneGenerations,
  setAside,
  writeGeneration,
} from '../../../src/engines/generation.js';
import { buildHnswGraph } from '../../../src/engines/hnsw-build.js';
import { createHnswIndex } from '../../../src/engines/hnsw-index.js';
import { unitVectors } from '../../contract/vectors.js';

const MODEL = { model_sha256: 'a'.repeat(64), dimension: 16 };
const bank = unitVectors({ rows: 40, dimension: 16, seed: 1 });
const rows = Int32Array.from({ length: 40 }, (_, i) => 100 + 2 * i);
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lookalike-generation-'));
});
afterEach(() => rm(dir, { recursive: true }));

const generation = (change: Partial<NewGeneration> = {}): NewGeneration => ({
  vectors: bank.vectors,
  rows,
  planes: Uint8Array.of(1, 2, 3, 4),
  writeGraph: (path) => buildHnswGraph({ ...bank, path, m: 8, efConstruction: 50 }),
  manifest: { ...MODEL, bank_mark: 178, parameters: { m: 8, ef_construction: 50 } },
  ...change,
});

const FILES = ['graph.hnsw', 'manifest.json', 'manifest.sha256', 'planes.u8', 'rows.i32', 'vectors.f32'];

describe('a generation', () => {
  it('comes back as it was written, the planes in the memory given, with a graph that opens', async () => {
    const number = await writeGeneration(dir, generation());
    expect(number).toBe(1);
    expect((await readdir(join(dir, '1'))).sort()).toEqual(FILES);
    const planes = new Uint8Array(new SharedArrayBuffer(4));
    const planesOf = (count: number) => planes.fill(count);
    const loaded = await loadGeneration(dir, number, MODEL, { planesOf });
    expect([...planes]).toEqual([1, 2, 3, 4]);
    expect(loaded.manifest).toMatchObject({ rows: 40, bank_mark: 178, engine: 'usearch', ...MODEL });
    expect(loaded.rows).toEqual(rows);
    expect((await readFile(loaded.vectorsPath)).equals(Buffer.from(bank.vectors.buffer))).toBe(true);
    const { graphPath, vectorsPath: path } = loaded;
    const index = await createHnswIndex({ graphPath: graphPath!, path, rows: 40, dimension: 16 });
    const [hits] = await index.search(bank.vectors.slice(0, 16), 1, { k: 1 });
    expect(hits!.rows[0]).toBe(0);
    await index.close();
  });

  it('keeps its vectors in the memory given for them, and refuses them damaged', async () => {
    const number = await writeGeneration(dir, generation());
    const vectorsOf = (count: number) => new Float32Array(new SharedArrayBuffer(count * 16 * 4));
    const { vectors, vectorsPath } = await loadGeneration(dir, number, MODEL, { vectorsOf });
    expect(vectors).toEqual(bank.vectors);
    expect(
      (await loadGeneration(dir, number, MODEL, { vectorsOf: () => undefined })).vectors,
    ).toBeUndefined();
    await writeFile(vectorsPath, Buffer.from(bank.vectors.buffer).fill(1, 8, 9));
    await expect(loadGeneration(dir, number, MODEL, { vectorsOf })).rejects.toMatchObject({
      code: 'generation_invalid',
    });
  });

  it('may hold no rows', async () => {
    const none = { vectors: new Float32Array(0), rows: 0, dimension: 16 };
    const writeGraph = (path: string) => buildHnswGraph({ ...none, path, m: 8, efConstruction: 50 });
    const number = await writeGeneration(dir, generation({ ...none, rows: new Int32Array(0), writeGraph }));
    expect((await loadGeneration(dir, number, MODEL)).rows.length).toBe(0);
  });

  it.each(FILES)('is refused when a byte of %s is changed anywhere', async (name) => {
    await writeGeneration(dir, generation());
    const path = join(dir, '1', name);
    const bytes = await readFile(path);
    const last = name === 'manifest.sha256' ? 63 : bytes.length - 1; // a line end after the hash means nothing
    for (const at of [0, last >> 1, last]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      await writeFile(path, changed);
      await expect(loadGeneration(dir, 1, MODEL)).rejects.toMatchObject({ code: 'generation_invalid' });
    }
    await writeFile(path, bytes);
    expect((await loadGeneration(dir, 1, MODEL)).number).toBe(1);
  });

  it.each(FILES)('is refused when %s is cut off or missing', async (name) => {
    await writeGeneration(dir, generation());
    const path = join(dir, '1', name);
    await truncate(path, 10);
    await expect(loadGeneration(dir, 1, MODEL)).rejects.toMatchObject({ code: 'generation_invalid' });
    await rm(path);
    await expect(loadGeneration(dir, 1, MODEL)).rejects.toMatchObject({ code: 'generation_invalid' });
  });

  it('is refused for another model, with what to run', async () => {
    await writeGeneration(dir, generation());
    const other = { ...MODEL, model_sha256: 'b'.repeat(64) };
    await expect(loadGeneration(dir, 1, other)).rejects.toMatchObject({
      code: 'generation_mismatch',
      message: expect.stringContaining('lookalike reindex'),
    });
  });

  it('leaves nothing when its vectors are refused or its graph fails', async () => {
    const broken = bank.vectors.slice().fill(Number.NaN, 3, 4);
    await expect(writeGeneration(dir, generation({ vectors: broken }))).rejects.toMatchObject({
      code: 'invalid_vector',
    });
    const fails = generation({ writeGraph: () => Promise.reject(new Error('disk full')) });
    await expect(writeGeneration(dir, fails)).rejects.toThrow('disk full');
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('the folder of the generations', () => {
  it('has no newest one when it is empty or absent', async () => {
    expect(await newestGeneration(dir)).toBeUndefined();
    expect(await newestGeneration(join(dir, 'absent'))).toBeUndefined();
  });

  it('counts on, by number and not by name, and skips those set aside', async () => {
    await writeGeneration(dir, generation());
    await rename(join(dir, '1'), join(dir, '9'));
    expect(await writeGeneration(dir, generation())).toBe(10);
    expect(await newestGeneration(dir)).toBe(10);
    await setAside(dir, 10);
    expect(await newestGeneration(dir)).toBe(9);
    expect(await writeGeneration(dir, generation())).toBe(11);
    expect((await readdir(dir)).sort()).toEqual(['10.broken', '11', '9']);
  });

  it('ignores what a writer killed before its rename left, and prunes it', async () => {
    await writeGeneration(dir, generation());
    // All of a generation but its final name: what is there between the last write and the rename.
    await writeGeneration(dir, generation());
    await rename(join(dir, '2'), join(dir, '2.4711.tmp'));
    expect(await newestGeneration(dir)).toBe(1);
    await pruneGenerations(dir, 2);
    expect(await readdir(dir)).toEqual(['1']);
  });

  it('prunes to the newest, keeps one set aside after them, and touches nothing else', async () => {
    for (const name of ['1', '2.broken', '3', '4', '5.broken', 'notes', '6.txt'])
      await mkdir(join(dir, name));
    await pruneGenerations(dir, 2);
    expect((await readdir(dir)).sort()).toEqual(['3', '4', '5.broken', '6.txt', 'notes']);
  });
});
