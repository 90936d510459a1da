import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelManifest } from '../../src/core/manifests.js';
import type { Embedder } from '../../src/core/ports.js';
import { checkUnitRows } from '../../src/core/vector.js';
import { sha256Of } from '../../src/engines/files.js';
import { createOnnxEmbedder } from '../../src/engines/onnx-embedder.js';
import { encodeOnnxModel, type OnnxGraph } from '../../src/engines/onnx-model.js';
import { type Change, foreignOnnx, RECORD, SIDE } from '../fixtures/foreign-encoder.js';
import { black, blackIsZero, noise } from '../fixtures/noise.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { TINY_SIDE, writeTinyModel } from '../fixtures/tiny-encoder.js';

/** The encoder on the real onnxruntime, with encoders small enough to be written here. */
let folder: string;
let manifest: ModelManifest;
let embedder: Embedder;
beforeAll(async () => {
  folder = await tempFolder();
  manifest = blackIsZero(await writeTinyModel(folder));
  embedder = await createOnnxEmbedder({ modelPath: join(folder, 'encoder.onnx'), manifest });
});
afterAll(() => embedder.close());

const pictures = (n: number, seed = 1) => noise(n, TINY_SIDE, seed);

describe('embedder', () => {
  it('says what made its vectors', () => {
    expect(embedder).toMatchObject({ dimension: 32, modelSha256: manifest.sha256 });
  });

  it('gives one unit vector a picture, in order, and the same for a batch as for each alone', async () => {
    const all = pictures(5);
    const batch = await embedder.embed(all);
    expect(() => checkUnitRows(batch, 5, 32)).not.toThrow();
    for (let i = 0; i < 5; i++) {
      const single = await embedder.embed([all[i]!]);
      single.forEach((value, j) => {
        expect(value).toBeCloseTo(batch[i * 32 + j]!, 6);
      });
    }
    expect(batch.slice(0, 32)).not.toEqual(batch.slice(32, 64));
  });

  it('computes the graph: the hand-made projection of one bright corner', async () => {
    // Two pictures whose pooled features differ by a factor only have the same direction.
    const corner = black(TINY_SIDE);
    corner.data.fill(80, 0, 8);
    const brighter = { ...corner, data: corner.data.map((value) => value * 3) };
    const vectors = await embedder.embed([corner, brighter]);
    vectors.slice(0, 32).forEach((value, i) => {
      expect(value).toBeCloseTo(vectors[32 + i]!, 6);
    });
  });

  it('gives the same with helping threads on whichever processors, also when its file is gone', async () => {
    const own = await tempFolder();
    await writeTinyModel(own);
    const modelPath = join(own, 'encoder.onnx');
    const two = await createOnnxEmbedder({ modelPath, manifest, intraOpThreads: 2 });
    await rm(modelPath);
    const expected = await embedder.embed(pictures(3));
    for (let i = 0; i < 20; i++)
      (await two.embed(pictures(3))).forEach((value, at) => {
        expect(value).toBeCloseTo(expected[at]!, 6);
      });
    await two.close();
  });

  it('leaves pictures as they were, and nothing of them in the next answer', async () => {
    const several = pictures(3);
    const first = await embedder.embed(several);
    expect(several).toEqual(pictures(3));
    const single = await embedder.embed(pictures(1, 2));
    expect(await embedder.embed(several)).toEqual(first);
    expect(await embedder.embed(pictures(1, 2))).toEqual(single);
  });

  it('answers concurrent calls each with its own vectors', async () => {
    const alone = await embedder.embed(pictures(1, 3));
    const answers = await Promise.all([1, 2, 3, 4].map((seed) => embedder.embed(pictures(1, seed))));
    expect(answers[2]).toEqual(alone);
    expect(new Set(answers.map((vector) => vector.join())).size).toBe(4);
  });

  it('embeds no pictures, and refuses one of another size', async () => {
    expect(await embedder.embed([])).toEqual(new Float32Array(0));
    const [picture] = pictures(1);
    const cut = { ...picture!, data: picture!.data.subarray(1) };
    const turned = { ...picture!, width: TINY_SIDE / 2, height: TINY_SIDE * 2 };
    for (const wrong of [cut, turned]) {
      const refused = embedder.embed([picture!, wrong]);
      await expect(refused).rejects.toMatchObject({ code: 'invalid_parameter', field: 'images' });
    }
  });

  it('refuses a picture without a direction and goes on', async () => {
    const refused = embedder.embed([black(TINY_SIDE)]);
    await expect(refused).rejects.toMatchObject({ code: 'invalid_vector' });
    expect((await embedder.embed(pictures(1))).length).toBe(32);
  });

  it('may be closed twice, answers what it began, and refuses what comes after', async () => {
    const own = await createOnnxEmbedder({ modelPath: join(folder, 'encoder.onnx'), manifest });
    const begun = own.embed(pictures(1));
    await Promise.all([own.close(), own.close()]);
    expect((await begun).length).toBe(32);
    await expect(own.embed(pictures(1))).rejects.toMatchObject({ code: 'not_ready' });
  });
});

/** 3 x 4 x 4 -> mean of each channel -> `dimension` numbers, not of unit length. */
function plainGraph(change: { batch?: number; dimension?: number; scale?: number } = {}): OnnxGraph {
  const { batch, dimension = 16, scale = 10 } = change;
  return {
    name: 'plain',
    inputs: [{ name: 'image', type: 'float32', dims: [batch ?? 'n', 3, 4, 4] }],
    outputs: [{ name: 'vector', type: 'float32', dims: [batch ?? 'n', dimension] }],
    initializers: [
      {
        name: 'weights',
        dims: [3, dimension],
        data: new Float32Array(3 * dimension).map((_, i) => scale * Math.sin(i)),
      },
    ],
    nodes: [
      { op: 'GlobalAveragePool', inputs: ['image'], outputs: ['pooled'] },
      { op: 'Flatten', inputs: ['pooled'], outputs: ['features'] },
      { op: 'Gemm', inputs: ['features', 'weights'], outputs: ['vector'] },
    ],
  };
}

