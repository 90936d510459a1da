import {
  advance,
  assemble,
  type Code,
  doWhile,
  type F32,
  f32,
  f32x4,
  get,
  I32,
  i16x8,
  i32,
  i32x4,
  set,
  tee,
  V128,
  v128,
  type WasmFunction,
  when,
} from './exact-assembler.js';

/**
 * The inner loops of the scan, as WebAssembly with 128-bit vectors. Rows are unsigned bytes, queries signed
 * 16-bit numbers; products are added up in 32 bits without loss. Addresses are in bytes, from the memory's start.
 */
export interface Kernel {
  /**
   * For each row from `row` up to `end`, both multiples of four: where score + error reaches the threshold of the
   * query, writes (row as int32, score as float32) to its `out` and moves that on. Score: (row x query +
   * correction) x scale of the row x scale of the query, in float32. `plane`, `scales` and `errors` are of row `row`.
   */
  scan(
    row: number,
    end: number,
    plane: number,
    scales: number,
    errors: number,
    query: number,
    record: number,
  ): void;
  /** The same for a query of signed bytes of at most `BYTE_LIMIT`, twice as fast; only in modules that are made with it. */
  scanBytes?: Kernel['scan'];
  /** Writes the products of the `count` >= 1 rows listed (int32) with the query, correction included, as int32. */
  products(list: number, count: number, plane: number, query: number, correction: number, out: number): void;
}

/** Products of two bytes are added up in 16 bits that clip: 2 x 255 x 64 still fits. */
export const BYTE_LIMIT = 64;

/** What a scan knows of a query, field by field: three numbers and the address of its output. */
export const RECORD = { correction: 0, scale: 4, threshold: 8, out: 12 } as const;
export const RECORD_BYTES = 16;

/** Bytes of a row read in one go; longer rows take several. */
const UNROLLED = 256;

/** Vectors of the query that stay in registers: a processor has sixteen, the scan needs the others. */
const REGISTERS = 8;

/** Hands out local variables by number, after the parameters. */
function localsAfter(parameters: number) {
  const types: (typeof I32 | typeof F32 | typeof V128)[] = [];
  const one = (type: (typeof types)[number]) => parameters + types.push(type) - 1;
  return { types, one, several: (count: number) => Array.from({ length: count }, () => one(V128)) };
}

/** How a row of `stride` bytes is cut: `loops` times `step` bytes. */
function cut(stride: number): { loops: number; step: number } {
  let step = Math.min(stride, UNROLLED);
  while (stride % step !== 0) step -= 16;
  return { loops: stride / step, step };
}

/** The four 32-bit sums of four accumulators, as one vector. */
const sumsOfFour = ([a, b, c, d]: readonly number[]): Code => {
  const pair = (x: number, y: number): Code => [
    ...get(x),
    ...get(y),
    ...v128.shuffle32([0, 4, 1, 5]),
    ...get(x),
    ...get(y),
    ...v128.shuffle32([2, 6, 3, 7]),
    ...i32x4.add,
  ]; // x0+x2, y0+y2, x1+x3, y1+y3
  return [
    ...pair(a!, b!),
    ...tee(a!),
    ...pair(c!, d!),
    ...tee(b!),
    ...v128.shuffle32([0, 1, 4, 5]),
    ...get(a!),
    ...get(b!),
    ...v128.shuffle32([2, 3, 6, 7]),
    ...i32x4.add,
  ];
};

const times = (count: number, code: (i: number) => Code): Code =>
  Array.from({ length: count }, (_, i) => code(i)).flat();

/** How a row is gone along: `code` for `step` bytes of it, for which the query has `width` bytes a number. */
interface Along {
  width: number;
  code: (step: number) => Code;
}

/** Runs along a row: once when it fits, else in a loop that moves both pointers. */
function alongRow(
  stride: number,
  { width, code }: Along,
  pointers: { row: number; query: number; end: number },
): Code {
  const { loops, step } = cut(stride);
  const { row, query, end } = pointers;
  if (loops === 1) return code(step);
  return [
    ...get(query),
    ...i32.const(width * stride),
    ...i32.add,
    ...set(end),
    ...doWhile(
      [...code(step), ...advance(row, i32.const(step)), ...advance(query, i32.const(width * step))],
      [...get(query), ...get(end), ...i32.ltUnsigned],
    ),
  ];
}

