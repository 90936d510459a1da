import { open } from 'node:fs/promises';
import { LookalikeError } from '../core/errors.js';
import { readFully } from './files.js';
import { type Matrix, NUMBER_BYTES, type NumberType } from './matrix-file.js';

/**
 * Vectors that NumPy saved: format 1.0 to 3.0, two dimensions, row after row, float32 or float64, little-endian.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */

export const NPY_MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const DTYPES = new Map<string, NumberType>([
  ['<f4', 'F32'],
  ['<f8', 'F64'],
]);
/** A header of the plain kind has about 100 bytes. */
const HEADER_BYTES = 64 * 1024;

/** Reads what the file says of itself and checks that its length agrees. Throws `bank_invalid` with what was found. */
export async function openNpy(path: string): Promise<Matrix> {
  const file = await open(path);
  try {
    const head = new Uint8Array(HEADER_BYTES);
    const { text, offset } = headerOf(Buffer.from(head.buffer, 0, await readFully(file, head, 0)));
    const { type, rows, dimension } = parseHeader(text);
    const wanted = rows * dimension * NUMBER_BYTES[type];
    const found = (await file.stat()).size - offset;
    if (found !== wanted)
      return refuse(`${rows} x ${dimension} of ${type} need ${wanted} bytes, ${found} follow its header`);
    return { path, type, rows, dimension, offset };
  } finally {
    await file.close();
  }
}

/** The header's text, and where the numbers start. */
function headerOf(head: Buffer): { text: string; offset: number } {
  if (head.length < 12 || !head.subarray(0, 6).equals(NPY_MAGIC)) return refuse('its first bytes are others');
  const version = head[6]!;
  if (version < 1 || version > 3) return refuse(`its format is ${version}.${head[7]}, 1.0 to 3.0 are read`);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? head.readUInt16LE(8) : head.readUInt32LE(8);
  if (start + length > head.length)
    return refuse(`its header claims ${length} bytes, ${head.length - start} are there or allowed`);
  return { text: head.toString('latin1', start, start + length), offset: start + length };
}

/** The header is the text of a Python dictionary with three keys. */
function parseHeader(text: string): Pick<Matrix, 'type' | 'rows' | 'dimension'> {
  const value = (key: string, pattern: string): string | undefined =>
    new RegExp(`['"]${key}['"]\\s*:\\s*${pattern}`).exec(text)?.[1];
  const dtype = value('descr', `['"]([^'"]{1,20})['"]`);
  const type = DTYPES.get(dtype ?? '');
  if (type === undefined)
    return refuse(`its numbers are ${dtype ?? 'records'}, ${[...DTYPES.keys()].join(' and ')} are read`);
  if (value('fortran_order', '(True|False)') !== 'False')
    return refuse('it is in Fortran order: save it with numpy.ascontiguousarray');
  const shape = value('shape', '\\(([^)]{0,100})\\)');
  const sides = /^\s*(\d{1,12})\s*,\s*(\d{1,12})\s*,?\s*$/.exec(shape ?? '');
  if (!sides || sides[2] === '0') return refuse(`its shape is (${shape ?? ''}), rows x dimension is wanted`);
  return { type, rows: Number(sides[1]), dimension: Number(sides[2]) };
}

function refuse(why: string): never {
  throw new LookalikeError('bank_invalid', `not an .npy file of vectors: ${why}`);
}
