/** What tfjs-node's backend and its binding offer beyond the typed API (its `nodejs_kernel_backend.ts`, `tfjs_binding.ts`). */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from './tensorflow.js';

/** A tensor of the binding. Ids count up and are never used twice. */
export interface Metadata {
  id: number;
  shape: number[];
  dtype: number; // TensorFlow's DataType
}

export interface Attribute {
  name: string;
  type: number; // one of the kinds below
  value: unknown;
}

export type Values = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** The kinds of attributes, as the binding numbers them. */
type Kind = 'STRING' | 'INT' | 'FLOAT' | 'BOOL' | 'TYPE' | 'SHAPE';

export interface Binding extends Readonly<Record<`TF_ATTR_${Kind}`, number>> {
  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): Metadata[];
  createTensor(shape: number[], dtype: number, values: Values): number;
  tensorDataSync(id: number): Values;
  deleteTensor(id: number): void;
}

export interface NativeBackend {
  binding: Binding;
  /** The ids, after uploading what is still in JavaScript only. */
  getInputTensorIds(tensors: TensorInfo[]): number[];
  getDTypeInteger(dtype: string): number;
  executeSingleOutput(name: string, attributes: Attribute[], inputs: TensorInfo[]): Tensor;
  loadSavedModelMetaGraph(path: string, tags: string): number;
  runSavedModel(id: number, inputs: Tensor[], names: { name: string }[], outputs: string[]): Tensor[];
  deleteSavedModel(id: number): void;
}

export const backend = tf.backend() as unknown as NativeBackend;
