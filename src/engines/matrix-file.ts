import { open } from 'node:fs/promises';
import { LookalikeError } from '../core/errors.js';
import { readFully } from './files.js';

/** A table of numbers that lies in a file, read by pages of rows. */
export interface Matrix {
  path: string;
  type: NumberType; // little-endian
  rows: number;
  dimension: number;
  offset: number; // of the first number, in bytes; the rows follow each other without gaps
}

/** Bytes of a number. BF16 is the upper half of a float32. */
export const NUMBER_BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2 } as const;
export type NumberType = keyof typeof NUMBER_BYTES;

export const rowBytes = ({ type, dimension }: Matrix): number => NUMBER_BYTES[type] * dimension;

/** A page of 128 dimensions has 512 rows: what is done with them between two reads does not hold up the main thread. */
const PAGE_BYTES = 256 * 1024;

/**
 * The rows in pages of about `pageBytes` bytes, each a new array of whole rows as float32; numbers of 64 bits are rounded.
 * Throws `bank_invalid` when the file ends before its last row.
 */
export async function* pagesOf(matrix: Matrix, pageBytes = PAGE_BYTES): AsyncGenerator<Float32Array> {
  const { path, rows, offset } = matrix;
  const bytesPerRow = rowBytes(matrix);
  const rowsPerPage = Math.max(1, Math.floor(pageBytes / bytesPerRow));
  const file = await open(path);
  try {
    for (let row = 0; row < rows; row += rowsPerPage) {
      // An array of its own starts at its buffer's start, as views of wider numbers need it.
      const bytes = new Uint8Array(Math.min(rowsPerPage, rows - row) * bytesPerRow);
      if ((await readFully(file, bytes, offset + row * bytesPerRow)) < bytes.length)
        throw new LookalikeError('bank_invalid', `the vectors end before row ${rows - 1}`);
      yield TO_FLOAT32[matrix.type](bytes.buffer);
    }
  } finally {
    await file.close();
  }
}

const TO_FLOAT32: Record<NumberType, (numbers: ArrayBuffer) => Float32Array> = {
  F64: (numbers) => Float32Array.from(new Float64Array(numbers)),
  F32: (numbers) => new Float32Array(numbers),
  F16: (numbers) => Float32Array.from(new Uint16Array(numbers), halfToNumber),
  BF16: (numbers) =>
    new Float32Array(Uint32Array.from(new Uint16Array(numbers), (bits) => bits << 16).buffer),
};

/** A number of IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
