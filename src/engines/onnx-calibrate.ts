import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelManifest } from '../core/manifests.js';
import { toChannelsLast } from '../core/preprocess.js';
import { addToHistogram, BINS, bestRange, type Range } from '../core/quantisation.js';
import { encodeOnnxModel, type OnnxGraph } from './onnx-model.js';

/** What a quantisation needs of onnxruntime: graphs as it optimises them, and the numbers that tensors take. */

/**
 * The file that onnxruntime makes of a graph. `basic` folds batch normalisation into convolutions and keeps to standard
 * operators; `extended` is what runs, integer operators included. Rejects with what onnxruntime says.
 */
export async function optimisedModel(bytes: Uint8Array, level: 'basic' | 'extended'): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'lookalike-onnx-'));
  const path = join(folder, 'optimised.onnx');
  env.logLevel = 'error';
  try {
    const session = await InferenceSession.create(bytes, {
      graphOptimizationLevel: level,
      optimizedModelFilePath: path,
      intraOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    await session.release();
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One pass over the calibration pictures, each 3 x height x width float32. */
export type Pictures = () => AsyncIterable<Float32Array>;

/**
 * The range of each tensor over the pictures, cut where that makes the squared error of 256 steps the least. Two
 * passes: the first finds the whole ranges, the second how the values lie in them.
 */
export async function calibrate(
  graph: OnnxGraph,
  input: ModelManifest['input'],
  { tensors, pictures }: { tensors: readonly string[]; pictures: Pictures },
): Promise<Map<string, Range>> {
  const session = await openObserved(graph, tensors);
  const observe = async (see: (name: string, values: Float32Array) => void) => {
    for await (const picture of pictures()) {
      const feed = feedOf(picture, input);
      const seen = await session.run({ [input.name]: feed });
      for (const name of tensors)
        see(name, (name === input.name ? feed.data : seen[name]!.data) as Float32Array);
    }
  };
  try {
    const ranges = new Map<string, Range>(tensors.map((name) => [name, { min: 0, max: 0 }]));
    await observe((name, values) => widen(ranges.get(name)!, values));
    const histograms = new Map(tensors.map((name) => [name, new Float64Array(BINS)]));
    await observe((name, values) => addToHistogram(histograms.get(name)!, values, ranges.get(name)!));
    return new Map(tensors.map((name) => [name, bestRange(histograms.get(name)!, ranges.get(name)!)]));
  } finally {
    await session.release();
  }
}

/** The graph with these tensors as further outputs. */
function openObserved(graph: OnnxGraph, tensors: readonly string[]): Promise<InferenceSession> {
  const known = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  const more = tensors
    .filter((name) => !known.has(name))
    .map((name) => ({ name, type: 'float32' as const, dims: null }));
  const bytes = encodeOnnxModel({ ...graph, outputs: [...graph.outputs, ...more] });
  return InferenceSession.create(bytes, { logSeverityLevel: 3, executionMode: 'sequential' });
}

function feedOf(picture: Float32Array, { layout, height, width }: ModelManifest['input']): Tensor {
  return layout === 'nchw'
    ? new Tensor('float32', picture, [1, 3, height, width])
    : new Tensor('float32', toChannelsLast(picture, 1), [1, height, width, 3]);
}

function widen(range: Range, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < range.min) range.min = value;
    else if (value > range.max) range.max = value;
  }
}
