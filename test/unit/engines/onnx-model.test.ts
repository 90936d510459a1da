import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import {
  encodeOnnxMetadata,
  encodeOnnxModel,
  externalFiles,
  int64Tensor,
  type OnnxGraph,
} from '../../../src/engines/onnx-model.js';
import { externalOnnx } from '../../fixtures/external-onnx.js';

// y = top-2 of (x . w + b) by row, and the columns they came from.
const graph: OnnxGraph = {
  name: 'scores',
  inputs: [{ name: 'x', type: 'float32', dims: ['n', 2] }],
  outputs: [
    { name: 'best', type: 'float32', dims: ['n', 2] },
    { name: 'columns', type: 'int64', dims: ['n', 2] },
  ],
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['product'] },
    { op: 'Add', inputs: ['product', 'b'], outputs: ['sum'] },
    {
      op: 'TopK',
      inputs: ['sum', 'k'],
      outputs: ['best', 'columns'],
      attributes: { axis: { int: -1 }, largest: { int: 1 }, sorted: { int: 1 } },
    },
  ],
  initializers: [
    { name: 'w', dims: [2, 3], data: new Float32Array([1, 0, 2, 0, 1, 2]) },
    { name: 'b', dims: [3], data: new Float32Array([0.5, 0, -10]) },
    int64Tensor('k', [2]),
  ],
};

async function run(bytes: Uint8Array, feeds: Record<string, Tensor>) {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
  const outputs = await session.run(feeds);
  await session.release();
  return outputs;
}

describe('encodeOnnxModel', () => {
  test('makes a file that onnxruntime runs, with a batch size chosen at run time', async () => {
    const bytes = encodeOnnxModel(graph);
    const { best, columns } = await run(bytes, { x: new Tensor('float32', [3, 4, 1, -1], [2, 2]) });
    // Rows before TopK: [3.5, 4, 4] and [1.5, -1, -10].
    expect([...(best!.data as Float32Array)]).toEqual([4, 4, 1.5, -1]);
    expect([...(columns!.data as BigInt64Array)].map(Number)).toEqual([1, 2, 0, 1]);
  });

  test('carries every kind of attribute and element', async () => {
    const bytes = encodeOnnxModel({
      name: 'kinds',
      inputs: [{ name: 'x', type: 'float32', dims: [1, 1, 2, 2] }],
      outputs: [
        { name: 'leaky', type: 'float32', dims: [1, 1, 4, 4] },
        { name: 'constant', type: 'int8', dims: [2] },
        { name: 'product', type: 'int32', dims: [1, 1] },
      ],
      nodes: [
        {
          op: 'Pad',
          inputs: ['x', 'pads'],
          outputs: ['padded'],
          attributes: { mode: { string: 'reflect' } },
        },
        {
          op: 'LeakyRelu',
          inputs: ['padded'],
          outputs: ['leaky'],
          attributes: { alpha: { float: 0.5 } },
        },
        {
          op: 'Constant',
          inputs: [],
          outputs: ['constant'],
          attributes: { value: { tensor: { dims: [2], data: new Int8Array([-7, 7]) } } },
        },
        { op: 'MatMulInteger', inputs: ['a', 'b'], outputs: ['product'] },
      ],
      initializers: [
        int64Tensor('pads', [0, 0, 1, 1, 0, 0, 1, 1]),
        { name: 'a', dims: [1, 2], data: new Uint8Array([200, 3]) },
        { name: 'b', dims: [2, 1], data: new Int8Array([-2, 5]) },
      ],
    });
    const outputs = await run(bytes, { x: new Tensor('float32', [-1, 2, 3, -4], [1, 1, 2, 2]) });
    expect([...(outputs.leaky!.data as Float32Array).slice(0, 4)]).toEqual([-2, 3, -2, 3]);
    expect([...(outputs.constant!.data as Int8Array)]).toEqual([-7, 7]);
    expect([...(outputs.product!.data as Int32Array)]).toEqual([-385]);
  });

  test('refuses data that do not fill the shape, and values that nothing makes', () => {
    const short = { name: 'w', dims: [2, 3], data: new Float32Array(5) };
    expect(() =>
      encodeOnnxModel({ ...graph, initializers: [short, ...graph.initializers.slice(1)] }),
    ).toThrow('tensor "w" of shape [2,3] needs 6 numbers, got 5');
    expect(() => encodeOnnxModel({ ...graph, initializers: graph.initializers.slice(1) })).toThrow(
      'node MatMul reads "w"',
    );
  });
});

describe('encodeOnnxMetadata', () => {
  test('makes bytes that may stand behind a model, which computes what it did', async () => {
    const feeds = { x: new Tensor('float32', [3, 4], [1, 2]) };
    const plain = encodeOnnxModel(graph);
    const tail = encodeOnnxMetadata({ key: 'value' });
    const longer = Buffer.concat([plain, tail, tail]);
    expect((await run(longer, feeds)).best!.data).toEqual((await run(plain, feeds)).best!.data);
    expect(Buffer.from(tail).toString('latin1')).toMatch(/key.*value/s);
  });
});

describe('externalFiles', () => {
  test('names the files that numbers are kept in, and none for a whole model', () => {
    expect(externalFiles(encodeOnnxModel(graph))).toEqual([]);
    expect(externalFiles(externalOnnx('../weights.bin'))).toEqual(['../weights.bin']);
  });

  test('looks into the graphs inside of nodes', () => {
    // Field 7 (graph) { field 1 (node) { field 5 (attribute) { field 6 (graph): the graph of the other model } } }.
    const wrap = (field: number, bytes: Uint8Array) => {
      const length = [];
      for (let rest = bytes.length; ; rest >>>= 7) {
        if (rest < 128) {
          length.push(rest);
          break;
        }
        length.push((rest & 127) | 128);
      }
      return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), bytes]);
    };
    const tensor = Buffer.from([
      0x70,
      1,
      ...wrap(13, Buffer.concat([wrap(1, Buffer.from('location')), wrap(2, Buffer.from('inner.bin'))])),
    ]);
    const node = wrap(1, wrap(5, wrap(6, wrap(5, tensor))));
    expect(externalFiles(wrap(7, node))).toEqual(['inner.bin']);
  });

  test('says that bytes are no model', () => {
    expect(() => externalFiles(Buffer.from('garbage'))).toThrow();
  });
});
