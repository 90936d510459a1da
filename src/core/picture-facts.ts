import type { DecodedImage, PictureFacts } from './types.js';

/** What a decoded picture tells of its file, which has `bytes` bytes. */
export function pictureFacts(
  { sourceWidth, sourceHeight, format }: Omit<DecodedImage, 'image'>,
  bytes: number,
): PictureFacts {
  return { width: sourceWidth, height: sourceHeight, format, bytes };
}
