/**
 * Writes a TensorFlow graph as a `saved_model.pb`: the few protobuf messages that it takes, by their field numbers in
 * tensorflow/core/framework (graph, node_def, attr_value, tensor, tensor_shape) and core/protobuf (saved_model, meta_graph).
 */

/** TensorFlow's DataType numbers, which are those of tfjs-node's binding too. */
export type DataType = number;

/** A dense tensor; `content` is its bytes, row-major and little-endian. */
export interface GraphTensor {
  dtype: DataType;
  shape: readonly number[];
  content: Uint8Array;
}

export type GraphAttribute =
  | { string: string }
  | { int: number }
  | { ints: readonly number[] }
  | { float: number }
  | { floats: readonly number[] }
  | { bool: boolean }
  | { bools: readonly boolean[] }
  | { type: DataType }
  | { shape: readonly number[] }
  | { tensor: GraphTensor };

export interface GraphNode {
  name: string;
  op: string;
  inputs: readonly string[]; // `name:output`
  attributes: Readonly<Record<string, GraphAttribute>>;
}

/** The version of the graph format that is claimed: any of the last years serves, no node here depends on it. */
const PRODUCER = 1395;

/** The bytes of a `saved_model.pb` with one graph under `tag`, without variables and signatures. */
export function encodeSavedModel(nodes: readonly GraphNode[], tag: string): Uint8Array {
  const graph = message(...nodes.map((node) => bytes(1, encodeNode(node))), bytes(4, int(1, PRODUCER)));
  const about = text(4, tag);
  return message(int(1, 1), bytes(2, message(bytes(1, about), bytes(2, graph))));
}

function encodeNode({ name, op, inputs, attributes }: GraphNode): Buffer {
  return message(
    text(1, name),
    text(2, op),
    ...inputs.map((input) => text(3, input)),
    ...Object.entries(attributes).map(([key, value]) =>
      bytes(5, message(text(1, key), bytes(2, encodeAttribute(value)))),
    ),
  );
}

function encodeAttribute(value: GraphAttribute): Buffer {
  if ('string' in value) return text(2, value.string);
  if ('int' in value) return int(3, value.int);
  if ('ints' in value) return bytes(1, bytes(3, message(...value.ints.map(varint))));
  if ('float' in value) return message(varint((4 << 3) | 5), float(value.float));
  if ('floats' in value) return bytes(1, bytes(4, message(...value.floats.map(float))));
  if ('bool' in value) return int(5, Number(value.bool));
  if ('bools' in value) return bytes(1, bytes(5, Buffer.from(value.bools.map(Number))));
  if ('type' in value) return int(6, value.type);
  if ('shape' in value) return bytes(7, encodeShape(value.shape));
  return bytes(8, encodeTensor(value.tensor));
}

function encodeTensor({ dtype, shape, content }: GraphTensor): Buffer {
  return message(int(1, dtype), bytes(2, encodeShape(shape)), bytes(4, content));
}

function encodeShape(shape: readonly number[]): Buffer {
  return message(...shape.map((size) => bytes(2, int(1, size))));
}

const message = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts);
const int = (field: number, value: number) => message(varint(field << 3), varint(value));
const text = (field: number, value: string) => bytes(field, Buffer.from(value));

function bytes(field: number, content: Uint8Array): Buffer {
  return message(varint((field << 3) | 2), varint(content.length), content);
}

function float(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeFloatLE(value);
  return out;
}

/** Seven bits a byte, the lowest first; a negative number is written as its 64-bit complement. */
function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
  return Buffer.from(out);
}