async function open(graph: OnnxGraph, change: Partial<ModelManifest> = {}): Promise<Embedder> {
  const bytes = encodeOnnxModel(graph);
  const modelPath = join(await tempFolder(), 'encoder.onnx');
  await writeFile(modelPath, bytes);
  const input: ModelManifest['input'] = { ...manifest.input, width: 4, height: 4 };
  return createOnnxEmbedder({
    modelPath,
    manifest: { ...manifest, sha256: sha256Of(bytes), input, dimension: 16, ...change },
  });
}

const painted = (n: number) => noise(n, SIDE, 9);

/** An embedder of `foreign-encoder.ts`. */
async function brought(
  change: Change,
  output: Partial<ModelManifest['output']> = {},
  input: Partial<ModelManifest['input']> = {},
): Promise<Embedder> {
  const bytes = foreignOnnx(change);
  const modelPath = join(await tempFolder(), 'encoder.onnx');
  await writeFile(modelPath, bytes);
  return createOnnxEmbedder({
    modelPath,
    manifest: {
      ...manifest,
      sha256: sha256Of(bytes),
      input: {
        name: 'pixel_values',
        width: SIDE,
        height: SIDE,
        layout: change.layout ?? 'nchw',
        dtype: 'float32',
        ...input,
      },
      output: { name: 'vector', ...output },
      preprocess: RECORD,
      dimension: 24,
    },
  });
}

describe('an encoder that is brought along', () => {
  it('has its vectors brought to unit length, and may take one picture at a time only', async () => {
    const any = await open(plainGraph());
    const single = await open(plainGraph({ batch: 1 }));
    const vectors = await any.embed(noise(3, 4, 5));
    expect(() => checkUnitRows(vectors, 3, 16)).not.toThrow();
    const others = await single.embed(noise(3, 4, 5));
    others.forEach((value, i) => {
      expect(value).toBeCloseTo(vectors[i]!, 6);
    });
    await Promise.all([any.close(), single.close()]);
  });

  it('may want its channels last, and answers as its twin does', async () => {
    const first = await brought({});
    const last = await brought({ layout: 'nhwc' });
    expect(await last.embed(painted(3))).toEqual(await first.embed(painted(3)));
    await Promise.all([first.close(), last.close()]);
  });

  it('may give a vector a token: the first or the mean of them is taken', async () => {
    const change = { output: 'tokens' } as const;
    const cls = await brought(change, { pooling: 'cls' });
    const mean = await brought(change, { pooling: 'mean' });
    const [a, b] = [await cls.embed(painted(2)), await mean.embed(painted(2))];
    for (const rows of [a, b]) expect(() => checkUnitRows(rows, 2, 24)).not.toThrow();
    expect(a).not.toEqual(b);
    await Promise.all([cls.close(), mean.close()]);
    await expect(brought(change)).rejects.toMatchObject(refused(/first picture.*\[1,5,24\].*cls/));
  });

  it('may have other outputs beside, and be run one picture at a time though it takes more', async () => {
    const all = await brought({ second: 'other' });
    const single = await brought({ second: 'other' }, {}, { batch: 1 });
    const stuck = await brought({ output: 'stuck' }, {}, { batch: 1 });
    const expected = await all.embed(painted(3));
    for (const other of [single, stuck])
      (await other.embed(painted(3))).forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i]!, 6);
      });
    await Promise.all([all, single, stuck].map((open) => open.close()));
  });

  const refused = (message: RegExp) => ({ code: 'model_invalid', message: expect.stringMatching(message) });

  it('is refused when the file is not the one that its manifest describes', async () => {
    const modelPath = join(folder, 'changed.onnx');
    const bytes = await readFile(join(folder, 'encoder.onnx'));
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(modelPath, bytes);
    await expect(createOnnxEmbedder({ modelPath, manifest })).rejects.toMatchObject(
      refused(/SHA-256.*npm run train/),
    );
    const absent = createOnnxEmbedder({ modelPath: join(folder, 'absent.onnx'), manifest });
    await expect(absent).rejects.toMatchObject({ code: 'model_missing' });
  });

  it('is refused when it is no ONNX file', async () => {
    const modelPath = join(folder, 'garbage.onnx');
    await writeFile(modelPath, 'garbage');
    const garbage = { ...manifest, sha256: sha256Of(Buffer.from('garbage')) };
    const opening = createOnnxEmbedder({ modelPath, manifest: garbage });
    await expect(opening).rejects.toMatchObject(refused(/cannot be loaded/));
  });

  it('is refused when its names, dimension, batch or numbers are not what its manifest says', async () => {
    const names = open(plainGraph(), { output: { name: 'embedding' } });
    await expect(names).rejects.toMatchObject(refused(/outputs "vector".*"embedding"/));
    await expect(open(plainGraph({ dimension: 24 }))).rejects.toMatchObject(
      refused(/24 float32 numbers.*16 float32/),
    );
    await expect(open(plainGraph({ batch: 4 }))).rejects.toMatchObject(refused(/batches of 4/));
    await expect(open(plainGraph({ scale: 0 }))).rejects.toMatchObject(
      refused(/first picture.*no direction/),
    );
    await expect(open(plainGraph({ scale: Number.NaN }))).rejects.toMatchObject(refused(/first picture/));
  });
});
