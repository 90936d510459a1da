/** Which pictures are trained on and which are only measured with. */
import { type ListedImage, LookalikeError, listImages } from '../../dist/offline.js';
import { drawFor, permutation } from './random.js';

/** Contrasting needs pictures to contrast with; below this nothing can be learned. */
export const MINIMUM_PICTURES = 16;
const HELD_OUT_SHARE = 0.1;

export interface Split {
  training: ListedImage[];
  heldOut: ListedImage[]; // labelled; never trained on
}

/**
 * The pictures of `folder`; held out are those of `heldOutFolder`, or a tenth of the folder's labelled
 * pictures by the seed, or none when there are fewer than two labels. Throws `nothing_to_index`.
 */
export async function splitFolder(
  folder: string,
  heldOutFolder: string | null,
  seed: number,
): Promise<Split> {
  const all = await listImages(folder);
  if (all.length < MINIMUM_PICTURES)
    throw new LookalikeError(
      'nothing_to_index',
      `${folder} has ${all.length} pictures (JPEG, PNG, WebP); training needs at least ${MINIMUM_PICTURES}`,
    );
  const labels = new Set(all.map((image) => image.label).filter((label) => label !== null));
  if (heldOutFolder !== null) {
    // By one label alone every vote would be right.
    if (labels.size > 0)
      return { training: all, heldOut: labels.size > 1 ? await labelledImages(heldOutFolder) : [] };
    throw new LookalikeError(
      'nothing_to_index',
      `${folder} has no sub-folders: pictures held out can only be measured by the labels of the others`,
    );
  }
  if (labels.size < 2) return { training: all, heldOut: [] };
  const order = permutation(drawFor(seed, -3), all.length);
  const chosen = new Set(order.slice(0, Math.floor(all.length * HELD_OUT_SHARE)));
  return {
    training: all.filter((_, i) => !chosen.has(i)),
    heldOut: all.filter((image, i) => chosen.has(i) && image.label !== null),
  };
}

async function labelledImages(folder: string): Promise<ListedImage[]> {
  const images = (await listImages(folder)).filter((image) => image.label !== null);
  if (images.length > 0) return images;
  throw new LookalikeError(
    'nothing_to_index',
    `${folder} has no labelled pictures: a held-out folder needs a sub-folder for each label`,
  );
}
