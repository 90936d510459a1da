/** The pictures of a study: where the two parts of a data set lie, and a smaller part made of links. */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type ListedImage, LookalikeError, listImages } from '../../../dist/offline.js';

const HELD_OUT = ['test', 'val'];

export interface Pictures {
  training: string; // folder
  heldOut: string; // folder
}

/** The folders `train` and `test` or `val` of a data set. Throws `nothing_to_index` when one is not there. */
export function findPictures(data: string): Pictures {
  const training = join(resolve(data), 'train');
  const heldOut = HELD_OUT.map((name) => join(resolve(data), name)).find((path) => existsSync(path));
  if (existsSync(training) && heldOut !== undefined) return { training, heldOut };
  throw new LookalikeError(
    'nothing_to_index',
    `${data} needs a folder "train" and one of ${HELD_OUT.map((name) => `"${name}"`).join(' or ')}, each with a sub-folder for each label`,
    { field: 'data' },
  );
}

/** A folder of links to as many first pictures of each label as make `count` together, made anew. */
export async function linkPart(training: string, count: number, folder: string): Promise<string> {
  const byLabel = new Map<string, ListedImage[]>();
  for (const image of await listImages(training))
    if (image.label !== null) byLabel.set(image.label, [...(byLabel.get(image.label) ?? []), image]);
  const each = Math.floor(count / Math.max(1, byLabel.size));
  const fewest = Math.min(...[...byLabel.values()].map((images) => images.length));
  if (each < 1 || each > fewest)
    throw new LookalikeError(
      'nothing_to_index',
      `${count} pictures of ${byLabel.size} labels are ${each} of each; ${training} has ${byLabel.size === 0 ? 0 : fewest} of the rarest`,
      { field: 'pictures' },
    );
  rmSync(folder, { recursive: true, force: true });
  for (const [label, images] of byLabel) {
    mkdirSync(join(folder, label), { recursive: true });
    for (const { path } of images.slice(0, each)) symlinkSync(path, join(folder, label, basename(path)));
  }
  return folder;
}
