import { LookalikeError } from '../core/errors.js';
import { type ActivationScale, quantiseWeights } from '../core/quantisation.js';
import type { OnnxGraph, OnnxNode, OnnxTensor } from './onnx-model.js';

/**
 * Rewrites a float32 graph so that its convolutions run on integers. The QDQ form: tensors go through QuantizeLinear and
 * DequantizeLinear, and onnxruntime fuses DQ -> Conv -> Relu -> Q to one operator on 8-bit numbers. What is not a
 * convolution, a sum of two quantised tensors or a pooling between them stays float32: the last layers are the smallest
 * and decide about every number of the vector.
 */
export interface QuantisationPlan {
  convs: ReadonlySet<OnnxNode>;
  /** The tensors to be quantised, in the order they are made; those with the same key share one scale. */
  tensors: ReadonlyMap<string, string>;
}

const OLDEST_OPSET = 13; // scales by channel came with it

/** What is to be quantised. Throws `model_invalid` when the graph is quantised already or has nothing to quantise. */
export function planQuantisation(graph: OnnxGraph): QuantisationPlan {
  if (graph.nodes.some(({ op }) => /Quantize|QLinear|Integer$/.test(op))) refuse('it is quantised already');
  if ((graph.opset ?? 17) < OLDEST_OPSET)
    refuse(`it is of the ONNX opset ${graph.opset}, ${OLDEST_OPSET} or later is needed: export it anew`);
  const links = linksOf(graph);
  const isInner = (node: OnnxNode) => !links.outputs.has(endOf(node, links));
  const convs = new Set(graph.nodes.filter((node) => isPlainConv(node, links) && isInner(node)));
  if (convs.size === 0) refuse('it has no convolution with fixed float32 weights');

  const tensors = new Map<string, string>();
  for (const conv of convs) for (const name of [conv.inputs[0]!, endOf(conv, links)]) tensors.set(name, name);
  for (const node of graph.nodes) {
    if (!node.inputs.every((name) => tensors.has(name))) continue;
    const end = endOf(node, links);
    if (node.op === 'Add' && isInner(node)) tensors.set(end, end);
    // The largest of some integers is one of them: the pooling keeps the scale.
    if (node.op === 'MaxPool' && node.outputs.length === 1 && isInner(node))
      tensors.set(node.outputs[0]!, tensors.get(node.inputs[0]!)!);
  }
  return { convs, tensors };
}

function refuse(why: string): never {
  throw new LookalikeError('model_invalid', why);
}

interface Links {
  constants: Map<string, OnnxTensor>;
  readers: Map<string, OnnxNode[]>;
  outputs: Set<string>;
}

function linksOf(graph: OnnxGraph): Links {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes)
    for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  const constants = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  return { constants, readers, outputs: new Set(graph.outputs.map(({ name }) => name)) };
}

function isPlainConv({ op, inputs, domain }: OnnxNode, { constants }: Links): boolean {
  const [x, weights, bias = ''] = inputs;
  const isFloat = (name: string) => constants.get(name)?.data instanceof Float32Array;
  return (
    op === 'Conv' && !domain && !constants.has(x!) && isFloat(weights!) && (bias === '' || isFloat(bias))
  );
}

/** Where the result of a node is quantised: behind the ReLU that alone reads it. */
function endOf({ outputs: [made] }: OnnxNode, { readers, outputs }: Links): string {
  const [reader, second] = readers.get(made!) ?? [];
  const relu = reader && !second && reader.op === 'Relu' && !outputs.has(made!);
  return relu ? reader.outputs[0]! : made!;
}

