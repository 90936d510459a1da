/** What every variant has to beat: raw pixels and the untrained network. Measured once and kept beside the runs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listImages } from '../../../dist/offline.js';
import { SETTINGS } from '../config.js';
import { writeWhole } from '../disk.js';
import type { Pictures } from './pictures.js';
import { networkInWords } from './result.js';
import type { BaselineName, Study } from './study.js';

export interface Floor {
  name: BaselineName;
  knn: number; // 0..1
  network: string | null; // in words; null: none
  k: number;
  temperature: number;
  size: number; // side of the pictures, pixels
  dimension: number; // of the compared vectors
  pictures: number;
  held_out: number;
  data_sha256: string;
  seconds: number;
}

/** The paper's vote, whatever a study's is: one floor for a set of pictures. */
const VOTE = { k: SETTINGS.knn_k.default, temperature: SETTINGS.knn_temperature.default };

/** In words. */
export const FLOORS: Readonly<Record<BaselineName, string>> = {
  pixels: 'raw pixels, centred',
  random: 'random network',
};

/** The baselines that the study asks for; missing ones are measured when there are pictures, otherwise left out. */
export async function floorsOf(
  study: Study,
  { root, pictures, say }: { root: string; pictures: Pictures | null; say(line: string): void },
): Promise<Floor[]> {
  const path = join(root, 'baselines.json');
  const known = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Floor[]) : [];
  const missing = study.baselines.filter((name) => !known.some((floor) => floor.name === name));
  for (const name of pictures === null ? [] : missing) {
    say(`measuring: ${FLOORS[name]}`);
    known.push(await measureFloor(name, study, { root, pictures: pictures! }));
    writeWhole({ what: 'the baselines', path, out: root }, [`${JSON.stringify(known, null, 2)}\n`]);
  }
  return study.baselines.flatMap((name) => known.find((floor) => floor.name === name) ?? []);
}

interface Place {
  root: string;
  pictures: Pictures;
}

async function measureFloor(name: BaselineName, { base }: Study, place: Place): Promise<Floor> {
  // Loaded here: a study that only collects needs no TensorFlow.
  const { RAW_PIXELS_SIDE, randomNetwork, rawPixels } = await import('../evaluations/baselines.js');
  const { knnAccuracy } = await import('../evaluate.js');
  const size = name === 'pixels' ? RAW_PIXELS_SIDE : base.size;
  const { known, asked } = await packsOf(place, size);
  const started = performance.now();
  const compared =
    name === 'pixels' ? rawPixels(known, asked) : await randomNetwork({ ...base }, known, asked);
  return {
    name,
    network: name === 'pixels' ? null : networkInWords(base),
    knn: await knnAccuracy(compared.asked, compared.known, VOTE),
    ...VOTE,
    size,
    dimension: compared.known.vectors.length / compared.known.labels.length,
    pictures: known.count,
    held_out: asked.count,
    data_sha256: known.dataSha256,
    seconds: (performance.now() - started) / 1000,
  };
}

async function packsOf({ root, pictures }: Place, side: number) {
  const { packImages } = await import('../pack.js');
  const pack = async (folder: string) =>
    packImages(await listImages(folder), side, { cacheDir: join(root, 'pack') });
  return { known: await pack(pictures.training), asked: await pack(pictures.heldOut) };
}
