/**
 * ResNet-18 (He et al. 2015) at any width, with the stem that fits the input, then a head to unit vectors.
 * Convolutional up to the mean pool, so it runs at other input sizes (multiples of 16 keep the padding even).
 */
import { LookalikeError } from '../../dist/offline.js';
import { batchNorm, frozenNorm, relu } from './ops.js';
import { drawFor, uniform } from './random.js';
import { type Tensor1D, type Tensor2D, type Tensor4D, tf, type Variable } from './tensorflow.js';

/** Keeps the length of a zero vector from dividing by zero; the same in the exported graph. */
export const LENGTH_EPSILON = 1e-12;
/** Share of a batch in the running statistics of batch normalisation. */
const STATISTICS_SHARE = 0.1;

export interface NetworkOptions {
  width: number; // factor of 64, 128, 256, 512 channels
  size: number; // side of the training views: decides the stem
  head: 'linear' | 'mlp';
  dimension: number;
  seed: number;
}

/** A convolution and the batch normalisation after it. Names are those of the weights. */
export interface ConvLayer {
  name: string;
  kernel: number;
  stride: number;
  inputs: number;
  outputs: number;
}

export interface Block {
  first: ConvLayer;
  second: ConvLayer;
  shortcut: ConvLayer | null;
}

/** What the network consists of; `export.ts` walks the same description. */
export interface Architecture {
  stem: ConvLayer;
  pool: boolean; // 3x3 max pool of stride 2 after the stem
  blocks: Block[];
  head: { name: string; inputs: number; outputs: number }[]; // dense layers, relu between them
}

/** 32 px: 3x3; 64 to 128 px: 5x5 of stride 2; larger: 7x7 of stride 2 and a max pool. */
export function describeNetwork({ width, size, head, dimension }: NetworkOptions): Architecture {
  const channels = [64, 128, 256, 512].map((full) => Math.max(8, Math.round((full * width) / 8) * 8));
  const [kernel, stride] = size < 64 ? [3, 1] : size <= 128 ? [5, 2] : [7, 2];
  const stem = { name: 'stem', kernel, stride, inputs: 3, outputs: channels[0]! };
  const blocks: Block[] = [];
  let inputs = stem.outputs;
  channels.forEach((outputs, stage) => {
    for (let i = 0; i < 2; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const name = `stage${stage + 1}.${i + 1}`;
      blocks.push({
        first: { name: `${name}.first`, kernel: 3, stride, inputs, outputs },
        second: { name: `${name}.second`, kernel: 3, stride: 1, inputs: outputs, outputs },
        shortcut:
          stride === 1 && inputs === outputs
            ? null
            : { name: `${name}.shortcut`, kernel: 1, stride, inputs, outputs },
      });
      inputs = outputs;
    }
  });
  const last = { name: 'head.last', inputs, outputs: dimension };
  const dense = head === 'mlp' ? [{ name: 'head.hidden', inputs, outputs: inputs }, last] : [last];
  const architecture = { stem, pool: size > 128, blocks, head: dense };
  const whole = wholeStride(architecture);
  if (size % whole === 0) return architecture;
  throw new LookalikeError('invalid_setting', `size is ${size}, multiples of ${whole} are allowed here`);
}

/** How many input pixels make one pixel before the mean pool. */
export function wholeStride({ stem, pool, blocks }: Architecture): number {
  return blocks.reduce((product, { first }) => product * first.stride, stem.stride * (pool ? 2 : 1));
}

/** Every convolution of the network. */
export function convLayers({ stem, blocks }: Architecture): ConvLayer[] {
  return [
    stem,
    ...blocks.flatMap(({ first, second, shortcut }) => [first, second, ...(shortcut ? [shortcut] : [])]),
  ];
}

/** Weights by name; `trained` ones get gradients, the rest are running statistics. */
export interface Network {
  options: NetworkOptions;
  architecture: Architecture;
  trained: Map<string, Variable>;
  statistics: Map<string, Variable>;
}

