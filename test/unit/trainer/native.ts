import { findTensorflow } from '../../../trainer/src/tensorflow-path.js';

/** Whether tests that compute with tensors can run here; they say so when not. */
export const nativeReady = findTensorflow() !== null;
if (!nativeReady) console.warn('skipped: TensorFlow is not installed, run npm run trainer:setup');
