/**
 * A small training whose loss must fall: proves that a library loads and that its gradients are right.
 * Run as a process of its own, because a library that does not fit can end it:
 *   node training-step.mjs <package.json to resolve from> <package, or webgpu>
 * its last line is {version, device, first, last} or {error}.
 */

import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(import.meta.url);

/** Runs this file; returns what it prints, or {error} with the reason. */
export function trainingStep(from, name) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [here, from, name], {
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', TF_FORCE_GPU_ALLOW_GROWTH: 'true' },
  });
  if (status === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  return { error: `${stderr.trim()}\nthe process ended with ${signal ?? `exit code ${status}`}` };
}

async function openNative(require, name) {
  const tf = require(name);
  const { binding, isUsingGpuDevice } = tf.backend();
  return { tf, version: `TensorFlow ${binding.TF_Version}`, device: isUsingGpuDevice ? 'GPU' : 'CPU' };
}

/** The same way as trainer/src/webgpu.ts, which cannot be used here: it may not be compiled yet. */
async function openWebgpu(require) {
  const { create, globals } = await import(pathToFileURL(require.resolve('webgpu')));
  const tf = require('@tensorflow/tfjs');
  const { WebGPUBackend } = require('@tensorflow/tfjs-backend-webgpu');
  const gpu = create([]);
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('no adapter was found: there is no GPU here, or no Vulkan driver for it');
  const device = await adapter.requestDevice();
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
  tf.setBackend('webgpu');
  const { vendor, architecture, description } = adapter.info;
  return { tf, version: 'WebGPU', device: [vendor, architecture, description].filter(Boolean).join(' ') };
}

async function train(tf) {
  const x = tf.randomNormal([8, 16, 16, 3], 0, 1, 'float32', 1);
  const kernel = tf.variable(tf.randomNormal([3, 3, 3, 4], 0, 1, 'float32', 2));
  const weights = tf.variable(tf.randomNormal([4, 5], 0, 0.3, 'float32', 3));
  const labels = tf.oneHot(tf.tensor1d([0, 1, 2, 3, 4, 0, 1, 2], 'int32'), 5);
  const features = () => tf.mean(tf.relu(tf.conv2d(x, kernel, 1, 'same')), [1, 2]);
  const loss = () => tf.losses.softmaxCrossEntropy(labels, tf.matMul(features(), weights));
  const optimiser = tf.train.momentum(0.05, 0.9);
  const losses = [];
  for (let i = 0; i < 30; i++) losses.push((await optimiser.minimize(loss, true).data())[0]);
  return { first: losses[0], last: losses[29] };
}

async function main([from, name]) {
  const require = createRequire(from);
  const { tf, ...opened } = await (name === 'webgpu' ? openWebgpu(require) : openNative(require, name));
  const losses = await train(tf);
  if (losses.last < losses.first) return { ...opened, ...losses };
  throw new Error(`the loss did not fall: ${losses.first} -> ${losses.last}`);
}

if (process.argv[1] === here) {
  const result = await main(process.argv.slice(2)).catch((error) => ({ error: error.message }));
  console.log(JSON.stringify(result));
  process.exit(0); // an open WebGPU instance would keep the process alive
}
