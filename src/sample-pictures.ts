import { readFile } from 'node:fs/promises';
import { LookalikeError } from './core/errors.js';
import type { PreprocessRecord } from './core/manifests.js';
import type { Image } from './core/types.js';
import { sha256Of } from './engines/files.js';
import { type ListedImage, listImages } from './engines/folder.js';
import { createDecoder } from './engines/sharp-decoder.js';

/** Pictures of a folder to measure with: taken evenly, so that every label is in it. */
export interface Sample {
  calibration: ListedImage[];
  check: ListedImage[]; // none of them in `calibration`
}

/** Fewer say little about an encoder. */
export const LEAST_PICTURES = 40;

/** Throws `nothing_to_index` when the folder holds fewer pictures than any measurement needs. */
export async function samplePictures(
  folder: string,
  { calibration, check }: { calibration: number; check: number },
): Promise<Sample> {
  const all = await listImages(folder);
  if (all.length < LEAST_PICTURES)
    throw new LookalikeError(
      'nothing_to_index',
      `${folder} holds ${all.length} pictures, at least ${LEAST_PICTURES} are needed`,
      { field: '--pictures' },
    );
  const first = evenly(all, Math.min(calibration, all.length >> 2));
  const taken = new Set(first);
  const rest = all.filter((one) => !taken.has(one));
  return { calibration: first, check: evenly(rest, Math.min(check, rest.length)) };
}

/** `count` of the list, at equal distances. */
export function evenly<T>(list: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / count)]!);
}

export interface DecodedFile {
  file: ListedImage;
  image: Image;
  sha256: string; // of the file
}

/** Decodes files as the service does; those that cannot be decoded are counted and passed over. */
export async function decodeAll(
  files: readonly ListedImage[],
  preprocess: PreprocessRecord,
): Promise<{ images: DecodedFile[]; unreadable: number }> {
  const decoder = createDecoder();
  const images: DecodedFile[] = [];
  const decode = async (file: ListedImage): Promise<DecodedFile | null> => {
    const bytes = await readFile(file.path).catch(() => null);
    const decoded = bytes && (await decoder.decode(bytes, preprocess).catch(() => null));
    return decoded ? { file, image: decoded.image, sha256: sha256Of(bytes) } : null;
  };
  for (let at = 0; at < files.length; at += 16) {
    const group = await Promise.all(files.slice(at, at + 16).map(decode));
    images.push(...group.filter((one) => one !== null));
  }
  return { images, unreadable: files.length - images.length };
}
