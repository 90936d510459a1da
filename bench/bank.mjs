// Banks of any size for the benchmarks, from the real embeddings that `bench/make-bank.mjs` left in a folder.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalFrom, randomFrom } from './kit.mjs';

/** Length of the perturbation of a copy beside the unit vector that it is a copy of: a cosine of about 0.94 to it. */
export const PERTURBATION = 0.35;

/**
 * `rows` vectors: the real ones first (their order shuffled by a seed), then copies of them, row i of row i mod real, each
 * with a normally distributed perturbation of length about 0.35 and made unit again. Float32, over a SharedArrayBuffer.
 * Returns `{about, vectors, queries, dimension, real}`; throws when the folder holds no bank.
 */
export function readBank(folder, rows) {
  if (!folder || !existsSync(join(folder, 'bank.json')))
    throw new Error(
      `there are no vectors in ${folder ?? 'no folder'}: make them with node bench/make-bank.mjs (--help is its head)`,
    );
  const about = JSON.parse(readFileSync(join(folder, 'bank.json'), 'utf8'));
  const { dimension } = about;
  const real = floats(join(folder, 'real.f32'));
  const queries = floats(join(folder, 'queries.f32'));
  const vectors = scaled(real, dimension, rows);
  return { about, vectors, queries, dimension, real: Math.min(rows, real.length / dimension) };
}

function floats(path) {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function scaled(real, dimension, rows) {
  const there = real.length / dimension;
  const random = randomFrom(1);
  const normal = normalFrom(random);
  const order = shuffled(there, random);
  const vectors = new Float32Array(new SharedArrayBuffer(rows * dimension * 4));
  for (let row = 0; row < rows; row++) {
    const parent = real.subarray(order[row % there] * dimension, (order[row % there] + 1) * dimension);
    const own = vectors.subarray(row * dimension, (row + 1) * dimension);
    own.set(parent);
    if (row < there) continue;
    const part = PERTURBATION / Math.sqrt(dimension);
    for (let i = 0; i < dimension; i++) own[i] += part * normal();
    toUnit(own);
  }
  return vectors;
}

/** The hard case: unit vectors that lie nowhere in particular. */
export function randomBank(rows, dimension, seed = 2) {
  const normal = normalFrom(randomFrom(seed));
  const vectors = new Float32Array(new SharedArrayBuffer(rows * dimension * 4));
  for (let i = 0; i < vectors.length; i++) vectors[i] = normal();
  for (let row = 0; row < rows; row++) toUnit(vectors.subarray(row * dimension, (row + 1) * dimension));
  return vectors;
}

function toUnit(vector) {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  for (let i = 0; i < vector.length; i++) vector[i] /= length;
}

function shuffled(n, random) {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
