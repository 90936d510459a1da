import { abortedError } from './core/check-search.js';
import { concatenated } from './core/concatenated.js';
import { compareEncoders, type Fidelity } from './core/encoder-fidelity.js';
import { LookalikeError } from './core/errors.js';
import type { Embedder } from './core/ports.js';
import type { Image } from './core/types.js';
import { DEFAULT_VOTE_K } from './core/vote.js';
import type { ListedImage } from './engines/folder.js';
import type { Model } from './engines/manifest.js';
import { createOnnxEmbedder } from './engines/onnx-embedder.js';
import type { QuantiseOptions } from './quantise.js';
import { decodeAll } from './sample-pictures.js';

/** Two encoders over the same pictures: how near their vectors are, and what each costs. */
export interface Comparison {
  fidelity: Fidelity;
  cpu_ms: { before: number; after: number };
  unreadable: number;
}

const GROUP = 64; // decoded at once

export async function compareOnPictures(
  before: Model,
  after: Model,
  files: readonly ListedImage[],
  { signal, onProgress }: Pick<QuantiseOptions, 'signal' | 'onProgress'>,
): Promise<Comparison> {
  const sides = await openBoth(before, after);
  const labels: (string | null)[] = [];
  let unreadable = 0;
  try {
    for (let at = 0; at < files.length; at += GROUP) {
      const group = await decodeAll(files.slice(at, at + GROUP), before.manifest.preprocess);
      unreadable += group.unreadable;
      for (const { image, file } of group.images) {
        if (signal.aborted) throw abortedError();
        labels.push(file.label);
        for (const side of sides) await side.embed(image);
        onProgress('comparing', labels.length + unreadable, files.length);
      }
    }
  } finally {
    await Promise.all(sides.map(({ embedder }) => embedder.close()));
  }
  if (labels.length === 0)
    throw new LookalikeError('nothing_to_index', 'none of the pictures to compare with can be read');
  const [a, b] = sides.map(({ rows, embedder: { dimension } }) => ({
    vectors: concatenated(Float32Array, rows),
    dimension,
  }));
  const vote = { k: DEFAULT_VOTE_K, temperature: before.manifest.temperature };
  const [first, second] = sides.map(({ times }) => median(times));
  return {
    fidelity: compareEncoders(a!, b!, labels, vote),
    cpu_ms: { before: first!, after: second! },
    unreadable,
  };
}

interface Side {
  embedder: Embedder;
  rows: Float32Array[];
  times: number[]; // milliseconds of CPU
  embed(image: Image): Promise<void>;
}

async function openBoth(...models: Model[]): Promise<Side[]> {
  const sides: Side[] = [];
  for (const { manifest, onnxPath } of models) {
    const embedder = await createOnnxEmbedder({ modelPath: onnxPath, manifest });
    const [rows, times]: [Float32Array[], number[]] = [[], []];
    const embed = async (image: Image) => {
      const start = process.cpuUsage();
      rows.push(await embedder.embed([image]));
      const { user, system } = process.cpuUsage(start);
      times.push((user + system) / 1000);
    };
    sides.push({ embedder, rows, times, embed });
  }
  return sides;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
