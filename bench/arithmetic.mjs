// How much an encoder multiplies, and how fast this machine multiplies at best: what the encoder's time is held against.
import { readFileSync } from 'node:fs';
import { Tensor } from 'onnxruntime-node';
import { encodeOnnxModel } from '../dist/engines/onnx-model.js';
import { decodeOnnxModel } from '../dist/engines/onnx-read.js';
import { openEncoderSession } from '../dist/engines/onnx-session.js';

/** Multiplications (each with an addition) of a convolutional encoder for one picture of `side` x `side`. */
export function multiplications(file, side) {
  const { inputs, nodes, initializers } = decodeOnnxModel(readFileSync(file));
  const weights = new Map(initializers.map(({ name, dims }) => [name, dims]));
  const sides = new Map([[inputs[0].name, side]]);
  let all = 0;
  for (const { op, inputs: from, outputs, attributes } of nodes) {
    const before = sides.get(from[0]);
    if (op === 'Conv') {
      const [out, channels, height, width] = weights.get(from[1]);
      const [stride] = attributes.strides?.ints ?? [1];
      const [top = 0, , bottom = 0] = attributes.pads?.ints ?? [];
      const after = Math.floor((before + top + bottom - height) / stride) + 1;
      all += out * channels * height * width * after * after;
      sides.set(outputs[0], after);
    } else if (op === 'Gemm') all += weights.get(from[1]).reduce((product, size) => product * size, 1);
    else sides.set(outputs[0], before);
  }
  return all;
}

const SIZE = 384; // three matrices of 0.6 MB: in the cache of the second level

/** Millions of multiplications a millisecond, float32, by the matrix product of onnxruntime: the best of `rounds`. */
export async function matrixRate(threads, rounds = 100) {
  const dims = [SIZE, SIZE];
  const graph = {
    name: 'product',
    inputs: ['a', 'b'].map((name) => ({ name, type: 'float32', dims })),
    outputs: [{ name: 'c', type: 'float32', dims }],
    nodes: [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
    initializers: [],
  };
  const session = await openEncoderSession(encodeOnnxModel(graph), { intraOpThreads: threads });
  const matrix = () => new Tensor('float32', new Float32Array(SIZE * SIZE).fill(0.5), dims);
  const feeds = { a: matrix(), b: matrix() };
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) {
    const began = performance.now();
    await session.run(feeds);
    least = Math.min(least, performance.now() - began);
  }
  await session.release();
  return SIZE ** 3 / (least * 1e6);
}
