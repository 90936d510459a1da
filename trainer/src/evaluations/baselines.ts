/** What a trained encoder is compared with: the pixels themselves, and the same network before training. */
import { type SettingName, settingOf } from '../config.js';
import { features, type Labelled, labelledPart } from '../evaluate.js';
import { createNetwork } from '../network.js';
import type { Pack } from '../pack.js';

export const RAW_PIXELS_SIDE = 16;

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

/** The network of these settings as it was before training, statistics of its batch normalisation included. */
export async function randomNetwork(
  settings: Readonly<Record<string, unknown>>,
  known: Pack,
  asked: Pack,
): Promise<Compared> {
  const of = <Name extends SettingName>(name: Name) => settingOf(settings, name);
  const network = createNetwork({
    network: of('network'),
    width: of('width'),
    size: of('size'),
    head: of('head'),
    dimension: of('dimension'),
    seed: of('seed'),
  });
  return {
    known: labelledPart(known, await features(network, known)),
    asked: labelledPart(asked, await features(network, asked)),
  };
}
