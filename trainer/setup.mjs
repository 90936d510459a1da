#!/usr/bin/env node
/**
 * `npm run trainer:setup`: puts TensorFlow.js on a native TensorFlow into a folder of the trainer.
 *
 *   npm run trainer:setup                      for the CPU, into trainer/native
 *   npm run trainer:setup -- --gpu             for NVIDIA GPUs, with CUDA, into trainer/native-gpu
 *   npm run trainer:setup -- --gpu --no-cuda   the same where CUDA 12 and cuDNN 9 are installed already
 *   npm run trainer:setup -- --webgpu          for other GPUs, into trainer/native-webgpu
 *
 * The published tfjs-node downloads a TensorFlow of 2022 from a host of its own. Its source builds unpatched
 * against the library inside the current PyPI wheel, so this script needs npm, PyPI and a C++ compiler only.
 * It may run any number of times: what is there and works is left alone.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildBinding } from './setup/binding.mjs';
import { downloadCuda, missingCuda } from './setup/cuda.mjs';
import { downloadLibrary, linkLibrary } from './setup/library.mjs';
import { installPackages } from './setup/packages.mjs';
import { needTools, SetupError, say } from './setup/run.mjs';
import { trainingStep } from './setup/training-step.mjs';

const VERSION = '4.22.0';
const NODE_GYP = ['node-gyp', '10.3.1'];
const TARGETS = {
  cpu: {
    folder: 'native',
    name: '@tensorflow/tfjs-node',
    wheel: { name: 'tensorflow-cpu', version: '2.21.0', size: '275 MB, 860 MB on disk', gigabytes: 1.5 },
  },
  gpu: {
    folder: 'native-gpu',
    name: '@tensorflow/tfjs-node-gpu',
    wheel: { name: 'tensorflow', version: '2.21.0', size: '572 MB, 1.3 GB on disk', gigabytes: 2.5 },
  },
};
const WEBGPU = [
  ['@tensorflow/tfjs', VERSION],
  ['@tensorflow/tfjs-backend-webgpu', VERSION],
  ['webgpu', '0.6.2'],
];

const here = dirname(fileURLToPath(import.meta.url));

/** The result of a training step with the package that is resolved from `place`; null when there is none. */
function tryEngine(place, name) {
  const from = join(place, 'package.json');
  if (!existsSync(from)) return null;
  try {
    createRequire(from).resolve(name);
  } catch {
    return null;
  }
  return trainingStep(from, name);
}

const inWords = ({ version, device, first, last }) =>
  `${version} on ${device}, training step loss ${first.toFixed(4)} -> ${last.toFixed(4)}`;

function setUpNative({ folder, name, wheel }, cuda) {
  const native = join(here, folder);
  const vendor = join(native, 'vendor');
  const binding = join(native, 'node_modules', name);
  // An official installation with a working library wins over a build of our own.
  const official = tryEngine(here, name);
  if (official?.version) return say(`the installed ${name} works (${inWords(official)}): nothing to do`);
  const own = tryEngine(native, name);
  if (own?.version && !(cuda && missingCuda(vendor).length > 0))
    return say(`trainer/${folder} works (${inWords(own)}): nothing to do`);
  needTools([
    ['npm', '--version'],
    ['python3', '-m', 'pip', '--version'],
    ['g++', '--version'],
    ['make', '--version'],
  ]);
  mkdirSync(native, { recursive: true });
  installPackages(native, [[name, VERSION], NODE_GYP], 'about 330 MB');
  downloadLibrary(vendor, wheel);
  if (cuda) downloadCuda(vendor);
  linkLibrary(vendor, binding);
  buildBinding(native, binding);
  finish(folder, tryEngine(native, name));
}

function setUpWebgpu() {
  const folder = 'native-webgpu';
  const native = join(here, folder);
  const there = tryEngine(native, 'webgpu');
  if (there?.version) return say(`trainer/${folder} works (${inWords(there)}): nothing to do`);
  mkdirSync(native, { recursive: true });
  installPackages(native, WEBGPU, 'about 470 MB');
  finish(folder, tryEngine(native, 'webgpu'));
}

function finish(folder, result) {
  if (!result?.version)
    throw new SetupError(`installed, but the training step fails: ${result?.error ?? 'nothing to load'}`);
  say(`done: trainer/${folder}, ${inWords(result)}`);
  if (folder === TARGETS.gpu.folder && result.device === 'CPU')
    say('it finds no GPU and falls back to the CPU; npm run train -- doctor says why');
}

function main() {
  const { values } = parseArgs({
    options: { gpu: { type: 'boolean' }, webgpu: { type: 'boolean' }, 'no-cuda': { type: 'boolean' } },
  });
  if (Number(process.versions.node.split('.')[0]) >= 23)
    throw new SetupError(`tfjs-node 4.22 runs on Node 20 and 22, this is ${process.versions.node}`);
  if (values.webgpu) return setUpWebgpu();
  if (!values.gpu) return setUpNative(TARGETS.cpu, false);
  return setUpNative(TARGETS.gpu, !values['no-cuda']);
}

try {
  main();
} catch (error) {
  const ours = error instanceof SetupError || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(`trainer setup: ${ours ? error.message : error.stack}`);
  process.exitCode = 1;
}
