import {
  advance,
  assemble,
  type Code,
  doWhile,
  f32,
  f32x4,
  get,
  I32,
  i32,
  i32x4,
  set,
  tee,
  V128,
  v128,
  when,
} from './exact-assembler.js';

/** The inner loop of `exact-batch.ts`: looks through the products of a block for those that reach a threshold. */
export interface Selection {
  /**
   * Products are rows x `queries` int32, `queries` a multiple of four. For each row from `row` up to `end` and each
   * query: score = product x scale of the row x scale of the query, in float32; where score + error of the row reaches the
   * threshold of the query, writes (row as int32, score as float32) to the address in `outs`, and moves that on.
   */
  select(
    row: number,
    end: number,
    queries: number,
    products: number,
    scales: number,
    errors: number,
    queryScales: number,
    thresholds: number,
    outs: number,
  ): void;
}

function selectBody(): { locals: (typeof I32 | typeof V128)[]; code: Code } {
  const [row, end, queries, products, scales, errors, queryScales, thresholds, outs] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8,
  ] as const;
  const [scale, error, scores, mask, q, rowEnd, out] = [9, 10, 11, 12, 13, 14, 15] as const;

  const emit = (lane: number): Code =>
    when(
      [...get(mask), ...i32.const(1 << lane), ...i32.and],
      [
        ...[...get(outs), ...get(q), ...i32.add, ...i32.load(4 * lane), ...tee(out)],
        ...[...get(row), ...i32.store(0)],
        ...[...get(out), ...get(scores), ...f32x4.lane(lane), ...f32.store(4)],
        ...[...get(outs), ...get(q), ...i32.add],
        ...[...get(out), ...i32.const(8), ...i32.add, ...i32.store(4 * lane)],
      ],
    );
  const ofQueries = (table: number): Code => [...get(table), ...get(q), ...i32.add, ...v128.load()];
  const fourQueries: Code = [
    ...[...get(products), ...v128.load(), ...f32x4.convertI32x4],
    ...[...get(scale), ...f32x4.mul, ...ofQueries(queryScales), ...f32x4.mul, ...tee(scores)],
    ...[...get(error), ...f32x4.add, ...ofQueries(thresholds), ...f32x4.ge, ...i32x4.bitmask, ...tee(mask)],
    ...when([], [0, 1, 2, 3].flatMap(emit)),
    ...advance(products, i32.const(16)),
    ...advance(q, i32.const(16)),
  ];
  const oneRow: Code = [
    ...[...get(scales), ...v128.load32Splat(), ...set(scale)],
    ...[...get(errors), ...v128.load32Splat(), ...set(error)],
    ...[...i32.const(0), ...set(q)],
    ...[...get(queries), ...i32.const(4), ...i32.mul, ...set(rowEnd)],
    ...doWhile(fourQueries, [...get(q), ...get(rowEnd), ...i32.ltUnsigned]),
    ...advance(scales, i32.const(4)),
    ...advance(errors, i32.const(4)),
    ...advance(row, i32.const(1)),
  ];
  return {
    locals: [V128, V128, V128, I32, I32, I32, I32],
    code: doWhile(oneRow, [...get(row), ...get(end), ...i32.ltUnsigned]),
  };
}

/** The kernel on a memory that one thread has for itself. */
export function openSelection(memory: WebAssembly.Memory): Selection {
  const select = { name: 'select', parameters: new Array(9).fill(I32), result: null, ...selectBody() };
  const module = new WebAssembly.Module(assemble([select], { shared: false }));
  return new WebAssembly.Instance(module, { m: { memory } }).exports as unknown as Selection; // as written above
}
