/** The same operations from what every TensorFlow.js backend has: for engines without native ones, e.g. WebGPU. */
import { NORM_EPSILON, type Ops } from './ops-contract.js';
import { type Tensor, type Tensor1D, type Tensor2D, type Tensor4D, tf } from './tensorflow.js';

/** tfjs types the function of customGrad by single tensors only. */
type CustomGrad = Parameters<typeof tf.customGrad>[0];

const batchNorm: Ops['batchNorm'] = (x, { gamma, beta }, seen) => {
  const [n, height, width] = x.shape;
  const mean = tf.mean(x, [0, 1, 2]);
  const centred = tf.sub(x, mean);
  const variance = tf.mean(tf.square(centred), [0, 1, 2]);
  const count = n * height * width;
  seen(mean as Tensor1D, tf.mul(variance, count / Math.max(1, count - 1)) as Tensor1D);
  const scale = tf.mul(tf.rsqrt(tf.add(variance, NORM_EPSILON)), gamma);
  return tf.add(tf.mul(centred, scale), beta) as Tensor4D;
};

const frozenNorm: Ops['frozenNorm'] = (x, [gamma, beta, mean, variance]) =>
  tf.batchNorm(x, mean!, variance!, beta!, gamma!, NORM_EPSILON) as Tensor4D;

/** The gradient by hand: stock autodiff would keep four more matrices of the size of the scores. */
const forwardCrossEntropy = (logits: Tensor, labels: Tensor, save: (tensors: Tensor[]) => void) => {
  const right = tf.oneHot(tf.cast(labels, 'int32'), logits.shape[1]!, 1, 0, 'float32');
  const logOfSum = tf.logSumExp(logits, 1);
  save([logits, logOfSum, right]);
  const gradFunc = (dy: Tensor, [logits, logOfSum, right]: Tensor[]) => {
    const softmax = tf.exp(tf.sub(logits!, tf.expandDims(logOfSum!, 1)));
    const slope = tf.mul(tf.sub(softmax, right!), tf.expandDims(dy, 1));
    return [slope, tf.zeros([logits!.shape[0]!], 'int32')];
  };
  return { value: tf.sub(logOfSum, tf.sum(tf.mul(logits, right), 1)), gradFunc };
};

const crossEntropy = tf.customGrad(
  forwardCrossEntropy as unknown as CustomGrad,
) as unknown as Ops['crossEntropy'];

const replaceRows: Ops['replaceRows'] = (target, rows, values) =>
  tf.tensorScatterUpdate(target, tf.expandDims(rows, 1), values) as Tensor2D;

export const ops: Ops = { batchNorm, frozenNorm, relu: tf.relu, crossEntropy, replaceRows };
