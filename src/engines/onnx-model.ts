/**
 * Writes ONNX files: a typed graph in, the bytes of a `ModelProto` out. The encoder's export and the exact
 * index both build their graphs with it. Enum values are those of `onnx.proto3` in the ONNX repository and
 * never change there.
 */
import protobuf from 'protobufjs/light.js';
import { LookalikeError } from '../core/errors.js';
import { Model } from './onnx-schema.js';

/** Element types of tensors, as `TensorProto.DataType` numbers them. */
export const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

/** The array's class decides the element type: float32, uint8, int8, int32, int64. */
export type OnnxData = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

/** `data.length` is the product of `dims`; `[]` is a scalar. */
export interface OnnxTensor {
  name: string;
  dims: readonly number[];
  data: OnnxData;
}

/** One key says the kind: `{ int: 1 }`, `{ ints: [1, 1] }`, `{ float: 0.5 }`, `{ string: 'constant' }`. */
export type OnnxAttribute =
  | { int: number }
  | { ints: readonly number[] }
  | { float: number }
  | { floats: readonly number[] }
  | { string: string }
  | { tensor: Omit<OnnxTensor, 'name'> };

/** `inputs` and `outputs` are value names; an empty name stands for an optional input left out. */
export interface OnnxNode {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, OnnxAttribute>>;
  domain?: string; // '' (the standard operators) when absent
}

/** A graph input or output. A number is a fixed size, a string names a size known only at run time. */
export interface OnnxValue {
  name: string;
  type: ElementType;
  dims: readonly (number | string)[] | null; // null: not even how many
}

export interface OnnxGraph {
  name: string;
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  nodes: readonly OnnxNode[];
  initializers: readonly OnnxTensor[];
  opset?: number; // of the standard operators, 17 when absent
  irVersion?: number; // 8 when absent: what opset 17 came with
  metadata?: Readonly<Record<string, string>>;
}

/** An int64 tensor from plain numbers: shapes, axes, counts. */
export function int64Tensor(name: string, values: readonly number[], dims = [values.length]): OnnxTensor {
  return { name, dims, data: BigInt64Array.from(values, BigInt) };
}

/**
 * Encodes the graph as the bytes of an ONNX file. Throws `model_invalid` when a tensor's data do not fill
 * its shape or a node reads a value that nothing before it makes.
 */
export function encodeOnnxModel(graph: OnnxGraph): Uint8Array {
  checkWiring(graph);
  const domains = new Set(graph.nodes.map((node) => node.domain ?? '').filter((domain) => domain !== ''));
  return Model.encode({
    irVersion: graph.irVersion ?? 8,
    producerName: 'lookalike',
    graph: {
      name: graph.name,
      node: graph.nodes.map(encodeNode),
      initializer: graph.initializers.map(encodeTensor),
      input: graph.inputs.map(encodeValue),
      output: graph.outputs.map(encodeValue),
    },
    opsetImport: [
      { domain: '', version: graph.opset ?? 17 },
      ...[...domains].map((domain) => ({ domain, version: 1 })),
    ],
    metadataProps: Object.entries(graph.metadata ?? {}).map(([key, value]) => ({ key, value })),
  }).finish();
}

/**
 * Bytes that, behind those of a model, add `metadata` to it: a protobuf message continues with what is appended, and
 * the entries of a list are all kept.
 */
export function encodeOnnxMetadata(metadata: Readonly<Record<string, string>>): Uint8Array {
  return Model.encode({
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  }).finish();
}

/**
 * Names of the files that hold numbers of this model outside of it ("external data"); empty when it is whole.
 * Throws what protobuf throws for bytes that are no model.
 */
export function externalFiles(model: Uint8Array): string[] {
  const names = new Set<string>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    if (!(value instanceof protobuf.Message)) return;
    const { dataLocation, externalData } = value as { dataLocation?: number; externalData?: Entry[] };
    if (dataLocation === 1)
      names.add(externalData?.find(({ key }) => key === 'location')?.value ?? 'an unnamed file');
    Object.values(value).forEach(walk);
  };
  walk(Model.decode(model));
  return [...names];
}

interface Entry {
  key: string;
  value: string;
}

function checkWiring(graph: OnnxGraph): void {
  const known = new Set(['', ...graph.inputs.map((v) => v.name), ...graph.initializers.map((t) => t.name)]);
  const need = (name: string, reader: string) => {
    if (!known.has(name))
      throw new LookalikeError('model_invalid', `${reader} reads "${name}", which nothing before it makes`);
  };
  for (const node of graph.nodes) {
    for (const name of node.inputs) need(name, `node ${node.op}`);
    for (const name of node.outputs) known.add(name);
  }
  for (const output of graph.outputs) need(output.name, 'the graph output');
}

function encodeNode(node: OnnxNode, position: number): object {
  return {
    input: node.inputs,
    output: node.outputs,
    name: `${node.op}_${position}`,
    opType: node.op,
    attribute: Object.entries(node.attributes ?? {}).map(([name, value]) => encodeAttribute(name, value)),
    domain: node.domain ?? '',
  };
}

// `type` holds AttributeProto.AttributeType: FLOAT 1, INT 2, STRING 3, TENSOR 4, FLOATS 6, INTS 7.
function encodeAttribute(name: string, value: OnnxAttribute): object {
  if ('float' in value) return { name, type: 1, f: value.float };
  if ('int' in value) return { name, type: 2, i: value.int };
  if ('string' in value) return { name, type: 3, s: new TextEncoder().encode(value.string) };
  if ('tensor' in value) return { name, type: 4, t: encodeTensor({ name: '', ...value.tensor }) };
  if ('floats' in value) return { name, type: 6, floats: value.floats };
  return { name, type: 7, ints: value.ints };
}

function encodeTensor({ name, dims, data }: OnnxTensor): object {
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (data.length !== size)
    throw new LookalikeError(
      'model_invalid',
      `tensor "${name}" of shape [${dims}] needs ${size} numbers, got ${data.length}`,
    );
  // ONNX raw data is little-endian, as every platform that onnxruntime-node runs on.
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims, dataType: ELEMENT_TYPES[elementType(data)], rawData };
}

function elementType(data: OnnxData): ElementType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Int8Array) return 'int8';
  return data instanceof Int32Array ? 'int32' : 'int64';
}

function encodeValue({ name, type, dims }: OnnxValue): object {
  const dim = dims?.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[type], ...(dim && { shape: { dim } }) } } };
}
