/** NumPy's files: read as NumPy writes them, and refused when they hold something else or less than they claim. */
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../../src/core/errors.js';
import { pagesOf } from '../../../src/engines/matrix-file.js';
import { openNpy } from '../../../src/engines/npy-file.js';
import { refusal } from '../../fixtures/errors.js';
import { npyBytes } from '../../fixtures/npy.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let path: string;
beforeEach(async () => {
  path = join(await tempFolder(), 'vectors.npy');
});
async function open(bytes: Uint8Array) {
  await writeFile(path, bytes);
  return openNpy(path);
}
async function rowsOf(bytes: Uint8Array, pageBytes = 24): Promise<number[][]> {
  const pages: number[][] = [];
  for await (const page of pagesOf(await open(bytes), pageBytes)) pages.push([...page]);
  return pages;
}
const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const f4 = new Uint8Array(Float32Array.from(numbers).buffer);
const f8 = new Uint8Array(Float64Array.from(numbers).buffer);

describe('an .npy file', () => {
  it('is read as numpy.save wrote it', async () => {
    // numpy.save(file, numpy.array([[0.5, -2], [0.25, 8]], dtype='<f4')) of NumPy 2.4.6, in base64.
    const saved =
      'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAA/AAAAwAAAgD4AAABB';
    expect(await open(Buffer.from(saved, 'base64'))).toMatchObject({
      rows: 2,
      dimension: 2,
      type: 'F32',
      offset: 128,
    });
    expect(await rowsOf(Buffer.from(saved, 'base64'), 1 << 20)).toEqual([[0.5, -2, 0.25, 8]]);
  });

  it.each([1, 2, 3])('may be of format %i.0, in 32 and in 64 bits', async (version) => {
    expect(await rowsOf(npyBytes('(5, 2)', f4, { version }))).toEqual([
      numbers.slice(0, 6),
      numbers.slice(6),
    ]);
    expect(await rowsOf(npyBytes('(5,2,)', f8, { version, descr: '<f8' }))).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
      [9, 10],
    ]);
  });

  it('may have no row', async () => {
    expect(await rowsOf(npyBytes('(0, 128)', new Uint8Array(0)))).toEqual([]);
  });

  it('is not held to the order and the quotes that NumPy uses', async () => {
    const header = '{"shape" : (2,5), "fortran_order":False,"descr": "<f4"}';
    expect(await open(npyBytes('', f4, { header }))).toMatchObject({ rows: 2, dimension: 5 });
  });

  it.each([
    ['big-endian numbers', npyBytes('(5, 2)', f4, { descr: '>f4' }), /'?>f4/],
    ['whole numbers', npyBytes('(5, 2)', f4, { descr: '<i4' }), /<i4.*<f4/],
    [
      'records',
      npyBytes('(5,)', f8, {
        header: "{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (5,)}",
      }),
      /records/,
    ],
    ['pickled objects', npyBytes('(5, 2)', f4, { descr: '|O' }), /\|O/],
    ['a type that every object has', npyBytes('(5, 2)', f4, { descr: 'constructor' }), /constructor/],
    ['columns after each other', npyBytes('(5, 2)', f4, { fortran: 'True' }), /Fortran/],
    ['one dimension', npyBytes('(10,)', f4), /\(10,\)/],
    ['three dimensions', npyBytes('(5, 1, 2)', f4), /5, 1, 2/],
    ['no dimension', npyBytes('()', f4.subarray(0, 4)), /\(\)/],
    ['rows of no length', npyBytes('(5, 0)', new Uint8Array(0)), /5, 0/],
    ['more rows than there are', npyBytes('(6, 2)', f4), /48 bytes, 40/],
    ['fewer rows than there are', npyBytes('(4, 2)', f4), /32 bytes, 40/],
    ['more rows than numbers go', npyBytes('(999999999999, 999999999999)', f4), /bytes, 40/],
    ['a negative side', npyBytes('(-5, -2)', f4), /-5, -2/],
    ['another format', npyBytes('(5, 2)', f4, { version: 4 }), /4\.0/],
    ['another beginning', Buffer.from('not an npy file at all'), /first bytes/],
    ['nothing in it', Buffer.alloc(0), /first bytes/],
    ['a header that is not there', npyBytes('(5, 2)', f4).subarray(0, 40), /claims/],
  ])('with %s is refused', async (_, bytes, why) => {
    expect((await refusal('bank_invalid', () => open(bytes))).message).toMatch(why);
  });

  it('with a header of gigabytes is refused without reading it', async () => {
    const bytes = npyBytes('(5, 2)', f4, { version: 2 });
    bytes.writeUInt32LE(0xffffffff, 8);
    expect((await refusal('bank_invalid', () => open(bytes))).message).toContain('4294967295');
  });

  it('that is cut while it is read ends in a refusal', async () => {
    const pages = pagesOf(await open(npyBytes('(5, 2)', f4)), 8);
    await pages.next();
    await truncate(path, 128 + 20);
    await refusal('bank_invalid', async () => {
      for await (const _ of pages);
    });
  });

  it('of any bytes, with and without its mark, is refused', async () => {
    const mark = fc.constantFrom(Buffer.alloc(0), Buffer.from('\x93NUMPY\x01\x00', 'latin1'));
    await fc.assert(
      fc.asyncProperty(mark, fc.uint8Array({ maxLength: 200 }), async (head, tail) => {
        await expect(open(Buffer.concat([head, tail]))).rejects.toBeInstanceOf(LookalikeError);
      }),
    );
  });
});
