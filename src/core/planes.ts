/**
 * Two planes of 8-bit numbers that stand for the rows of a bank, and how far off they are at most.
 *
 * A row v is s (h + l / 254) with a scale s of its own, h and l whole numbers in -127..127: the high plane alone
 * is v within `error` (the length of the difference), both together within `fineError`. Both lie as unsigned
 * bytes around 128: what multiplies unsigned with signed bytes can read them too.
 *
 * All of it is one image: what is stored is what is searched.
 */

/** Where the parts of an image begin, in bytes. */
export interface PlaneLayout {
  rows: number;
  dimension: number;
  stride: number; // bytes a row of a plane; past the dimension lie zeros (128)
  padded: number; // rows with those that fill up a group of four
  scales: number; // float32, one a row
  errors: number; // float32
  fineErrors: number; // float32
  high: number; // uint8, padded x stride
  low: number;
  bytes: number; // of the whole
}

const ZERO = 128;
const LOW_STEPS = 254;
/** A row that is none: its upper bound lies below every threshold (`LEAST_THRESHOLD`). */
const NO_ROW_ERROR = -8;
/** Less than any bound of any row. */
export const LEAST_THRESHOLD = -4;

export function planeLayout(rows: number, dimension: number): PlaneLayout {
  // Long rows are read in a loop of several steps of 16; short ones in one go.
  const step = dimension > 256 ? 64 : 16;
  const stride = Math.ceil(dimension / step) * step;
  const padded = Math.ceil(rows / 4) * 4;
  const numbers = padded * 4;
  const high = 3 * numbers;
  return {
    rows,
    dimension,
    stride,
    padded,
    scales: 0,
    errors: numbers,
    fineErrors: 2 * numbers,
    high,
    low: high + padded * stride,
    bytes: high + 2 * padded * stride,
  };
}

/** The parts of an image as arrays over it. */
export interface Planes {
  layout: PlaneLayout;
  scales: Float32Array;
  errors: Float32Array;
  fineErrors: Float32Array;
  high: Uint8Array;
  low: Uint8Array;
}

/** `offset`: where the image begins in the buffer, a multiple of 16. */
export function planesOver(buffer: ArrayBufferLike, offset: number, layout: PlaneLayout): Planes {
  const { padded, stride } = layout;
  const floats = (part: number) => new Float32Array(buffer, offset + part, padded);
  const bytes = (part: number) => new Uint8Array(buffer, offset + part, padded * stride);
  return {
    layout,
    scales: floats(layout.scales),
    errors: floats(layout.errors),
    fineErrors: floats(layout.fineErrors),
    high: bytes(layout.high),
    low: bytes(layout.low),
  };
}

/** Not less than x >= 0 as a float32, and above zero. */
const roundedUp = (x: number) => Math.fround(x * (1 + 2 ** -22) + 2 ** -100);

/** Unit vectors may be this long (`UNIT_TOLERANCE`), with room for the rounding of a float32. */
const LONGEST = 1 + 2e-5;

/**
 * Fills the planes of rows `from` up to `to` (none: the padding) from their vectors (from `from` on, x dimension).
 * The errors are for queries of unit length within its tolerance.
 */
export function fillPlanes(
  planes: Planes,
  vectors: Float32Array,
  { from, to }: { from: number; to: number },
) {
  const { dimension, stride } = planes.layout;
  const { high, low } = planes;
  for (let row = from; row < to; row++) {
    const start = (row - from) * dimension;
    let largest = 0;
    for (let i = 0; i < dimension; i++) largest = Math.max(largest, Math.abs(vectors[start + i]!));
    const scale = Math.fround(largest / 127);
    const at = row * stride;
    let squares = 0;
    let fineSquares = 0;
    for (let i = 0; i < dimension; i++) {
      const value = vectors[start + i]!;
      const h = clamped(Math.round(value / scale), 127);
      const rest = value - scale * h;
      const l = clamped(Math.round((rest / scale) * LOW_STEPS), 127);
      const fineRest = rest - (scale * l) / LOW_STEPS;
      high[at + i] = h + ZERO;
      low[at + i] = l + ZERO;
      squares += rest * rest;
      fineSquares += fineRest * fineRest;
    }
    high.fill(ZERO, at + dimension, at + stride);
    low.fill(ZERO, at + dimension, at + stride);
    planes.scales[row] = scale;
    planes.errors[row] = roundedUp(Math.sqrt(squares) * LONGEST);
    planes.fineErrors[row] = roundedUp(Math.sqrt(fineSquares) * LONGEST);
  }
}

/** Marks the rows past the last one as none. */
export function padPlanes({ layout, scales, errors, fineErrors, high, low }: Planes): void {
  const { rows, stride } = layout;
  scales.fill(0, rows);
  errors.fill(NO_ROW_ERROR, rows);
  fineErrors.fill(NO_ROW_ERROR, rows);
  high.fill(ZERO, rows * stride);
  low.fill(ZERO, rows * stride);
}

const clamped = (value: number, limit: number) => Math.max(-limit, Math.min(limit, value));

/** A query as whole numbers: query = scale x numbers, but for a difference of length `error`. */
export interface WholeQuery {
  scale: number; // a float32
  error: number;
  /** What a sum over unsigned plane bytes has too much: -128 times the sum of the numbers. */
  correction: number;
}

/** The largest number of a query so that its product with any row fits in 32 bits, and each number in 16. */
export const queryLimit = (dimension: number): number =>
  Math.min(32_767, Math.floor((2 ** 31 - 1) / (127 * dimension)));

/** Writes the numbers of a query to `into` (`dimension` of them; past those stays what is there). */
export function wholeQuery(query: Float32Array, into: Int16Array | Int8Array, limit: number): WholeQuery {
  let largest = 0;
  for (const value of query) largest = Math.max(largest, Math.abs(value));
  const scale = Math.fround(largest / limit);
  let squares = 0;
  let sum = 0;
  query.forEach((value, i) => {
    const number = clamped(Math.round(value / scale), limit);
    into[i] = number;
    sum += number;
    squares += (value - scale * number) ** 2;
  });
  return { scale, error: Math.sqrt(squares) * (1 + 1e-9), correction: -ZERO * sum };
}

/** The score of both planes' products with a whole query, in float64. */
export const fineScore = (high: number, low: number, scales: number): number =>
  scales * (high + low / LOW_STEPS);

/**
 * What a bound must allow for beside the row's own error: the query's error, the float32 arithmetic of the scan
 * (four roundings of numbers up to about one) and the rounding of the canonical score.
 */
export const slackOf = (queryError: number, largestError: number): number =>
  queryError * (LONGEST + largestError) + 2 ** -20;
