/** Small pictures whose every pixel is known, and how far a decoded one is from what was expected. */
import sharp, { type Sharp } from 'sharp';
import type { PreprocessRecord } from '../../src/core/manifests.js';
import type { Image } from '../../src/core/types.js';

export const RED = [255, 0, 0];
export const GREEN = [0, 255, 0];
export const BLUE = [0, 0, 255];
export const WHITE = [255, 255, 255];
export const BLACK = [0, 0, 0];

/** Whole picture to `width` x `height`: nothing is cut when the source has that shape. */
export const record = (width: number, height = width, given: Partial<PreprocessRecord> = {}) => ({
  resize: { shorter_side: Math.min(width, height) },
  crop: { width, height },
  kernel: 'lanczos3' as const,
  mean: [0.5, 0.5, 0.5] as [number, number, number],
  std: [0.25, 0.25, 0.25] as [number, number, number],
  background: [255, 255, 255] as [number, number, number],
  ...given,
});

/** A picture from a function of its pixels. */
export function paint(
  { width, height }: { width: number; height: number },
  colour: (x: number, y: number) => readonly number[],
): Sharp {
  const pixels = Array.from({ length: width * height }, (_, i) => colour(i % width, Math.floor(i / width)));
  const channels = pixels[0]!.length as 1 | 2 | 3 | 4;
  return sharp(Buffer.from(pixels.flat()), { raw: { width, height, channels } });
}

/** One pixel of a decoded picture. */
export const at = ({ data, width }: Image, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

/** The largest difference of any channel of any pixel. */
export function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

/** The mean difference over all channels of all pixels. */
export const meanDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
