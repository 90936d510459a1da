import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillPlanes, padPlanes } from '../../src/core/planes.js';
import { normaliseRows } from '../../src/core/vector.js';
import { type Multiply, multipliesRightly } from '../../src/engines/exact-batch.js';
import { createExactIndex } from '../../src/engines/exact-index.js';
import { openInt8Session } from '../../src/engines/exact-int8.js';
import { type Kernel, openKernel } from '../../src/engines/exact-kernel.js';
import {
  answersBytesRightly,
  answersRightly,
  bytesWork,
  kernelWorks,
} from '../../src/engines/exact-kernel-probe.js';
import { allocatePlanes, planesIn } from '../../src/engines/exact-memory.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { adversarialBank, lists, referee } from './index.contract.js';
import { clusteredVectors, gaussian, unitVectors, type Vectors } from './vectors.js';

/** The session alone, on this thread: hundreds of hard banks in the time of a few threads. */
function sessionOf({ vectors, rows, dimension }: Vectors, options: { bytes?: boolean } = {}) {
  const memory = allocatePlanes(rows, dimension, 1);
  fillPlanes(planesIn(memory), vectors, { from: 0, to: rows });
  padPlanes(planesIn(memory));
  return openInt8Session(memory, { vectors }, options);
}

/** As in `exact-batch.ts`, by a processor without VNNI: products of bytes added in twos, clipped at 16 bits. */
const withoutVnni = (most: number): Multiply => {
  const clipped = (value: number) => Math.max(-most - 1, Math.min(most, value));
  return async ({ rows, queries }, sums) => {
    const [n, stride, q] = [rows.dims[0]!, rows.dims[1]!, queries.dims[1]!];
    const [a, b, into] = [rows.data as Uint8Array, queries.data as Int8Array, sums.data as Int32Array];
    for (let row = 0; row < n; row++)
      for (let column = 0; column < q; column++) {
        let sum = 0;
        const product = (i: number) => a[row * stride + i]! * b[i * q + column]!;
        for (let i = 0; i < stride; i += 2) sum += clipped(product(i) + product(i + 1));
        for (let i = 0; i < stride; i++) sum -= 128 * b[i * q + column]!; // the zero point
        into[row * q + column] = sum;
      }
  };
};

/** Rows that are hard for 8 bits: outliers that leave one bit for the rest, zeros, constants, opposites, tiny moves. */
const hardRows = (rows: fc.Arbitrary<number>, dimensions: number[]) =>
  fc
    .record({
      rows,
      dimension: fc.constantFrom(...dimensions),
      kinds: fc.uniqueArray(fc.constantFrom('outlier', 'sparse', 'constant', 'opposite', 'near', 'plain'), {
        minLength: 1,
      }),
      seed: fc.integer(),
    })
    .map(({ rows, dimension, kinds, seed }): Vectors => {
      const next = gaussian(seed);
      const head = Float32Array.from({ length: dimension }, next);
      const vectors = new Float32Array(rows * dimension);
      for (let row = 0; row < rows; row++) {
        const kind = kinds[row % kinds.length]!;
        const made = Float32Array.from({ length: dimension }, (_, i) => {
          if (kind === 'outlier') return i === row % dimension ? 1000 * Math.abs(next()) + 1 : next();
          if (kind === 'sparse') return i % 5 === row % 5 ? next() : 0;
          if (kind === 'constant') return 1;
          if (kind === 'opposite') return (row % 2 === 0 ? 1 : -1) * head[i]!;
          return kind === 'near' ? head[i]! + next() * 1e-6 : next();
        });
        if (made.every((value) => value === 0)) made[0] = 1;
        vectors.set(made, row * dimension);
      }
      return { vectors: normaliseRows(vectors, rows, dimension), rows, dimension };
    });

