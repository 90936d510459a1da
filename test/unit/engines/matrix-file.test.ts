/** Pages of rows out of a file: every number type, whole rows a page, arrays of their own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Matrix, type NumberType, pagesOf } from '../../../src/engines/matrix-file.js';
import { refusal } from '../../fixtures/errors.js';
import { openFiles } from '../../fixtures/sources.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let path: string;
beforeEach(async () => {
  path = join(await tempFolder(), 'rows');
});

async function read(bytes: Uint8Array, given: Partial<Matrix>, pageBytes?: number): Promise<Float32Array[]> {
  await writeFile(path, bytes);
  const pages: Float32Array[] = [];
  for await (const page of pagesOf(
    { path, type: 'F32', rows: 1, dimension: 1, offset: 0, ...given },
    pageBytes,
  ))
    pages.push(page);
  return pages;
}

describe('pagesOf', () => {
  it('gives whole rows, whatever the size of a page', async () => {
    const rows = fc.integer({ min: 0, max: 20 });
    const side = fc.integer({ min: 1, max: 5 });
    await fc.assert(
      fc.asyncProperty(
        rows,
        side,
        fc.nat(7),
        fc.integer({ min: 1, max: 100 }),
        async (n, dimension, offset, page) => {
          const values = Float32Array.from({ length: n * dimension }, (_, i) => i / 7);
          const bytes = Buffer.concat([Buffer.alloc(offset), new Uint8Array(values.buffer)]);
          const pages = await read(bytes, { rows: n, dimension, offset }, page);
          expect(pages.flatMap((part) => [...part])).toEqual([...values]);
          for (const part of pages) expect(part.length % dimension).toBe(0);
          for (const part of pages)
            expect(part.byteLength).toBeLessThanOrEqual(Math.max(page, dimension * 4));
        },
      ),
    );
  });

  it('rounds 64 bits to 32', async () => {
    const values = [0.1, -1e300, 1e-300, Number.NaN];
    const [page] = await read(new Uint8Array(Float64Array.from(values).buffer), { type: 'F64', rows: 4 });
    expect(page).toEqual(Float32Array.from(values));
  });

  it('widens every number of 16 bits as IEEE 754 has it', async () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const widened = async (type: NumberType) =>
      (await read(new Uint8Array(all.buffer), { type, rows: 65536 }, 1 << 20))[0]!;
    const bf16 = new Uint32Array((await widened('BF16')).buffer);
    const nan = (bits: number) => (bits & 0x7f80) === 0x7f80 && (bits & 0x7f) !== 0;
    expect(all.every((bits) => nan(bits) || bf16[bits] === (bits << 16) >>> 0)).toBe(true);

    const f16 = await widened('F16');
    // Known values: zeros, the smallest and the largest of each kind, one, a third, infinities.
    const known = {
      0: 0,
      32768: -0,
      1: 2 ** -24,
      1023: 1023 * 2 ** -24,
      1024: 2 ** -14,
      15360: 1,
      13653: 0.333251953125,
      31743: 65504,
      31744: Infinity,
      64512: -Infinity,
    };
    for (const [bits, value] of Object.entries(known)) expect(f16[Number(bits)], bits).toBe(value);
    for (let bits = 1; bits < 0x7c00; bits++)
      if (!(f16[bits]! > f16[bits - 1]!)) expect.fail(`${bits} is not above the one before`);
    for (let bits = 0; bits <= 0x7c00; bits++)
      if (f16[bits + 0x8000] !== -f16[bits]!) expect.fail(`${bits} has no opposite`);
    expect(f16.subarray(0x7c01, 0x8000).every(Number.isNaN)).toBe(true);
  });

  it('refuses a file that ends before its last row', async () => {
    await refusal('bank_invalid', () => read(new Uint8Array(39), { rows: 5, dimension: 2 }, 8));
  });

  it('closes its file when it is left early', async () => {
    await writeFile(path, new Uint8Array(80));
    for await (const page of pagesOf({ path, type: 'F32', rows: 10, dimension: 2, offset: 0 }, 8)) {
      expect(page).toHaveLength(2);
      break;
    }
    await expect.poll(() => openFiles(path)).toEqual([]);
  });
});
