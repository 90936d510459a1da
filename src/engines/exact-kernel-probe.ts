import { setFlagsFromString } from 'node:v8';
import { planeLayout } from '../core/planes.js';
import { BYTE_LIMIT, type Kernel, kernelBytes, openKernel, RECORD } from './exact-kernel.js';

/**
 * Whether this process can run the kernels for rows of this dimension, and computes rightly with them: the largest
 * numbers of both signs, where arithmetic that clips would show, against whole-number arithmetic in JavaScript.
 */
export function kernelWorks(dimension: number): boolean {
  return known(works, dimension, (stride) => answersRightly(stride, openKernel));
}

/**
 * The same of the scan by bytes. It takes an instruction of relaxed SIMD that Node 20 has behind a flag and later ones
 * always; processors differ in what it does with the numbers that are asked about here.
 */
export function bytesWork(dimension: number): boolean {
  return known(bytes, dimension, (stride) => {
    if (!WebAssembly.validate(kernelBytes(stride, { bytes: true })))
      setFlagsFromString('--experimental-wasm-relaxed-simd');
    return answersBytesRightly(stride, openKernel);
  });
}

function known(found: Map<number, boolean>, dimension: number, ask: (stride: number) => boolean): boolean {
  const { stride } = planeLayout(ROWS, dimension);
  let answer = found.get(stride);
  if (answer === undefined) {
    try {
      answer = ask(stride);
    } catch {
      answer = false; // No such vectors in WebAssembly here: the module does not compile.
    }
    found.set(stride, answer);
  }
  return answer;
}

const works = new Map<number, boolean>();
const bytes = new Map<number, boolean>();
const ROWS = 8;
const LARGEST = 32_767;

/** Where the parts of a question lie. */
const AT = { record: 0, scales: 64, errors: 128, list: 192, products: 256, out: 320, query: 512 };

/** Rows of 255, of 0, of both by turns, and of other numbers, in a memory of their own. */
function question(stride: number) {
  const plane = AT.query + 2 * stride;
  const pages = Math.ceil((plane + ROWS * stride) / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const rows = new Uint8Array(memory.buffer, plane, ROWS * stride);
  rows.forEach((_, at) => {
    const [row, i] = [Math.floor(at / stride), at % stride];
    rows[at] = row === 0 || (row === 2 && i % 2 === 0) ? 255 : row < 3 ? 0 : (at * 89) % 256;
  });
  return { memory, plane, rows };
}

/** What the scan finds of all rows: their products with the query, and one. */
function scanned(memory: WebAssembly.Memory, scan: Kernel['scan'], plane: number): number[] {
  const [ints, floats] = [new Int32Array(memory.buffer), new Float32Array(memory.buffer)];
  floats.fill(1, AT.scales / 4, AT.scales / 4 + 2 * ROWS); // the errors too
  ints[(AT.record + RECORD.correction) / 4] = 1;
  floats[(AT.record + RECORD.scale) / 4] = 0.5;
  floats[(AT.record + RECORD.threshold) / 4] = -(2 ** 40);
  ints[(AT.record + RECORD.out) / 4] = AT.out;
  scan(0, ROWS, plane, AT.scales, AT.errors, AT.query, AT.record);
  return Array.from({ length: ROWS }, (_, row) =>
    ints[AT.out / 4 + 2 * row] === row ? floats[AT.out / 4 + 2 * row + 1]! * 2 : Number.NaN,
  );
}

const sumsOf = (numbers: ArrayLike<number>, rows: Uint8Array, stride: number): number[] =>
  Array.from({ length: ROWS }, (_, row) => {
    let sum = 1;
    for (let i = 0; i < stride; i++) sum = (sum + numbers[i]! * rows[row * stride + i]!) | 0;
    return sum;
  });

/** Asks the kernels that `open` makes a question whose answer is known. Throws what `open` throws. */
export function answersRightly(stride: number, open: typeof openKernel): boolean {
  const { memory, plane, rows } = question(stride);
  const kernel = open(stride, memory);
  // Of the largest numbers, in pairs of equal sign.
  const query = new Int16Array(memory.buffer, AT.query, stride).fill(LARGEST, 0, 8);
  for (let i = 8; i < stride; i++) query[i] = (i & 2) === 0 ? LARGEST : -LARGEST;
  const expected = sumsOf(query, rows, stride);
  const ints = new Int32Array(memory.buffer);
  ints.set([...expected.keys()], AT.list / 4);
  kernel.products(AT.list, ROWS, plane, AT.query, 1, AT.products);
  const found = scanned(memory, kernel.scan, plane);
  return expected.every((sum, row) => ints[AT.products / 4 + row] === sum && found[row] === Math.fround(sum));
}

/** The same of the scan by bytes, with queries of the largest numbers of either sign and of both. */
export function answersBytesRightly(stride: number, open: typeof openKernel): boolean {
  const { memory, plane, rows } = question(stride);
  const kernel = open(stride, memory, { bytes: true });
  const query = new Int8Array(memory.buffer, AT.query, stride);
  const signs = [
    () => 1,
    () => -1,
    (i: number) => ((i & 2) === 0 ? 1 : -1),
    (i: number) => ((i & 1) === 0 ? 1 : -1),
  ];
  return signs.every((sign) => {
    for (let i = 0; i < stride; i++) query[i] = BYTE_LIMIT * sign(i);
    const found = scanned(memory, kernel.scanBytes!, plane);
    return sumsOf(query, rows, stride).every((sum, row) => found[row] === Math.fround(sum));
  });
}
