/**
 * An embedding from the backbone's features that is learned from pictures without labels: their main directions
 * (PCA), the wider ones shrunk so that no few of them decide every comparison (whitening; Jegou and Chum 2012).
 */
import { LookalikeError } from '../../dist/offline.js';
import { backboneChannels } from './architecture.js';
import { symmetricEigen } from './eigen.js';
import type { Network } from './network.js';
import { tf, type Variable } from './tensorflow.js';

/** Directions of less variance than this share of the largest are noise: they are not stretched any further. */
const LEAST_VARIANCE = 1e-6;
const ROWS_AT_ONCE = 64; // stay in the processor's cache while the covariance is summed up

/** features * weights + bias, as a dense layer has them. */
export interface Whitening {
  weights: Float32Array; // channels x dimension
  bias: Float32Array; // dimension
}

export interface WhiteningOptions {
  count: number; // pictures
  dimension: number; // at most the number of channels
  power: number; // 0: PCA; 1: every direction gets variance 1; between: less of it
}

/**
 * Learns from features (count x channels): centred, projected onto the `dimension` eigenvectors of the covariance
 * with the largest eigenvalues, each scaled by eigenvalue ^ (-power / 2). Throws `invalid_setting` for a dimension
 * or power out of range and `invalid_vector` for features that are not finite or all the same.
 */
export function whitening(features: Float32Array, { count, dimension, power }: WhiteningOptions): Whitening {
  const channels = features.length / count;
  checkOptions({ dimension, power }, channels);
  const mean = meanOf(features, channels);
  const { values, vectors } = symmetricEigen(covarianceOf(features, mean), channels);
  const largest = values[0]!;
  if (!(largest > 0))
    throw new LookalikeError('invalid_vector', `the features of all ${count} pictures are the same`);
  const weights = new Float32Array(channels * dimension);
  const bias = new Float32Array(dimension);
  for (let k = 0; k < dimension; k++) {
    const scale = Math.max(values[k]!, largest * LEAST_VARIANCE) ** (-power / 2);
    let offset = 0;
    for (let c = 0; c < channels; c++) {
      const weight = vectors[k * channels + c]! * scale;
      weights[c * dimension + k] = weight;
      offset -= weight * mean[c]!;
    }
    bias[k] = offset;
  }
  return { weights, bias };
}

function checkOptions({ dimension, power }: Omit<WhiteningOptions, 'count'>, channels: number): void {
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > channels)
    throw new LookalikeError(
      'invalid_setting',
      `dimension is ${dimension}, 1 to ${channels} are allowed: a whitening cannot give more numbers than the ` +
        `backbone's ${channels} channels`,
      { field: 'dimension' },
    );
  if (!(power >= 0 && power <= 1))
    throw new LookalikeError('invalid_setting', `power is ${power}, a number from 0 to 1 is allowed`, {
      field: 'power',
    });
}

/** The mean of all rows; throws when it is not finite, so that no NaN reaches the eigenvectors. */
function meanOf(features: Float32Array, channels: number): Float64Array {
  const mean = new Float64Array(channels);
  for (let i = 0; i < features.length; i++) mean[i % channels] = mean[i % channels]! + features[i]!;
  if (!mean.every(Number.isFinite)) throw new LookalikeError('invalid_vector', 'a feature is not finite');
  const count = features.length / channels;
  return mean.map((sum) => sum / count);
}

/** channels x channels: the mean of (x - mean)(x - mean)' over all rows x. */
function covarianceOf(features: Float32Array, mean: Float64Array): Float64Array {
  const channels = mean.length;
  const count = features.length / channels;
  const sums = new Float64Array(channels * channels);
  for (let from = 0; from < count; from += ROWS_AT_ONCE) {
    const part = features.subarray(from * channels, (from + ROWS_AT_ONCE) * channels);
    addProducts(
      sums,
      Float64Array.from(part, (value, i) => value - mean[i % channels]!),
      channels,
    );
  }
  const covariance = new Float64Array(channels * channels);
  for (let i = 0; i < channels; i++)
    for (let j = i; j < channels; j++)
      covariance[i * channels + j] = covariance[j * channels + i] = sums[i * channels + j]! / count;
  return covariance;
}

/** Adds x x' of every row x to the upper triangle of `sums`. */
function addProducts(sums: Float64Array, rows: Float64Array, channels: number): void {
  for (let i = 0; i < channels; i++) {
    const at = i * channels;
    for (let row = 0; row < rows.length; row += channels) {
      const factor = rows[row + i]!;
      for (let j = i; j < channels; j++) sums[at + j] = sums[at + j]! + factor * rows[row + j]!;
    }
  }
}

/**
 * A network whose head is this one dense layer, `head.whitening`. It shares the backbone's variables with the
 * given one, so it follows further training of that. To embed and to export, not to train or to save.
 */
export function withWhitening(network: Network, { weights, bias }: Whitening): Network {
  const inputs = backboneChannels(network.architecture);
  const layer = { name: 'head.whitening', inputs, outputs: bias.length };
  const trained = new Map([...network.trained].filter(([name]) => !name.startsWith('head.')));
  const add = (name: string, values: Float32Array, shape: number[]) => {
    const variable: Variable = tf.tidy(() => tf.variable(tf.tensor(values, shape), false));
    trained.set(`${layer.name}.${name}`, variable);
  };
  add('weights', weights, [inputs, bias.length]);
  add('bias', bias, [bias.length]);
  return {
    options: { ...network.options, head: 'linear', dimension: bias.length },
    architecture: { ...network.architecture, head: [layer] },
    trained,
    statistics: network.statistics,
  };
}
