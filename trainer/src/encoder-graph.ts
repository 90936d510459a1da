/** The trained network as an ONNX graph, batch normalisation folded into the convolutions. */
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../../dist/offline.js';
import type { ConvLayer } from './architecture.js';
import { LENGTH_EPSILON, type Network } from './network.js';
import { NORM_EPSILON } from './ops.js';

export const INPUT = 'image';
export const OUTPUT = 'embedding';

/** A convolution's weights (outputs x inputs x kernel x kernel) and bias, as ONNX wants them. */
export interface FoldedConv {
  weights: Float32Array;
  bias: Float32Array;
}

/**
 * gamma * (conv(x) - mean) / sqrt(variance + epsilon) + beta is a convolution itself: its kernels are scaled
 * by output channel, the rest is a bias. Kernels turn from h x w x in x out to out x in x h x w.
 */
export function foldConv(network: Network, { name, kernel, inputs, outputs }: ConvLayer): FoldedConv {
  const read = (part: string) =>
    (network.trained.get(`${name}.${part}`) ?? network.statistics.get(`${name}.${part}`)!).dataSync();
  const [plain, gamma, beta, mean, variance] = ['kernel', 'gamma', 'beta', 'mean', 'variance'].map(read);
  const scale = Float64Array.from(gamma!, (g, o) => g / Math.sqrt(variance![o]! + NORM_EPSILON));
  const weights = new Float32Array(plain!.length);
  for (let spot = 0; spot < kernel * kernel; spot++)
    for (let i = 0; i < inputs; i++)
      for (let o = 0; o < outputs; o++)
        weights[(o * inputs + i) * kernel * kernel + spot] =
          plain![(spot * inputs + i) * outputs + o]! * scale[o]!;
  const bias = Float32Array.from(beta!, (b, o) => b - mean![o]! * scale[o]!);
  return { weights, bias };
}

/**
 * TensorFlow's "same" padding as fixed numbers: before and after, on both axes. They hold for every input
 * whose side is a multiple of the network's whole stride, so the graph runs at any such size.
 */
export function samePadding(kernel: number, stride: number): number[] {
  const total = Math.max(kernel - stride, 0);
  const before = Math.floor(total / 2);
  return [before, before, total - before, total - before];
}

/** `image` [batch, 3, height, width] to `embedding` [batch, dimension], unit rows; all but 3 free at run time. */
export function encoderGraph(network: Network): OnnxGraph {
  const { architecture, options } = network;
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const node = (op: string, inputs: string[], attributes: OnnxNode['attributes'] = {}) => {
    const output = `${op.toLowerCase()}.${nodes.length}`;
    nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  };
  const constant = (name: string, dims: number[], data: OnnxTensor['data']) => {
    initializers.push({ name, dims, data });
    return name;
  };
  const window = (kernel: number, stride: number) => ({
    kernel_shape: { ints: [kernel, kernel] },
    strides: { ints: [stride, stride] },
    pads: { ints: samePadding(kernel, stride) },
  });
  const conv = (x: string, layer: ConvLayer) => {
    const { name, kernel, stride, inputs, outputs } = layer;
    const { weights, bias } = foldConv(network, layer);
    const w = constant(`${name}.weights`, [outputs, inputs, kernel, kernel], weights);
    return node('Conv', [x, w, constant(`${name}.bias`, [outputs], bias)], window(kernel, stride));
  };
  const relu = (x: string) => node('Relu', [x]);

  let x = relu(conv(INPUT, architecture.stem));
  if (architecture.pool) x = node('MaxPool', [x], window(3, 2));
  for (const { convs, shortcut } of architecture.blocks) {
    const branch = convs.reduce((y, layer, i) => conv(i === 0 ? y : relu(y), layer), x);
    x = relu(node('Add', [branch, shortcut ? conv(x, shortcut) : x]));
  }
  x = node('Flatten', [node('GlobalAveragePool', [x])]);
  architecture.head.forEach(({ name, inputs, outputs }, i) => {
    const read = (part: string) => network.trained.get(`${name}.${part}`)!.dataSync() as Float32Array;
    const w = constant(`${name}.weights`, [inputs, outputs], read('weights'));
    x = node('Gemm', [x, w, constant(`${name}.bias`, [outputs], read('bias'))]);
    if (i < architecture.head.length - 1) x = relu(x);
  });
  const axes = constant('length.axes', [1], BigInt64Array.of(1n));
  const squares = node('ReduceSum', [node('Mul', [x, x]), axes], { keepdims: { int: 1 } });
  const epsilon = constant('length.epsilon', [], Float32Array.of(LENGTH_EPSILON));
  const length = node('Sqrt', [node('Add', [squares, epsilon])]);
  nodes.push({ op: 'Div', inputs: [x, length], outputs: [OUTPUT] });
  return {
    name: 'encoder',
    inputs: [{ name: INPUT, type: 'float32', dims: ['batch', 3, 'height', 'width'] }],
    outputs: [{ name: OUTPUT, type: 'float32', dims: ['batch', options.dimension] }],
    nodes,
    initializers,
  };
}
