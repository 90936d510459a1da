import { planeLayout } from '../core/planes.js';
import { openKernel, RECORD } from './exact-kernel.js';

/**
 * Whether this process can run the kernels for rows of this dimension, and computes rightly with them: the largest
 * numbers of both signs, where arithmetic that clips would show, against whole-number arithmetic in JavaScript.
 */
export function kernelWorks(dimension: number): boolean {
  const { stride } = planeLayout(ROWS, dimension);
  const known = works.get(stride);
  if (known !== undefined) return known;
  let found = false;
  try {
    found = answersRightly(stride, openKernel);
  } catch {
    // No vectors in WebAssembly here: the module does not compile.
  }
  works.set(stride, found);
  return found;
}

const works = new Map<number, boolean>();
const ROWS = 8;
const LARGEST = 32_767;

/** Asks the kernels that `open` makes a question whose answer is known. Throws what `open` throws. */
export function answersRightly(stride: number, open: typeof openKernel): boolean {
  const [records, scales, errors, list, products, out, query] = [0, 64, 128, 192, 256, 320, 512];
  const plane = query + 2 * stride;
  const pages = Math.ceil((plane + ROWS * stride) / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const kernel = open(stride, memory);
  const [ints, floats] = [new Int32Array(memory.buffer), new Float32Array(memory.buffer)];
  const bytes = new Uint8Array(memory.buffer, plane, ROWS * stride);
  const numbers = new Int16Array(memory.buffer, query, stride);
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  // Rows of 255, of 0, of both by turns, and of other numbers; the query is of the largest numbers in pairs of equal sign.
  bytes.forEach((_, at) => {
    const [row, i] = [Math.floor(at / stride), at % stride];
    bytes[at] = row === 0 || (row === 2 && i % 2 === 0) ? 255 : row < 3 ? 0 : (at * 89) % 256;
  });
  numbers.forEach((_, i) => {
    numbers[i] = (i & 2) === 0 ? LARGEST : -LARGEST;
  });
  numbers.fill(LARGEST, 0, 8);
  const expected = rows.map((row) =>
    numbers.reduce((sum, number, i) => (sum + number * bytes[row * stride + i]!) | 0, 1),
  );
  ints.set(rows, list! / 4);
  floats.fill(1, scales! / 4, scales! / 4 + 2 * ROWS);
  ints[(records! + RECORD.correction) / 4] = 1;
  floats[(records! + RECORD.scale) / 4] = 0.5;
  floats[(records! + RECORD.threshold) / 4] = -(2 ** 40);
  ints[(records! + RECORD.out) / 4] = out!;
  kernel.products(list!, ROWS, plane, query!, 1, products!);
  kernel.scan(0, ROWS, plane, scales!, errors!, query!, records!);
  return rows.every(
    (row) =>
      ints[products! / 4 + row] === expected[row] &&
      ints[out! / 4 + 2 * row] === row &&
      floats[out! / 4 + 2 * row + 1] === Math.fround(expected[row]!) * 0.5,
  );
}
