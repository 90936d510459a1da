#!/usr/bin/env node
// Checks an exported encoder and its bank with Python's own tools: onnx.checker, onnxruntime, safetensors.
//   node scripts/check-export.mjs [--model model] [--bank index] [--python python3] [--venv folder] [--no-install]
// A Python without the packages is not touched: they go into a virtual environment (about 230 MB, made once).
// One line a check. Exit codes: 0 all hold, 1 one fails, 2 there is no Python with the packages.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEmbedder, messageOf, readModel, toTensor } from '../dist/offline.js';
import { findPython, makePython, NoPythonError } from './python-venv.mjs';

/** Inputs of the comparison: more than one, so that a batch can be compared with single pictures. */
const INPUTS = 5;
const MODULES = ['onnx', 'onnxruntime', 'safetensors', 'numpy'];

const scripts = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: join(scripts, '..', 'model') },
    bank: { type: 'string', default: join(scripts, '..', 'index') },
    python: { type: 'string', default: process.env.LOOKALIKE_PYTHON ?? 'python3' },
    venv: { type: 'string', default: join(tmpdir(), 'lookalike-check-export') },
    'no-install': { type: 'boolean', default: false },
  },
});

/** Waves of another length and direction in each picture and channel. */
function picturesOf({ width, height }) {
  const pixel = (wave, x, y) =>
    Math.sin(wave * ((x / width) * Math.cos(wave) + (y / height) * Math.sin(wave)));
  return Array.from({ length: INPUTS }, (_, i) => {
    const data = new Uint8Array(3 * width * height);
    for (let at = 0; at < data.length; at++) {
      const [channel, place] = [at % 3, Math.floor(at / 3)];
      data[at] = 127.5 + 127.5 * pixel(3 * i + channel + 1, place % width, Math.floor(place / width));
    }
    return { width, height, data };
  });
}

/** Writes inputs and the vectors that the service's own embedder gives them; returns Python's arguments. */
async function writeExpectation(folder) {
  const { manifest } = await readModel(values.model);
  const pictures = picturesOf(manifest.input);
  const files = { inputs: join(folder, 'inputs.f32'), expected: join(folder, 'expected.f32') };
  writeFileSync(files.inputs, toTensor(pictures, manifest.preprocess));
  const embedder = await createEmbedder(values.model);
  try {
    writeFileSync(files.expected, await embedder.embed(pictures));
  } finally {
    await embedder.close();
  }
  return ['--model', values.model, '--bank', values.bank, ...Object.entries(files).flatMap(option)];
}

const option = ([name, value]) => [`--${name}`, value];

function pythonWithPackages() {
  const wanted = { python: values.python, folder: values.venv, modules: MODULES };
  const found = findPython(wanted);
  if (found) return found;
  const missing = `neither ${values.python} nor ${values.venv} has ${MODULES.join(', ')}`;
  if (values['no-install']) throw new NoPythonError(`${missing}: run node scripts/check-export.mjs once`);
  console.log(`${missing}; installing them into ${values.venv}`);
  return makePython({ ...wanted, requirements: join(scripts, 'check-export-requirements.txt') });
}

async function main() {
  const python = pythonWithPackages();
  const folder = mkdtempSync(join(tmpdir(), 'lookalike-export-'));
  try {
    const args = [join(scripts, 'check_export.py'), ...(await writeExpectation(folder))];
    return spawnSync(python, args, { stdio: 'inherit' }).status ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = error instanceof NoPythonError ? 2 : 1;
}
