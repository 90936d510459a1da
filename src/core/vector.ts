import { LookalikeError } from './errors.js';

/** Vectors are unit length within this; anything else is refused, never mended quietly. */
export const UNIT_TOLERANCE = 1e-5;

/**
 * The canonical score of two unit vectors: their dot product in float64, in index order, rounded once to
 * float32. Every index returns this number, whatever it searched with, so that lists can be compared.
 * `a` and `b` are read from `aOffset` and `bOffset`, `dimension` floats each.
 */
export function canonicalScore(
  a: Float32Array,
  aOffset: number,
  b: Float32Array,
  bOffset: number,
  dimension: number,
): number {
  let sum = 0;
  for (let i = 0; i < dimension; i++) sum += a[aOffset + i]! * b[bOffset + i]!;
  return Math.fround(sum);
}

/** Scales each of the n rows to unit length in place; a row without a direction (zero, NaN) is refused. */
export function normaliseRows(vectors: Float32Array, n: number, dimension: number): Float32Array {
  for (let row = 0; row < n; row++) {
    const at = row * dimension;
    let squares = 0;
    for (let i = 0; i < dimension; i++) squares += vectors[at + i]! ** 2;
    const norm = Math.sqrt(squares);
    if (!(norm > 1e-12) || !Number.isFinite(norm))
      throw new LookalikeError('invalid_vector', `row ${row} has the length ${norm}: it has no direction`);
    for (let i = 0; i < dimension; i++) vectors[at + i]! /= norm;
  }
  return vectors;
}

/** Refuses anything that is not n finite unit vectors of this dimension. */
export function checkUnitRows(vectors: Float32Array, n: number, dimension: number): void {
  if (vectors.length !== n * dimension)
    throw new LookalikeError(
      'invalid_vector',
      `${n} vectors of ${dimension} dimensions need ${n * dimension} numbers, got ${vectors.length}`,
    );
  for (let row = 0; row < n; row++) {
    let squares = 0;
    for (let i = 0; i < dimension; i++) squares += vectors[row * dimension + i]! ** 2;
    // Written so that NaN fails too.
    if (!(Math.abs(Math.sqrt(squares) - 1) <= UNIT_TOLERANCE))
      throw new LookalikeError(
        'invalid_vector',
        `vector ${row} has the length ${Math.sqrt(squares)}, unit length within ${UNIT_TOLERANCE} is required`,
      );
  }
}

const encoder = new TextEncoder();

/** Ids have 1 to this many bytes of UTF-8. */
export const ID_BYTES = 256;

/** Refuses an id that is not 1 to 256 bytes of UTF-8. */
export function checkId(id: string): void {
  // A UTF-16 unit is three bytes at most: nearly every id needs no encoding.
  const bytes = id.length * 3 <= ID_BYTES ? id.length : encoder.encode(id).length;
  if (bytes >= 1 && bytes <= ID_BYTES) return;
  throw new LookalikeError(
    'invalid_parameter',
    `an id has 1 to ${ID_BYTES} bytes of UTF-8, this one ${bytes}`,
    {
      field: 'id',
    },
  );
}

/** Order of two ids by their UTF-8 bytes (JavaScript's own order is by UTF-16 unit and differs past U+FFFF). */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  // Below the surrogates both orders agree, and nearly every id is there.
  if (!/[\ud800-\uffff]/.test(a) && !/[\ud800-\uffff]/.test(b)) return a < b ? -1 : 1;
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
  return left.length - right.length;
}