/**
 * A new network: weights uniform within 1 / sqrt(fan-in) by the seed, batch normalisation at identity. Under batch
 * normalisation the scale of a kernel changes no output, only how far a step turns it: these small kernels (six
 * times smaller in variance than He's) learn faster at the same rate.
 */
export function createNetwork(options: NetworkOptions): Network {
  const architecture = describeNetwork(options);
  const network: Network = { options, architecture, trained: new Map(), statistics: new Map() };
  const add = (name: string, values: Float32Array, shape: number[], trained = true) => {
    const variable = tf.tidy(() => tf.variable(tf.tensor(values, shape), trained));
    (trained ? network.trained : network.statistics).set(name, variable);
  };
  let count = 0;
  const randomWeights = (length: number, fanIn: number) => {
    const draw = drawFor(options.seed, -1, count++);
    const limit = 1 / Math.sqrt(fanIn);
    return Float32Array.from({ length }, () => uniform(draw, -limit, limit));
  };
  for (const { name, kernel, inputs, outputs } of convLayers(architecture)) {
    const shape = [kernel, kernel, inputs, outputs];
    const fanIn = kernel * kernel * inputs;
    add(`${name}.kernel`, randomWeights(fanIn * outputs, fanIn), shape);
    add(`${name}.gamma`, new Float32Array(outputs).fill(1), [outputs]);
    add(`${name}.beta`, new Float32Array(outputs), [outputs]);
    add(`${name}.mean`, new Float32Array(outputs), [outputs], false);
    add(`${name}.variance`, new Float32Array(outputs).fill(1), [outputs], false);
  }
  for (const { name, inputs, outputs } of architecture.head) {
    add(`${name}.weights`, randomWeights(inputs * outputs, inputs), [inputs, outputs]);
    add(`${name}.bias`, new Float32Array(outputs), [outputs]);
  }
  return network;
}

/**
 * Pictures to unit vectors: n x h x w x 3 to n x dimension. While training, batch normalisation uses the batch
 * and its running statistics move towards it; otherwise it uses the running statistics.
 */
export function embed(network: Network, images: Tensor4D, training: boolean): Tensor2D {
  const { stem, pool, blocks, head } = network.architecture;
  const layer = (x: Tensor4D, conv: ConvLayer) => convolve(network, x, conv, training);
  let x = relu(layer(images, stem));
  if (pool) x = tf.maxPool(x, 3, 2, 'same');
  for (const { first, second, shortcut } of blocks) {
    const branch = layer(relu(layer(x, first)), second);
    x = relu(tf.add(branch, shortcut ? layer(x, shortcut) : x));
  }
  let features: Tensor2D = tf.mean(x, [1, 2]);
  head.forEach(({ name }, i) => {
    features = tf.add(
      tf.matMul(features, weight(network, `${name}.weights`)),
      weight(network, `${name}.bias`),
    );
    if (i < head.length - 1) features = relu(features);
  });
  const length = tf.sqrt(tf.add(tf.sum(tf.square(features), 1, true), LENGTH_EPSILON));
  return tf.div(features, length);
}

function convolve(network: Network, x: Tensor4D, { name, stride }: ConvLayer, training: boolean): Tensor4D {
  const y = tf.conv2d(x, weight(network, `${name}.kernel`), stride, 'same');
  const gamma = weight<Tensor1D>(network, `${name}.gamma`);
  const beta = weight<Tensor1D>(network, `${name}.beta`);
  const mean = network.statistics.get(`${name}.mean`)!;
  const variance = network.statistics.get(`${name}.variance`)!;
  if (!training)
    return frozenNorm(y, [gamma, beta, mean as unknown as Tensor1D, variance as unknown as Tensor1D]);
  return batchNorm(y, { gamma, beta }, (batchMean, batchVariance) => {
    follow(mean, batchMean);
    follow(variance, batchVariance);
  });
}

function follow(running: Variable, batch: Tensor1D): void {
  running.assign(tf.add(tf.mul(running, 1 - STATISTICS_SHARE), tf.mul(batch, STATISTICS_SHARE)));
}

function weight<T>(network: Network, name: string): T {
  return network.trained.get(name)! as unknown as T;
}
