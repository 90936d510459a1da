/**
 * A residual network and its computation: pictures to features (the backbone), features to unit vectors (the
 * head). Convolutional up to the mean, so it runs at other input sizes (multiples of the whole stride keep the
 * padding even).
 */
import {
  type Architecture,
  type ConvLayer,
  convLayers,
  describeNetwork,
  type NetworkOptions,
} from './architecture.js';
import { batchNorm, frozenNorm, relu } from './ops.js';
import { drawFor, uniform } from './random.js';
import { type Tensor1D, type Tensor2D, type Tensor4D, tf, type Variable } from './tensorflow.js';

export { type NetworkOptions, wholeStride } from './architecture.js';

/** Keeps the length of a zero vector from dividing by zero; the same in the exported graph. */
export const LENGTH_EPSILON = 1e-12;
/** Share of a batch in the running statistics of batch normalisation. */
const STATISTICS_SHARE = 0.1;

/**
 * Which statistics batch normalisation uses: false: the running ones; true: the batch's, and the running ones
 * move towards them; 'batch': the batch's, and the running ones stay.
 */
export type Training = boolean | 'batch';

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

/** The same values in variables of its own, none of them trainable: e.g. a momentum encoder. */
export function copyNetwork({ options, architecture, trained, statistics }: Network): Network {
  const copied = (variables: ReadonlyMap<string, Variable>) =>
    new Map([...variables].map(([name, variable]) => [name, tf.variable(variable, false)]));
  return { options, architecture, trained: copied(trained), statistics: copied(statistics) };
}

/** Gives `to` the weights and statistics of `from`; both must have the same architecture. */
export function copyValues(from: Network, to: Network): void {
  for (const group of ['trained', 'statistics'] as const)
    for (const [name, variable] of to[group]) variable.assign(from[group].get(name)!);
}

/** Pictures to unit vectors: n x h x w x 3 to n x dimension. `training` as in `backbone`. */
export function embed(network: Network, images: Tensor4D, training: Training): Tensor2D {
  return normalise(project(network, backbone(network, images, training)));
}

/**
 * Pictures to features: n x h x w x 3 to n x channels, the mean over the last stage. While training, batch
 * normalisation uses the batch and its running statistics move towards it; otherwise it uses the running statistics.
 */
export function backbone(network: Network, images: Tensor4D, training: Training): Tensor2D {
  const { stem, pool, blocks } = network.architecture;
  const layer = (x: Tensor4D, conv: ConvLayer) => convolve(network, x, conv, training);
  let x = relu(layer(images, stem));
  if (pool) x = tf.maxPool(x, 3, 2, 'same');
  for (const { convs, shortcut } of blocks) {
    const branch = convs.reduce((y, conv, i) => layer(i === 0 ? y : relu(y), conv), x);
    x = relu(tf.add(branch, shortcut ? layer(x, shortcut) : x));
  }
  return tf.mean(x, [1, 2]);
}

/** The head: features (n x channels) to n x dimension, not yet of unit length. */
export function project(network: Network, features: Tensor2D): Tensor2D {
  return network.architecture.head.reduce((x, { name }, i) => {
    const y = tf.matMul(i === 0 ? x : relu(x), weight<Tensor2D>(network, `${name}.weights`));
    return tf.add(y, weight<Tensor1D>(network, `${name}.bias`));
  }, features);
}

/** Rows (n x d) to unit length; a row of zeros stays zeros. */
export function normalise(x: Tensor2D): Tensor2D {
  return tf.div(x, tf.sqrt(tf.add(tf.sum(tf.square(x), 1, true), LENGTH_EPSILON)));
}

function convolve(network: Network, x: Tensor4D, { name, stride }: ConvLayer, training: Training): Tensor4D {
  const y = tf.conv2d(x, weight(network, `${name}.kernel`), stride, 'same');
  const gamma = weight<Tensor1D>(network, `${name}.gamma`);
  const beta = weight<Tensor1D>(network, `${name}.beta`);
  const mean = network.statistics.get(`${name}.mean`)!;
  const variance = network.statistics.get(`${name}.variance`)!;
  if (!training)
    return frozenNorm(y, [gamma, beta, mean as unknown as Tensor1D, variance as unknown as Tensor1D]);
  return batchNorm(y, { gamma, beta }, (batchMean, batchVariance) => {
    if (training === 'batch') return;
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
