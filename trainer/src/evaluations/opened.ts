/** A trained model with two labelled folders: known pictures to find, held-out ones that ask. */

import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  type ListedImage,
  LookalikeError,
  listImages,
  type ModelManifest,
  readModel,
} from '../../../dist/offline.js';
import { type Pack, packImages, squareRecord } from '../pack.js';
import { createReport, type Report } from '../report.js';

export interface Opened {
  out: string;
  manifest: ModelManifest;
  report: Report;
  /** Both folders decoded to this side; cached in the run's folder. Pictures without a label are left out. */
  packs(side: number): Promise<{ known: Pack; asked: Pack }>;
}

/** Throws `model_missing`, `model_invalid`, and `nothing_to_index` for folders without labels. */
export async function openModel(
  out: string,
  folders: { pictures: string; heldOut: string },
): Promise<Opened> {
  const { manifest } = await readModel(out);
  if (!isDeepStrictEqual(manifest.preprocess, squareRecord(manifest.input.width)))
    throw new LookalikeError(
      'model_invalid',
      `the model in ${out} prepares pictures in another way than this trainer`,
    );
  const report = createReport(out);
  const known = await labelled(folders.pictures);
  const asked = await labelled(folders.heldOut);
  const pack = async (images: ListedImage[], side: number, what: string) => {
    const packed = await packImages(images, side, {
      cacheDir: join(out, 'pack'),
      progress: (done, total) => report.live(`decoding ${what} to ${side} px: ${done} of ${total}`),
    }).finally(() => report.live(''));
    if (packed.count > 0) return packed;
    throw new LookalikeError('nothing_to_index', `none of the ${images.length} ${what} pictures can be read`);
  };
  return {
    out,
    manifest,
    report,
    async packs(side) {
      return { known: await pack(known, side, 'known'), asked: await pack(asked, side, 'held-out') };
    },
  };
}

async function labelled(folder: string): Promise<ListedImage[]> {
  // The cache knows pictures by their whole paths.
  const images = (await listImages(resolve(folder))).filter((image) => image.label !== null);
  if (images.length > 0) return images;
  throw new LookalikeError(
    'nothing_to_index',
    `${folder} has no labelled pictures: it needs a sub-folder for each label`,
  );
}
