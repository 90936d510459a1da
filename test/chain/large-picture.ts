/** A picture large enough that decoding it takes a while. */
import sharp from 'sharp';

/** The PNG scaled up to a JPEG of 1600 x 1200. */
export const largeJpeg = (png: Buffer): Promise<Buffer> =>
  sharp(png).resize(1600, 1200, { kernel: 'nearest' }).jpeg({ quality: 80 }).toBuffer();
