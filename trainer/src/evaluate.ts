/** How good the embeddings are: a weighted kNN vote with the labels, on clean features of every picture. */
import { backboneChannels } from './architecture.js';
import { MEAN, STD } from './config.js';
import { backbone, embed, type Network, normalise, project } from './network.js';
import type { Pack } from './pack.js';
import { type Tensor2D, type Tensor4D, take, tf } from './tensorflow.js';

const BATCH = 256;

/** The embeddings of all pictures of a pack, as they are in it: count x dimension, unit rows. */
export function features(network: Network, pack: Pack): Promise<Float32Array> {
  return rowsOf(pack, network.options.dimension, (images) => embed(network, images, false));
}

/** The features of all pictures of a pack before the head: count x channels, of any length. */
export function backboneFeatures(network: Network, pack: Pack): Promise<Float32Array> {
  return rowsOf(pack, backboneChannels(network.architecture), (images) => backbone(network, images, false));
}

async function rowsOf(pack: Pack, width: number, of: (images: Tensor4D) => Tensor2D): Promise<Float32Array> {
  const out = new Float32Array(pack.count * width);
  for (let from = 0; from < pack.count; from += BATCH) {
    const n = Math.min(BATCH, pack.count - from);
    out.set(await take(tf.tidy(() => of(cleanImages(pack, from, n)))), from * width);
  }
  return out;
}

/** Unit vectors (count x dimension) from features of the backbone (count x channels), by the network's head. */
export async function embedFeatures(network: Network, rows: Float32Array): Promise<Float32Array> {
  const channels = backboneChannels(network.architecture);
  return take(
    tf.tidy(() => {
      const features = tf.tensor2d(rows, [rows.length / channels, channels]);
      return normalise(project(network, features));
    }),
  );
}

/** n pictures of the pack from `from` on, normalised: n x side x side x 3. */
export function cleanImages(pack: Pack, from: number, n: number): Tensor4D {
  const size = pack.side * pack.side * 3;
  const pixels = new Uint8Array(pack.data, from * size, n * size);
  const values = new Float32Array(n * size);
  for (let c = 0; c < 3; c++) {
    const scale = 1 / (255 * STD[c]!);
    const shift = -MEAN[c]! / STD[c]!;
    for (let i = c; i < values.length; i += 3) values[i] = pixels[i]! * scale + shift;
  }
  return tf.tensor4d(values, [n, pack.side, pack.side, 3]);
}

/** Vectors (n x d, unit rows) and the label of each. */
export interface Labelled {
  vectors: Float32Array;
  labels: readonly string[];
}

/**
 * Weighted kNN (Wu et al. 2018, section 3.4): the k nearest of `known` vote with exp(cosine / temperature).
 * Returns the share of `queries` whose own label wins, 0..1.
 */
export async function knnAccuracy(
  queries: Labelled,
  known: Labelled,
  { k, temperature }: { k: number; temperature: number },
): Promise<number> {
  const dimension = known.vectors.length / known.labels.length;
  const bank = tf.tensor2d(known.vectors, [known.labels.length, dimension]);
  let right = 0;
  for (let from = 0; from < queries.labels.length; from += BATCH) {
    const n = Math.min(BATCH, queries.labels.length - from);
    const batch = queries.vectors.subarray(from * dimension, (from + n) * dimension);
    const { scores, rows, width } = await nearest(batch, bank, Math.min(k, known.labels.length));
    for (let i = 0; i < n; i++) {
      const slice = [i * width, (i + 1) * width] as const;
      const winner = vote(rows.subarray(...slice), scores.subarray(...slice), {
        labels: known.labels,
        temperature,
      });
      if (winner === queries.labels[from + i]) right++;
    }
  }
  bank.dispose();
  return right / queries.labels.length;
}

async function nearest(batch: Float32Array, bank: Tensor2D, k: number) {
  const { values, indices } = tf.tidy(() => {
    const queries = tf.tensor2d(batch, [batch.length / bank.shape[1], bank.shape[1]]);
    return tf.topk(tf.matMul(queries, bank, false, true), k, true);
  });
  const rows = await indices.data<'int32'>();
  indices.dispose();
  return { scores: await take(values), rows, width: k };
}

/** The label with the largest sum of weights; ties go to the label that was nearer first. */
export function vote(
  rows: Int32Array,
  scores: Float32Array,
  { labels, temperature }: { labels: readonly string[]; temperature: number },
): string {
  const weights = new Map<string, number>();
  rows.forEach((row, i) => {
    const label = labels[row]!;
    // Relative to the best score, so that exp cannot overflow; the winner is the same.
    weights.set(label, (weights.get(label) ?? 0) + Math.exp((scores[i]! - scores[0]!) / temperature));
  });
  return [...weights].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

/** Pictures with labels only, as kNN needs them. */
export function labelledPart(pack: Pack, vectors: Float32Array): Labelled {
  const dimension = vectors.length / pack.count;
  const rows = pack.images.map((_, i) => i).filter((i) => pack.images[i]!.label !== null);
  const chosen = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => {
    chosen.set(vectors.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  });
  return { vectors: chosen, labels: rows.map((row) => pack.images[row]!.label!) };
}

/**
 * kNN accuracy within one set: every tenth picture asks the other nine tenths. Used to choose between input
 * sizes, so that the held-out pictures are only ever measured with, never chosen by.
 */
export function innerAccuracy(all: Labelled, vote: { k: number; temperature: number }): Promise<number> {
  const dimension = all.vectors.length / all.labels.length;
  const part = (keep: (i: number) => boolean): Labelled => {
    const rows = all.labels.map((_, i) => i).filter(keep);
    const vectors = new Float32Array(rows.length * dimension);
    rows.forEach((row, i) => {
      vectors.set(all.vectors.subarray(row * dimension, (row + 1) * dimension), i * dimension);
    });
    return { vectors, labels: rows.map((row) => all.labels[row]!) };
  };
  // Pictures are in order of their labels: every tenth is a fair share of each.
  return knnAccuracy(
    part((i) => i % 10 === 0),
    part((i) => i % 10 !== 0),
    vote,
  );
}
