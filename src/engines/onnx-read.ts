import { LookalikeError, messageOf } from '../core/errors.js';
import {
  ELEMENT_TYPES,
  type ElementType,
  type OnnxAttribute,
  type OnnxData,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './onnx-model.js';
import { Model } from './onnx-schema.js';

/** Reads ONNX files: the bytes of a `ModelProto` in, the typed graph of `onnx-model.ts` out. */

interface RawTensor {
  name: string;
  dims: number[];
  dataType: number;
  rawData: Uint8Array;
  floatData: number[];
  int32Data: number[];
  int64Data: number[];
  dataLocation: number;
}
interface RawAttribute {
  name: string;
  type: number;
  f: number;
  i: number;
  s: Uint8Array;
  t: RawTensor;
  floats: number[];
  ints: number[];
}
interface RawNode {
  input: string[];
  output: string[];
  opType: string;
  attribute: RawAttribute[];
  domain: string;
}
interface RawValue {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: RawDimension[] } | null } | null } | null;
}
interface RawDimension {
  dimValue: number;
  dimParam: string;
}
interface RawModel {
  irVersion: number;
  graph: {
    name: string;
    node: RawNode[];
    initializer: RawTensor[];
    input: RawValue[];
    output: RawValue[];
  } | null;
  opsetImport: { domain: string; version: number }[];
  metadataProps: { key: string; value: string }[];
  functions: unknown[];
}

const refuse = (why: string, cause?: unknown): never => {
  throw new LookalikeError('model_invalid', why, { cause });
};

/**
 * The graph in an ONNX file. Throws `model_invalid` for bytes that are no model, and for what our graphs do not hold: numbers in
 * other files, graphs within nodes, functions, element types other than those of `ELEMENT_TYPES`.
 */
export function decodeOnnxModel(bytes: Uint8Array): OnnxGraph {
  const { graph, irVersion, opsetImport, metadataProps, functions } = decode(bytes);
  if (functions.length > 0) refuse('it has functions of its own, which are not read');
  const constants = new Set(graph.initializer.map(({ name }) => name));
  return {
    name: graph.name,
    inputs: graph.input.filter(({ name }) => !constants.has(name)).map(toValue),
    outputs: graph.output.map(toValue),
    nodes: graph.node.map(toNode),
    initializers: graph.initializer.map(toTensor),
    opset: opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 1,
    irVersion,
    metadata: Object.fromEntries(metadataProps.map(({ key, value }) => [key, value])),
  };
}

/** How often each operator is in the graph. */
export function countOperators(bytes: Uint8Array): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { opType } of decode(bytes).graph.node) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return counts;
}

function decode(bytes: Uint8Array): RawModel & { graph: NonNullable<RawModel['graph']> } {
  let model: RawModel;
  try {
    const read = Model.toObject(Model.decode(bytes), { defaults: true, arrays: true, longs: Number });
    model = read as RawModel; // the schema's fields, all of them there
  } catch (cause) {
    return refuse(`it is no ONNX file, or not a whole one (${messageOf(cause)})`, cause);
  }
  const { graph } = model;
  return graph ? { ...model, graph } : refuse('it is no ONNX file: there is no graph in it');
}

function toNode({ opType: op, input, output, attribute, domain }: RawNode): OnnxNode {
  const attributes = Object.fromEntries(attribute.map((one) => [one.name, toAttribute(one, op)]));
  return { op, inputs: input, outputs: output, attributes, ...(domain !== '' && { domain }) };
}

// `type` holds AttributeProto.AttributeType, as in `onnx-model.ts`.
function toAttribute({ type, ...value }: RawAttribute, op: string): OnnxAttribute {
  if (type === 1) return { float: value.f };
  if (type === 2) return { int: value.i };
  if (type === 3) return { string: new TextDecoder().decode(value.s) };
  if (type === 4) return { tensor: toTensor(value.t) };
  if (type === 6) return { floats: value.floats };
  if (type === 7) return { ints: value.ints };
  return refuse(`its ${op} has the attribute "${value.name}" of a kind (${type}) that is not read`);
}

function toValue({ name, type }: RawValue): OnnxValue {
  if (!type?.tensorType) return refuse(`"${name}" is no tensor`);
  const { elemType, shape } = type.tensorType;
  const dims = shape?.dim.map(({ dimValue, dimParam }) => (dimValue > 0 ? dimValue : dimParam)) ?? null;
  return { name, type: elementOf(elemType, name), dims };
}

function elementOf(number: number, name: string): ElementType {
  const found = Object.entries(ELEMENT_TYPES).find(([, known]) => known === number);
  return found
    ? (found[0] as ElementType)
    : refuse(
        `"${name}" has the element type ${number}, ${Object.keys(ELEMENT_TYPES).join(', ')} are read here`,
      );
}

function toTensor(tensor: RawTensor): OnnxTensor {
  const { name, dims, dataType, dataLocation } = tensor;
  if (dataLocation === 1) refuse(`it keeps the numbers of "${name}" in another file`);
  return { name, dims, data: dataOf(tensor, elementOf(dataType, name)) };
}

/** ONNX keeps numbers as raw bytes, or in a list by type. */
function dataOf({ name, rawData, floatData, int32Data, int64Data }: RawTensor, type: ElementType): OnnxData {
  const raw = rawData.length > 0 ? Uint8Array.from(rawData).buffer : null; // a copy: aligned, and of no larger buffer
  if (type === 'float32') return raw ? new Float32Array(raw) : Float32Array.from(floatData);
  if (type === 'int64') return raw ? new BigInt64Array(raw) : BigInt64Array.from(int64Data, BigInt);
  if (type === 'int32') return raw ? new Int32Array(raw) : Int32Array.from(int32Data);
  if (type === 'int8') return raw ? new Int8Array(raw) : Int8Array.from(int32Data);
  if (type === 'uint8') return raw ? new Uint8Array(raw) : Uint8Array.from(int32Data);
  return refuse(`the constant "${name}" is of the type ${type}, which is not read`);
}