function scanFunction(stride: number, name: 'scan' | 'scanBytes'): WasmFunction {
  const bytes = name === 'scanBytes';
  const [row, end, plane, scales, errors, query, record] = [0, 1, 2, 3, 4, 5, 6] as const;
  const locals = localsAfter(7);
  const sums = locals.several(4);
  const [part, scores, ones] = [locals.one(V128), locals.one(V128), locals.one(V128)];
  const kept = locals.several(bytes && stride <= REGISTERS * 16 ? stride / 16 : 0); // the query, where registers hold it
  const [mask, rowAt, queryAt, queryEnd, out] = [
    locals.one(I32),
    locals.one(I32),
    locals.one(I32),
    locals.one(I32),
    locals.one(I32),
  ];

  const add = (i: number, products: Code): Code => [
    ...get(sums[i]!),
    ...products,
    ...i32x4.dotI16x8,
    ...i32x4.add,
    ...set(sums[i]!),
  ];
  /** Eight numbers of the query, then of each row. */
  const wide = (step: number): Code =>
    times(step / 8, (n) => [
      ...get(queryAt),
      ...v128.load(16 * n),
      ...set(part),
      ...times(4, (i) => add(i, [...get(rowAt), ...v128.load8x8Unsigned(i * stride + 8 * n), ...get(part)])),
    ]);
  /** Row after row, in the order in which they lie: by bytes the memory is what limits. */
  const byBytes = (step: number): Code =>
    times(4, (i) =>
      times(step / 16, (n) =>
        add(i, [
          ...(kept.length > 0 ? get(kept[n]!) : [...get(queryAt), ...v128.load(16 * n)]),
          ...get(rowAt),
          ...v128.load(i * stride + 16 * n),
          ...i16x8.relaxedDotI8x16,
          ...get(ones),
        ]),
      ),
    );
  const along: Along = bytes ? { width: 1, code: byBytes } : { width: 2, code: wide };
  const emit = (lane: number): Code =>
    when(
      [...get(mask), ...i32.const(1 << lane), ...i32.and],
      [
        ...get(out),
        ...get(row),
        ...i32.const(lane),
        ...i32.add,
        ...i32.store(0),
        ...get(out),
        ...get(scores),
        ...f32x4.lane(lane),
        ...f32.store(4),
        ...advance(out, i32.const(8)),
      ],
    );
  const field = (name: keyof typeof RECORD) => [...get(record), ...v128.load32Splat(RECORD[name])];
  const compare: Code = [
    ...sumsOfFour(sums),
    ...field('correction'),
    ...i32x4.add,
    ...f32x4.convertI32x4,
    ...get(scales),
    ...v128.load(),
    ...f32x4.mul,
    ...field('scale'),
    ...f32x4.mul,
    ...tee(scores),
    ...get(errors),
    ...v128.load(),
    ...f32x4.add,
    ...field('threshold'),
    ...f32x4.ge,
    ...i32x4.bitmask,
    ...tee(mask),
    ...when(
      [],
      [
        ...get(record),
        ...i32.load(RECORD.out),
        ...set(out),
        ...times(4, emit),
        ...get(record),
        ...get(out),
        ...i32.store(RECORD.out),
      ],
    ),
  ];
  const fourRows: Code = [
    ...sums.flatMap((sum) => [...v128.zero, ...set(sum)]),
    ...get(plane),
    ...set(rowAt),
    ...get(query),
    ...set(queryAt),
    ...alongRow(stride, along, { row: rowAt, query: queryAt, end: queryEnd }),
    ...compare,
    ...advance(plane, i32.const(4 * stride)),
    ...advance(scales, i32.const(16)),
    ...advance(errors, i32.const(16)),
    ...advance(row, i32.const(4)),
  ];
  return {
    name,
    parameters: [I32, I32, I32, I32, I32, I32, I32],
    result: null,
    locals: locals.types,
    code: [
      ...(bytes ? [...i32.const(1), ...i16x8.splat, ...set(ones)] : []),
      ...kept.flatMap((one, n) => [...get(query), ...v128.load(16 * n), ...set(one)]),
      ...doWhile(fourRows, [...get(row), ...get(end), ...i32.ltUnsigned]),
    ],
  };
}

function productsFunction(stride: number): WasmFunction {
  const [list, count, plane, query, correction, out] = [...Array(6).keys()] as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const locals = localsAfter(6);
  const sums = locals.several(2);
  const [rowAt, queryAt, queryEnd, end] = [
    locals.one(I32),
    locals.one(I32),
    locals.one(I32),
    locals.one(I32),
  ];
  const addPart = (offset: number): Code => {
    const sum = sums[(offset / 8) % 2]!;
    return [
      ...get(sum),
      ...get(rowAt),
      ...v128.load8x8Unsigned(offset),
      ...get(queryAt),
      ...v128.load(2 * offset),
      ...i32x4.dotI16x8,
      ...i32x4.add,
      ...set(sum),
    ];
  };
  const addParts = (step: number): Code => times(step / 8, (n) => addPart(8 * n));
  const total = sums[0]!;
  const oneRow: Code = [
    ...sums.flatMap((sum) => [...v128.zero, ...set(sum)]),
    ...get(list),
    ...i32.load(),
    ...i32.const(stride),
    ...i32.mul,
    ...get(plane),
    ...i32.add,
    ...set(rowAt),
    ...get(query),
    ...set(queryAt),
    ...alongRow(stride, { width: 2, code: addParts }, { row: rowAt, query: queryAt, end: queryEnd }),
    ...get(sums[0]!),
    ...get(sums[1]!),
    ...i32x4.add,
    ...set(total),
    ...get(out),
    ...get(correction),
    ...times(4, (lane) => [...get(total), ...i32x4.lane(lane), ...i32.add]),
    ...i32.store(),
    ...advance(list, i32.const(4)),
    ...advance(out, i32.const(4)),
  ];
  return {
    name: 'products',
    parameters: [I32, I32, I32, I32, I32, I32],
    result: null,
    locals: locals.types,
    code: [
      ...get(list),
      ...get(count),
      ...i32.const(4),
      ...i32.mul,
      ...i32.add,
      ...set(end),
      ...doWhile(oneRow, [...get(list), ...get(end), ...i32.ltUnsigned]),
    ],
  };
}

/** The kernels' module for rows of `stride` bytes. */
export const kernelBytes = (stride: number, { bytes = false } = {}): Uint8Array<ArrayBuffer> =>
  assemble(
    [
      scanFunction(stride, 'scan'),
      productsFunction(stride),
      ...(bytes ? [scanFunction(stride, 'scanBytes')] : []),
    ],
    { shared: true },
  );

/** `bytes`: with `scanBytes`. Throws where the machine or the JavaScript engine has no such vectors for WebAssembly. */
export function openKernel(stride: number, memory: WebAssembly.Memory, { bytes = false } = {}): Kernel {
  const module = new WebAssembly.Module(kernelBytes(stride, { bytes }));
  return new WebAssembly.Instance(module, { m: { memory } }).exports as unknown as Kernel; // as written above
}
