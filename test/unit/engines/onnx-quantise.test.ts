import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelManifest } from '../../../src/core/manifests.js';
import { activationScale } from '../../../src/core/quantisation.js';
import { normaliseRows } from '../../../src/core/vector.js';
import { calibrate, optimisedModel } from '../../../src/engines/onnx-calibrate.js';
import { encodeOnnxModel, type OnnxGraph } from '../../../src/engines/onnx-model.js';
import { planQuantisation, quantiseGraph } from '../../../src/engines/onnx-quantise.js';
import { countOperators, decodeOnnxModel } from '../../../src/engines/onnx-read.js';
import { encoderRun, openEncoderSession } from '../../../src/engines/onnx-session.js';
import { gaussian } from '../../contract/vectors.js';
import { CONV_DIMENSION, CONV_SIDE, convGraph } from '../../fixtures/conv-encoder.js';
import { refusal } from '../../fixtures/errors.js';

const SIZE = 3 * CONV_SIDE * CONV_SIDE;
const input: ModelManifest['input'] = {
  name: 'image',
  width: CONV_SIDE,
  height: CONV_SIDE,
  layout: 'nchw',
  dtype: 'float32',
};
const output = { name: 'vector' };
const picture = (seed: number) => Float32Array.from({ length: SIZE }, gaussian(seed));
async function* pictures() {
  for (let seed = 0; seed < 12; seed++) yield picture(seed);
}

let folded: OnnxGraph;
let quantised: Uint8Array;
beforeAll(async () => {
  folded = decodeOnnxModel(await optimisedModel(encodeOnnxModel(convGraph()), 'basic'));
  const plan = planQuantisation(folded);
  const tensors = [...new Set(plan.tensors.values())];
  const ranges = await calibrate(folded, input, { tensors, pictures });
  const scales = new Map([...ranges].map(([name, range]) => [name, activationScale(range)]));
  quantised = encodeOnnxModel(quantiseGraph(folded, plan, scales));
});

async function vectors(bytes: Uint8Array, n: number): Promise<Float32Array> {
  const session = await openEncoderSession(bytes, { intraOpThreads: 1 });
  const tensor = new Float32Array(n * SIZE);
  for (let i = 0; i < n; i++) tensor.set(picture(100 + i), i * SIZE);
  const rows = (await encoderRun(session, { input, output })(tensor, n)).slice();
  await session.release();
  return normaliseRows(rows, n, CONV_DIMENSION);
}

describe('a quantised graph', () => {
  it('had its batch normalisations folded before', () => {
    const ops = folded.nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === 'Conv')).toHaveLength(4);
    expect(ops).not.toContain('BatchNormalization');
  });

  it('runs its convolutions, sums and poolings on integers, without a step back to float32 between them', async () => {
    const found = countOperators(await optimisedModel(quantised, 'extended'));
    expect(found.get('QLinearConv')).toBe(4);
    expect(found.get('QLinearAdd')).toBe(1);
    expect([found.get('Conv'), found.get('Add'), found.get('Relu')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([found.get('QuantizeLinear'), found.get('DequantizeLinear')]).toEqual([1, 1]);
  });

  it('gives nearly the vectors of its parent, and the same in a batch as alone', async () => {
    const n = 8;
    const [before, after] = [await vectors(encodeOnnxModel(convGraph()), n), await vectors(quantised, n)];
    for (let row = 0; row < n; row++) {
      let cosine = 0;
      for (let i = row * CONV_DIMENSION; i < (row + 1) * CONV_DIMENSION; i++)
        cosine += before[i]! * after[i]!;
      expect(cosine).toBeGreaterThan(0.99);
    }
    const alone = await vectors(quantised, 1);
    alone.forEach((value, i) => {
      expect(value).toBeCloseTo(after[i]!, 6);
    });
  });
});

describe('planQuantisation', () => {
  const why = async (graph: OnnxGraph) =>
    (await refusal('model_invalid', () => planQuantisation(graph))).message;

  it('refuses what is quantised, what is too old, and what has no convolution', async () => {
    expect(await why(decodeOnnxModel(quantised))).toContain('quantised already');
    expect(await why(convGraph({ opset: 11 }))).toMatch(/opset 11, 13 or later/);
    const { nodes, ...rest } = convGraph();
    expect(await why({ ...rest, nodes: nodes.filter(({ op }) => op !== 'Conv') })).toContain(
      'no convolution',
    );
  });

  it('leaves a convolution alone whose result is an output of the graph', () => {
    const graph = convGraph();
    const last = graph.nodes.findLast(({ op }) => op === 'Conv')!;
    const outputs = [...graph.outputs, { name: last.outputs[0]!, type: 'float32' as const, dims: null }];
    expect(planQuantisation({ ...graph, outputs }).convs.size).toBe(3);
  });

  it('gives a pooling the scale of what it pools', () => {
    const pool = folded.nodes.find(({ op }) => op === 'MaxPool')!;
    const { tensors } = planQuantisation(folded);
    expect(tensors.get(pool.outputs[0]!)).toBe(pool.inputs[0]);
  });
});
