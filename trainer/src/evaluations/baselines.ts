/** What a trained encoder is compared with: the pixels themselves, and the same network before training. */
import { SETTINGS, type Settings } from '../config.js';
import { cleanImages, features, type Labelled, labelledPart } from '../evaluate.js';
import { createNetwork, embed, type Network } from '../network.js';
import type { Pack } from '../pack.js';
import { tf } from '../tensorflow.js';

export const RAW_PIXELS_SIDE = 16;
const SETTLING_PICTURES = 128;
const SETTLING_ROUNDS = 40; // after which 0.9 ^ 40 = 1.5 % of the first statistics are left

export interface Compared {
  known: Labelled;
  asked: Labelled;
}

/** Pixels of packs of `RAW_PIXELS_SIDE`, less the known pictures' mean, as unit vectors. */
export function rawPixels(known: Pack, asked: Pack): Compared {
  const mean = meanPicture(known);
  return {
    known: labelledPart(known, centredRows(known, mean)),
    asked: labelledPart(asked, centredRows(asked, mean)),
  };
}

function meanPicture({ data, count }: Pack): Float64Array {
  const pixels = new Uint8Array(data);
  const length = pixels.length / count;
  const sums = new Float64Array(length);
  for (let i = 0; i < pixels.length; i++) sums[i % length] = sums[i % length]! + pixels[i]!;
  return sums.map((sum) => sum / count);
}

function centredRows({ data, count }: Pack, mean: Float64Array): Float32Array {
  const rows = Float32Array.from(new Uint8Array(data), (value, i) => value - mean[i % mean.length]!);
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * mean.length, (i + 1) * mean.length);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0)
      row.forEach((value, j) => {
        row[j] = value / length;
      }); // the mean picture itself stays 0
  }
  return rows;
}

/**
 * The network of these settings as it was before training. Only the statistics of its batch normalisation are
 * those of known pictures: with the ones it starts from, every picture would give nearly the same vector.
 */
export async function randomNetwork(
  settings: Readonly<Record<string, unknown>>,
  known: Pack,
  asked: Pack,
): Promise<Compared> {
  const of = <Name extends keyof Settings>(name: Name) =>
    (settings[name] ?? SETTINGS[name].default) as Settings[Name];
  const network = createNetwork({
    network: of('network'),
    width: of('width'),
    size: of('size'),
    head: of('head'),
    dimension: of('dimension'),
    seed: of('seed'),
  });
  settle(network, known);
  return {
    known: labelledPart(known, await features(network, known)),
    asked: labelledPart(asked, await features(network, asked)),
  };
}

function settle(network: Network, pack: Pack): void {
  const sample = evenly(pack, Math.min(SETTLING_PICTURES, pack.count));
  for (let round = 0; round < SETTLING_ROUNDS; round++)
    tf.tidy(() => void embed(network, cleanImages(sample, 0, sample.count), true));
}

/** So many pictures at equal distances: packs are in the order of their labels. */
function evenly(pack: Pack, count: number): Pack {
  const size = pack.side * pack.side * 3;
  const data = new SharedArrayBuffer(count * size);
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * pack.count) / count));
  chosen.forEach((from, to) => {
    new Uint8Array(data, to * size, size).set(new Uint8Array(pack.data, from * size, size));
  });
  return { ...pack, count, data, images: chosen.map((i) => pack.images[i]!) };
}
