import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeOnnxModel, int64Tensor, type OnnxGraph } from '../../../src/engines/onnx-model.js';
import { countOperators, decodeOnnxModel } from '../../../src/engines/onnx-read.js';
import { Model } from '../../../src/engines/onnx-schema.js';
import { convGraph } from '../../fixtures/conv-encoder.js';
import { ROOT } from '../../fixtures/data.js';
import { refusal } from '../../fixtures/errors.js';
import { externalOnnx } from '../../fixtures/external-onnx.js';

const kinds: OnnxGraph = {
  name: 'kinds',
  inputs: [{ name: 'x', type: 'float32', dims: ['n', 3] }],
  outputs: [{ name: 'y', type: 'float32', dims: ['n', 3] }],
  nodes: [
    {
      op: 'Some',
      inputs: ['x', '', 'f'],
      outputs: ['y'],
      domain: 'com.example',
      attributes: {
        one: { int: -7 },
        more: { ints: [1, 2 ** 40] },
        half: { float: 0.5 },
        halves: { floats: [0.5, 0.25] },
        word: { string: 'ü' },
        tensor: { tensor: { name: '', dims: [2], data: Int8Array.of(-1, 1) } as never },
      },
    },
  ],
  initializers: [
    { name: 'f', dims: [2], data: Float32Array.of(1.5, -2.5) },
    { name: 'u', dims: [1], data: Uint8Array.of(200) },
    { name: 'i', dims: [2], data: Int32Array.of(-1, 7) },
    int64Tensor('l', [-5]),
  ],
  opset: 15,
  irVersion: 8,
  metadata: { 'a key': 'a value' },
};

describe('decodeOnnxModel', () => {
  it('reads what was written', () => {
    expect(decodeOnnxModel(encodeOnnxModel(kinds))).toEqual(kinds);
    const graph = convGraph();
    const read = decodeOnnxModel(encodeOnnxModel(graph));
    expect(read.nodes).toEqual(graph.nodes.map((node) => ({ attributes: {}, ...node })));
    expect(read.initializers).toEqual(graph.initializers);
  });

  it('reads numbers that are kept as lists', () => {
    const tensor = (name: string, dataType: number, data: object) => ({ name, dims: [2], dataType, ...data });
    const initializer = [
      tensor('f', 1, { floatData: [0.5, 1] }),
      tensor('s', 3, { int32Data: [-1, 1] }),
      tensor('l', 7, { int64Data: [-1, 1] }),
    ];
    const bytes = Model.encode({ irVersion: 8, graph: { name: 'lists', initializer } }).finish();
    expect(decodeOnnxModel(bytes).initializers.map(({ data }) => data)).toEqual([
      Float32Array.of(0.5, 1),
      Int8Array.of(-1, 1),
      BigInt64Array.of(-1n, 1n),
    ]);
  });

  it('reads the shipped encoder and writes it anew without a change', async () => {
    const bytes = await readFile(join(ROOT, 'model', 'encoder.onnx'));
    expect(bytes.equals(encodeOnnxModel(decodeOnnxModel(bytes)))).toBe(true);
  });

  it('refuses what it cannot carry over', async () => {
    const refused = async (bytes: Uint8Array) =>
      (await refusal('model_invalid', () => decodeOnnxModel(bytes))).message;
    expect(await refused(Buffer.from('garbage'))).toContain('no ONNX file');
    expect(await refused(new Uint8Array(0))).toContain('no graph');
    expect(await refused(externalOnnx('numbers.bin'))).toContain('another file');
    const half = [{ name: 'h', dims: [1], dataType: 10, rawData: new Uint8Array(2) }];
    const bytes = Model.encode({ graph: { name: 'half', initializer: half } }).finish();
    expect(await refused(bytes)).toContain('element type 10');
    const branch = [{ opType: 'If', attribute: [{ name: 'then_branch', type: 5, g: { name: 'g' } }] }];
    expect(await refused(Model.encode({ graph: { name: 'if', node: branch } }).finish())).toContain(
      'then_branch',
    );
  });
});

describe('countOperators', () => {
  it('counts each', () => {
    const counts = countOperators(encodeOnnxModel(convGraph()));
    expect([counts.get('Conv'), counts.get('Relu'), counts.get('Gemm'), counts.get('Nothing')]).toEqual([
      4,
      3,
      1,
      undefined,
    ]);
  });
});
