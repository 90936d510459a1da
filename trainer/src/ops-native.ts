/**
 * Fused TensorFlow kernels that TensorFlow.js does not use by itself: with them a training step takes about
 * half the time. Each is a `tf.customGrad` around the native backend's own "execute this op" call.
 */
import { NORM_EPSILON, type Ops } from './ops-contract.js';
import { type Tensor, type Tensor1D, type Tensor2D, type Tensor4D, tf } from './tensorflow.js';

/** What tfjs-node's backend offers beyond the typed API (its `nodejs_kernel_backend.ts`). */
interface NativeBackend {
  binding: Record<string, number>;
  executeSingleOutput(name: string, attributes: object[], inputs: Tensor[]): Tensor;
  executeMultipleOutputs(name: string, attributes: object[], inputs: Tensor[], outputs: number): Tensor[];
}

const backend = tf.backend() as unknown as NativeBackend;
const { binding } = backend;
const type = (name: string, value = binding.TF_FLOAT) => ({ name, type: binding.TF_ATTR_TYPE, value });
const norm = (training: boolean) => [
  type('T'),
  type('U'),
  { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: NORM_EPSILON },
  { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
  { name: 'is_training', type: binding.TF_ATTR_BOOL, value: training },
];

const TRAINING = norm(true);
const INFERENCE = norm(false);
const NONE = tf.keep(tf.tensor1d([]));

/** tfjs types the function of customGrad by single tensors only. */
type CustomGrad = Parameters<typeof tf.customGrad>[0];

const batchNorm: Ops['batchNorm'] = (x, { gamma, beta }, seen) => {
  const forward = (x: Tensor, gamma: Tensor, beta: Tensor, save: (tensors: Tensor[]) => void) => {
    const inputs = [x, gamma, beta, NONE, NONE];
    const [y, mean, variance, ...reserved] = backend.executeMultipleOutputs(
      'FusedBatchNormV3',
      TRAINING,
      inputs,
      6,
    );
    seen(mean as Tensor1D, variance as Tensor1D);
    save([x, gamma, ...reserved]);
    const gradFunc = (dy: Tensor, [x, gamma, ...reserved]: Tensor[]) =>
      backend
        .executeMultipleOutputs('FusedBatchNormGradV3', TRAINING, [dy, x!, gamma!, ...reserved], 5)
        .slice(0, 3);
    return { value: y!, gradFunc };
  };
  return tf.customGrad(forward as unknown as CustomGrad)(x, gamma, beta) as Tensor4D;
};

const frozenNorm: Ops['frozenNorm'] = (x, parameters) =>
  backend.executeMultipleOutputs('FusedBatchNormV3', INFERENCE, [x, ...parameters], 6)[0] as Tensor4D;

const forwardRelu = (x: Tensor, save: (tensors: Tensor[]) => void) => {
  const y = backend.executeSingleOutput('Relu', [type('T')], [x]);
  save([y]);
  const gradFunc = (dy: Tensor, [y]: Tensor[]) =>
    backend.executeSingleOutput('ReluGrad', [type('T')], [dy, y!]);
  return { value: y, gradFunc };
};

const relu = tf.customGrad(forwardRelu as unknown as CustomGrad) as Ops['relu'];

const forwardCrossEntropy = (logits: Tensor, labels: Tensor, save: (tensors: Tensor[]) => void) => {
  const attributes = [type('T'), type('Tlabels', binding.TF_INT32)];
  const inputs = [logits, labels];
  const [loss, slope] = backend.executeMultipleOutputs(
    'SparseSoftmaxCrossEntropyWithLogits',
    attributes,
    inputs,
    2,
  );
  save([slope!, labels]);
  const gradFunc = (dy: Tensor, [slope, labels]: Tensor[]) => [
    tf.mul(slope!, tf.expandDims(dy, 1)),
    tf.zerosLike(labels!),
  ];
  return { value: loss!, gradFunc };
};

const crossEntropy = tf.customGrad(
  forwardCrossEntropy as unknown as CustomGrad,
) as unknown as Ops['crossEntropy'];

const replaceRows: Ops['replaceRows'] = (target, rows, values) => {
  const attributes = [type('T'), type('Tindices', binding.TF_INT32)];
  const inputs = [target, tf.expandDims(rows, 1), values];
  return backend.executeSingleOutput('TensorScatterUpdate', attributes, inputs) as Tensor2D;
};

export const ops: Ops = { batchNorm, frozenNorm, relu, crossEntropy, replaceRows };