describe('the scan of 8-bit planes', () => {
  it('gives the list of a plain scan, whatever the rows are', { timeout: 120_000 }, async () => {
    const k = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(400));
    const dimensions = [1, 2, 7, 16, 17, 100, 128, 255, 256, 257, 384, 513, 1000, 2048];
    const hard = hardRows(fc.integer({ min: 1, max: 400 }), dimensions);
    const how = fc.record({ filtered: fc.boolean(), wide: fc.boolean() }); // wide: the scan of machines without the other
    await fc.assert(
      fc.asyncProperty(fc.oneof(hard, adversarialBank), k, how, async (bank, k, { filtered, wide }) => {
        const { rows, dimension, vectors } = bank;
        const session = sessionOf(bank, wide ? { bytes: false } : {});
        const n = Math.min(rows, 3);
        const queries = vectors.slice(0, n * dimension);
        const allowed = new Set(
          Array.from({ length: rows }, (_, row) => rows - 1 - row).filter((row) => row % 3 < 2),
        );
        const options = filtered
          ? { k: Math.min(k, rows), positions: Int32Array.from(allowed) }
          : { k: Math.min(k, rows) };
        const hits = await session.search(queries, n, options);
        const truth = referee(bank);
        expect(lists(hits)).toEqual(
          lists(await truth.search(queries, n, { k, ...(filtered && { allowed }) })),
        );
        await session.close();
      }),
      { numRuns: 400, seed: 21 },
    );
  });

  it('gives the lists of plain scans to a batch', { timeout: 120_000 }, async () => {
    // As many rows and queries as onnxruntime is worth its calls for.
    const hard = hardRows(fc.integer({ min: 8192, max: 9000 }), [16, 33, 100]);
    await fc.assert(
      fc.asyncProperty(
        hard,
        fc.integer({ min: 8, max: 40 }),
        fc.integer({ min: 1, max: 60 }),
        async (bank, n, k) => {
          const session = sessionOf(bank);
          const queries = bank.vectors.slice(0, n * bank.dimension);
          const hits = await session.search(queries, n, { k });
          expect(session.counts.batches).toBeGreaterThan(0);
          expect(lists(hits)).toEqual(lists(await referee(bank).search(queries, n, { k })));
          await session.close();
        },
      ),
      { numRuns: 12, seed: 22 },
    );
  });

  it('finds the true list among more equal rows than it keeps candidates', async () => {
    const bank = unitVectors({ rows: 30_000, dimension: 16, seed: 3 });
    for (let row = 3000; row < 30_000; row++) if (row % 7 > 0) bank.vectors.copyWithin(row * 16, 0, 16);
    const session = sessionOf(bank);
    const queries = bank.vectors.slice(0, 32);
    for (const k of [1, 10, 5000])
      expect(lists(await session.search(queries, 2, { k }))).toEqual(
        lists(await referee(bank).search(queries, 2, { k })),
      );
    await session.close();
  });

  it('reads few vectors where rows lie as embeddings do', async () => {
    const bank = clusteredVectors({ rows: 20_000, dimension: 128, clusters: 200, seed: 5 });
    const session = sessionOf(bank);
    await session.search(bank.vectors.slice(0, 40 * 128), 40, { k: 50 });
    expect(session.counts).toMatchObject({ queries: 40, scanned: 0 });
    expect(session.counts.scored).toBeLessThan(40 * 55); // of both planes: hardly more than asked for
    await session.close();
  });

  it('reads every row when more is asked for than it has room for, and says so', async () => {
    const bank = unitVectors({ rows: 140_000, dimension: 2, seed: 6 });
    const session = sessionOf(bank);
    const query = bank.vectors.slice(0, 2);
    const k = 135_000;
    expect(lists(await session.search(query, 1, { k }))).toEqual(
      lists(await referee(bank).search(query, 1, { k })),
    );
    expect(session.counts.scanned).toBe(1);
    await session.close();
  });

  it('fails a search whose vectors cannot be read, and goes on', async () => {
    const path = join(await tempFolder(), 'vectors.f32');
    const bank = unitVectors({ rows: 500, dimension: 16, seed: 7 });
    await writeFile(path, bank.vectors);
    const index = await createExactIndex({ path, rows: 500, dimension: 16, provider: 'cpu' });
    const query = bank.vectors.slice(0, 16);
    await truncate(path, 0);
    await expect(index.search(query, 1, { k: 3 })).rejects.toMatchObject({ code: 'internal' });
    await writeFile(path, bank.vectors);
    expect((await index.search(query, 1, { k: 3 }))[0]!.rows[0]).toBe(0);
    await index.close();
  });
});

describe('the probe of the kernels', () => {
  it('is content with this machine', () => {
    for (const dimension of [1, 16, 100, 128, 300, 2048]) expect(kernelWorks(dimension)).toBe(true);
  });

  it('refuses a kernel whose sums are clipped, and one that leaves out a row', () => {
    const clipped = (stride: number, memory: WebAssembly.Memory): Kernel => {
      const kernel = openKernel(stride, memory);
      const ints = new Int32Array(memory.buffer);
      return {
        ...kernel,
        products(list, count, plane, query, correction, out) {
          kernel.products(list, count, plane, query, correction, out);
          for (let i = out / 4; i < out / 4 + count; i++) ints[i] = Math.min(ints[i]!, 2 ** 24);
        },
      };
    };
    const short = (stride: number, memory: WebAssembly.Memory): Kernel => {
      const kernel = openKernel(stride, memory);
      return { ...kernel, scan: (row, end, ...rest) => kernel.scan(row, end - 4, ...rest) };
    };
    expect(answersRightly(128, openKernel)).toBe(true);
    expect(answersRightly(128, clipped)).toBe(false);
    expect(answersRightly(128, short)).toBe(false);
  });

  it('refuses a scan of bytes that clips or leaves out a row', () => {
    type Open = typeof openKernel;
    const changed =
      (change: (kernel: Kernel, memory: WebAssembly.Memory) => Kernel['scan']): Open =>
      (stride, memory, options) => {
        const kernel = openKernel(stride, memory, options);
        return { ...kernel, scanBytes: change(kernel, memory) };
      };
    const short = changed(
      (kernel) =>
        (row, end, ...rest) =>
          kernel.scanBytes!(row, end - 4, ...rest),
    );
    const clipped = changed((kernel, memory) => (...asked) => {
      kernel.scanBytes!(...asked);
      const floats = new Float32Array(memory.buffer, 320, 16); // (row, score) of eight rows
      for (let i = 1; i < 16; i += 2) floats[i] = Math.min(floats[i]!, 2 ** 16);
    });
    expect(bytesWork(128)).toBe(process.arch === 'x64'); // others take the bytes of a row as signed
    if (!bytesWork(128)) return;
    for (const stride of [16, 128, 304, 2048]) expect(answersBytesRightly(stride, openKernel)).toBe(true);
    expect([answersBytesRightly(128, short), answersBytesRightly(128, clipped)]).toEqual([false, false]);
  });

  it('refuses products of a batch that are clipped; in 16 bits none is', async () => {
    expect(await multipliesRightly(128, withoutVnni(2 ** 15 - 1))).toBe(true);
    expect(await multipliesRightly(128, withoutVnni(2 ** 14))).toBe(false);
  });
});