/** The graph with `plan` carried out. `scales` has one entry for each value of `plan.tensors`. */
export function quantiseGraph(
  graph: OnnxGraph,
  plan: QuantisationPlan,
  scales: ReadonlyMap<string, ActivationScale>,
): OnnxGraph {
  const writer = new QdqWriter(plan, scales);
  const constants = new Map(graph.initializers.map((tensor) => [tensor.name, tensor]));
  for (const { name } of graph.inputs) writer.quantise(name);
  for (const node of graph.nodes) {
    const [x, weights, bias = ''] = node.inputs;
    const inputs = plan.convs.has(node)
      ? [writer.read(x!), ...writer.integers(x!, constants.get(weights!)!, constants.get(bias))]
      : node.inputs.map((name) => writer.read(name));
    writer.nodes.push({ ...node, inputs });
    for (const name of node.outputs) writer.quantise(name);
  }
  const { nodes, initializers } = writer;
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  return {
    ...graph,
    nodes,
    initializers: [...graph.initializers, ...initializers].filter(({ name }) => used.has(name)),
  };
}

const BY_CHANNEL = { axis: { int: 0 } } as const;
/** A bias is an int32; this leaves room for the sum that it is added to. */
const BIAS_LIMIT = 2 ** 30;

/** Nodes and constants of the rewritten graph as they come. */
class QdqWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #scaleInputs = new Map<string, string[]>();
  #count = 0;

  constructor(
    readonly plan: QuantisationPlan,
    readonly scales: ReadonlyMap<string, ActivationScale>,
  ) {}

  /** Adds the integers of a tensor that was just made, when it is one of the plan. */
  quantise(name: string): void {
    if (!this.plan.tensors.has(name)) return;
    const inputs = [name, ...this.#scaleOf(name)];
    this.nodes.push({ op: 'QuantizeLinear', inputs, outputs: [`${name}.u8`] });
  }

  /** What a node reads instead of `name`: one DequantizeLinear a reader, since onnxruntime fuses such a pair. */
  read(name: string): string {
    return this.plan.tensors.has(name) ? this.#dequantise([`${name}.u8`, ...this.#scaleOf(name)]) : name;
  }

  /** Weights and bias of a convolution of `x` as integers: the inputs that it reads instead. */
  integers(x: string, weights: OnnxTensor, bias: OnnxTensor | undefined): string[] {
    const [channels = 1] = weights.dims;
    const { scale } = this.scales.get(this.plan.tensors.get(x)!)!;
    const shift = bias?.data as Float32Array | undefined; // the plan takes no other
    const least = (c: number) => Math.abs(shift?.[c] ?? 0) / (scale * BIAS_LIMIT);
    const { values, scales } = quantiseWeights(weights.data as Float32Array, channels, least);
    const w = this.#dequantise(
      [
        this.#constant('weights', weights.dims, values),
        this.#constant('weights.scale', [channels], scales),
        this.#constant('weights.zero', [channels], new Int8Array(channels)),
      ],
      BY_CHANNEL,
    );
    if (!shift) return [w];
    const steps = scales.map((one) => one * scale);
    const levels = Int32Array.from(shift, (value, c) => Math.round(value / steps[c]!));
    const parts = [
      this.#constant('bias', [channels], levels),
      this.#constant('bias.scale', [channels], steps),
    ];
    return [w, this.#dequantise(parts, BY_CHANNEL)];
  }

  #scaleOf(name: string): string[] {
    const key = this.plan.tensors.get(name)!;
    const known = this.#scaleInputs.get(key);
    if (known) return known;
    const { scale, zeroPoint } = this.scales.get(key)!;
    const made = [
      this.#constant('scale', [], Float32Array.of(scale)),
      this.#constant('zero', [], Uint8Array.of(zeroPoint)),
    ];
    this.#scaleInputs.set(key, made);
    return made;
  }

  #dequantise(inputs: string[], attributes: OnnxNode['attributes'] = {}): string {
    const output = this.#name('float');
    this.nodes.push({ op: 'DequantizeLinear', inputs, outputs: [output], attributes });
    return output;
  }

  #constant(kind: string, dims: readonly number[], data: OnnxTensor['data']): string {
    const name = this.#name(kind);
    this.initializers.push({ name, dims, data });
    return name;
  }

  #name = (kind: string) => `qdq.${kind}.${this.#count++}`;
}
