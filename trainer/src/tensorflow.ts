/** The one place that loads TensorFlow.js with its native library; `tensorflow-path.ts` says where it lies. */
import { createRequire } from 'node:module';
import { findTensorflow } from './tensorflow-path.js';

export type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs-core';

type Tf = typeof import('@tensorflow/tfjs-core');

function load(): Tf {
  const path = findTensorflow();
  if (path === null) throw new Error('TensorFlow is not installed: run npm run trainer:setup');
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // no start-up notes about CPU features
  return createRequire(import.meta.url)(path) as Tf;
}

/** Loaded on import: only modules that compute with tensors may import this value. */
export const tf: Tf = load();
