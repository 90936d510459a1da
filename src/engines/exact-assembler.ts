/**
 * Writes WebAssembly modules: just what the scan's kernels need, so that no compiler stands between the source
 * and the machine. Opcodes are those of the WebAssembly 2.0 specification (SIMD), of its threads proposal
 * (shared memory) and of its relaxed SIMD proposal (WebAssembly 3.0). Code is a flat list of bytes in stack order; the helpers below name them.
 */

export type Code = readonly number[];
export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof F32 | typeof V128;

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit number. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const low = rest & 0x7f;
    const last = (rest >> 7 === 0 && (low & 0x40) === 0) || (rest >> 7 === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
/** Alignment 1: the specification allows any address, and the processors at hand do not mind. */
const at = (offset: number): number[] => [0, ...unsigned(offset)];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  load: (offset = 0): Code => [0x28, ...at(offset)],
  store: (offset = 0): Code => [0x36, ...at(offset)],
  add: [0x6a],
  mul: [0x6c],
  and: [0x71],
  ltUnsigned: [0x49],
} as const;

export const f32 = { store: (offset = 0): Code => [0x38, ...at(offset)] } as const;

export const v128 = {
  load: (offset = 0): Code => [...simd(0), ...at(offset)],
  /** Eight unsigned bytes to eight 16-bit lanes. */
  load8x8Unsigned: (offset = 0): Code => [...simd(2), ...at(offset)],
  load32Splat: (offset = 0): Code => [...simd(9), ...at(offset)],
  store: (offset = 0): Code => [...simd(11), ...at(offset)],
  zero: [...simd(12), ...new Array<number>(16).fill(0)] as Code,
  /** Lanes of 32 bits, 0..3 of the first operand, 4..7 of the second. */
  shuffle32: (lanes: readonly number[]): Code => [
    ...simd(13),
    ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)),
  ],
} as const;

export const i16x8 = {
  splat: simd(16),
  /**
   * Products of sixteen pairs of 8-bit lanes, added in twos in 16 bits. The specification leaves open whether a second
   * operand of 128 and more is negative, and whether sums clip: to be asked of the machine before it is relied on.
   */
  relaxedDotI8x16: simd(0x112),
} as const;

export const i32x4 = {
  splat: simd(17),
  bitmask: simd(164),
  lane: (lane: number): Code => [...simd(27), lane],
  add: simd(174),
  /** Products of eight pairs of 16-bit lanes, added in twos: exact, it cannot saturate. */
  dotI16x8: simd(186),
} as const;

export const f32x4 = {
  splat: simd(19),
  ge: simd(70),
  add: simd(228),
  mul: simd(230),
  convertI32x4: simd(250),
  lane: (lane: number): Code => [...simd(31), lane],
} as const;

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
export const tee = (local: number): Code => [0x22, ...unsigned(local)];

/** `body` again and again for as long as the condition, read after it, is true. */
export const doWhile = (body: Code, condition: Code): Code => [
  0x03,
  0x40,
  ...body,
  ...condition,
  0x0d,
  0,
  0x0b,
];
export const when = (condition: Code, body: Code): Code => [...condition, 0x04, 0x40, ...body, 0x0b];
/** local += value */
export const advance = (local: number, by: Code): Code => [...get(local), ...by, ...i32.add, ...set(local)];

export interface WasmFunction {
  name: string; // exported under it
  parameters: readonly ValueType[];
  result: ValueType | null;
  locals: readonly ValueType[]; // numbered after the parameters
  code: Code;
}

const vector = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...unsigned(bytes.length), ...bytes];
const text = (value: string): number[] => [...unsigned(value.length), ...new TextEncoder().encode(value)];

/** The bytes of a module that exports these functions and works on the memory imported as `m.memory`. */
export function assemble(
  functions: readonly WasmFunction[],
  { shared }: { shared: boolean },
): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, result }) => [
    0x60,
    ...vector(parameters.map((type) => [type])),
    ...vector(result === null ? [] : [[result]]),
  ]);
  // Of any size: at least no pages, and at most 4 GiB.
  const memory = [...text('m'), ...text('memory'), 0x02, shared ? 0x03 : 0x01, 0, ...unsigned(65_536)];
  const bodies = functions.map(({ locals, code }) => {
    const body = [...vector(locals.map((type) => [1, type])), ...code, 0x0b];
    return [...unsigned(body.length), ...body];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(functions.map(({ name }, i) => [...text(name), 0x00, ...unsigned(i)]))),
    ...section(10, vector(bodies)),
  ]);
}
