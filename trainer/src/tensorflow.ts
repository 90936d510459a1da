/** The one place that loads TensorFlow.js; `tensorflow-path.ts` says which engine it runs on and where that lies. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { type EngineName, findEngine, type Installed, notInstalled } from './tensorflow-path.js';
import { openWebgpu } from './webgpu.js';

export type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D, Variable } from '@tensorflow/tfjs-core';

export type Tf = typeof import('@tensorflow/tfjs-core');

/** What computes in this process. */
export interface Engine {
  name: EngineName;
  native: boolean; // tensors live in a TensorFlow library: its own operations can be called, and reads need no waiting
  library: string; // e.g. TensorFlow 2.21.0
  device: string; // CPU, GPU, or the name of the WebGPU adapter
  onGpu: boolean; // a real one: false for the GPU build without a GPU, and for an adapter that is software
}

interface Loaded {
  tf: Tf;
  engine: Engine;
}

async function load(): Promise<Loaded> {
  const installed = findEngine();
  if (installed === null) throw notInstalled();
  return installed.place.engine === 'webgpu' ? openWebgpu(installed) : openNative(installed);
}

/** tfjs-node's backend, as far as it says what it runs on. */
interface NativeBackend {
  binding: { TF_Version: string };
  isUsingGpuDevice: boolean;
}

function openNative({ place, require, path }: Installed): Loaded {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // no start-up notes about CPU features
  // TensorFlow asks oneDNN by itself only where it finds AVX-512; with AVX2 alone a step then takes twice the time.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'; // otherwise it takes nearly all of the GPU's memory at once
  const tf = require(path) as Tf;
  const { binding, isUsingGpuDevice: onGpu } = tf.backend() as unknown as NativeBackend;
  const library = `TensorFlow ${binding.TF_Version}`;
  return { tf, engine: { name: place.engine, native: true, library, device: onGpu ? 'GPU' : 'CPU', onGpu } };
}

const loaded = await load();

/** Loaded on import: only modules that compute with tensors may import this value. */
export const tf: Tf = loaded.tf;
export const engine: Engine = loaded.engine;

/** The values of a float32 tensor that is needed for nothing else: it is disposed. Works on every engine. */
export async function take(tensor: Tensor): Promise<Float32Array> {
  const values = await tensor.data<'float32'>();
  tensor.dispose();
  return values;
}

/** Fetches values, so that `dataSync` has them: WebGPU cannot read what is on the GPU without waiting. */
export async function fetchValues(tensors: Iterable<Tensor>): Promise<void> {
  if (engine.native) return;
  for (const tensor of tensors) await tensor.data();
}
