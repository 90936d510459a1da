/**
 * From trained weights to what the service loads: `encoder.onnx` with its manifest, and the bank. The bank is
 * embedded by the service's own encoder, and nothing is written before that one agrees with the trainer.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BankItem,
  createEmbedder,
  type Embedder,
  encodeOnnxModel,
  LookalikeError,
  type ModelManifest,
  writeBank,
  writeModel,
} from '../../dist/offline.js';
import type { Settings } from './config.js';
import { encoderGraph, INPUT, OUTPUT } from './encoder-graph.js';
import { cleanImages } from './evaluate.js';
import { embed, type Network } from './network.js';
import { type Pack, squareRecord } from './pack.js';
import type { ModelWords } from './place.js';
import { take, tf } from './tensorflow.js';

/** Largest difference of a number between the trainer's embedding and the exported encoder's. */
export const EXPORT_TOLERANCE = 1e-4;
const VERIFIED_PICTURES = 100;
const BATCH = 32;

export type Draft = Omit<ModelManifest, 'sha256' | 'format_version'>;

/** What a manifest is drafted from. */
export interface DraftOf {
  settings: Settings;
  size: number; // of the input, pixels
  embedding: string; // in words
  dataSha256: string;
}

/** The manifest of a network at this input size; `accuracy` is filled in once it is measured. */
export function draftManifest({ settings, size, embedding, dataSha256 }: DraftOf, words: ModelWords): Draft {
  return {
    ...words,
    input: { name: INPUT, width: size, height: size, layout: 'nchw', dtype: 'float32' },
    output: { name: OUTPUT },
    preprocess: squareRecord(size),
    dimension: settings.dimension,
    temperature: settings.knn_temperature,
    settings: { ...settings, embedding, data_sha256: dataSha256 },
    accuracy: {},
  };
}

/** Opens the exported encoder as the service would, from a folder that is removed again, for `use`. */
export async function withExported<T>(
  { onnx, draft, out }: { onnx: Uint8Array; draft: Draft; out: string },
  use: (embedder: Embedder) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(out, '.export-'));
  try {
    await writeModel(folder, onnx, draft);
    const embedder = await createEmbedder(folder);
    try {
      return await use(embedder);
    } finally {
      await embedder.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function encodeNetwork(network: Network): Uint8Array {
  return encodeOnnxModel(encoderGraph(network));
}

/** The embeddings of a pack by the encoder that serves: count x dimension. */
export async function embedPack(embedder: Embedder, pack: Pack, count = pack.count): Promise<Float32Array> {
  const size = pack.side * pack.side * 3;
  const image = (i: number) => ({
    width: pack.side,
    height: pack.side,
    data: new Uint8Array(pack.data, i * size, size),
  });
  const out = new Float32Array(count * embedder.dimension);
  for (let from = 0; from < count; from += BATCH) {
    const n = Math.min(BATCH, count - from);
    const images = Array.from({ length: n }, (_, i) => image(from + i));
    out.set(await embedder.embed(images), from * embedder.dimension);
  }
  return out;
}

/** The largest difference between trainer and exported encoder over some pictures; throws when too large. */
export async function verifyExport(network: Network, embedder: Embedder, pack: Pack): Promise<number> {
  const count = Math.min(VERIFIED_PICTURES, pack.count);
  const expected = await take(tf.tidy(() => embed(network, cleanImages(pack, 0, count), false)));
  const actual = await embedPack(embedder, pack, count);
  const difference = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  if (difference <= EXPORT_TOLERANCE) return difference;
  throw new LookalikeError(
    'model_invalid',
    `the exported encoder differs from the trained one by ${difference}, at most ${EXPORT_TOLERANCE} is allowed: not written`,
  );
}

/** Writes the bank of these pictures, made by the model with this hash. */
export async function exportBank(
  folder: string,
  { pack, vectors }: { pack: Pack; vectors: Float32Array },
  about: { modelSha256: string; dimension: number; words: ModelWords },
): Promise<void> {
  const items = pack.images.map(
    ({ id, label, sha256, path }): BankItem => ({
      id,
      sha256,
      source: path,
      ...(label === null ? {} : { label }),
    }),
  );
  await writeBank(
    folder,
    { vectors, items },
    {
      model_sha256: about.modelSha256,
      dimension: about.dimension,
      name: about.words.name,
      terms: about.words.terms,
      source_package: null,
    },
  );
}
