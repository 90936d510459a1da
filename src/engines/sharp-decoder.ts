import sharp, { type Sharp } from 'sharp';
import { LookalikeError, messageOf } from '../core/errors.js';
import { jpegSize } from '../core/jpeg-size.js';
import type { PreprocessRecord } from '../core/manifests.js';
import type { Decoder } from '../core/ports.js';
import { cropBox, type ShrunkCut, shrunkCut } from '../core/preprocess.js';
import { IMAGE_TYPES, sniffImageType } from '../core/sniff.js';
import type { DecodedImage } from '../core/types.js';

/**
 * Pictures through libvips. Only three loaders are open: a loader that is not there cannot be attacked,
 * and SVG and PDF run programs of their own.
 */
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
});
sharp.cache(false); // every upload is another picture
sharp.concurrency(1); // one thread a picture: requests are the parallelism

export interface DecoderLimits {
  maxPixels: number; // of the original
  timeoutSeconds: number;
}

const DEFAULT_LIMITS: DecoderLimits = { maxPixels: 50_000_000, timeoutSeconds: 10 };

export function createDecoder(limits: DecoderLimits = DEFAULT_LIMITS): Decoder {
  /** The header's size after orientation; refuses what is not worth decoding. */
  async function inspect(bytes: Uint8Array) {
    const format = checkType(bytes);
    const { width, height } = (format === 'jpeg' && jpegSize(bytes)) || (await sizeOf(bytes));
    if (width * height > limits.maxPixels)
      throw new LookalikeError(
        'image_too_large',
        `the picture is ${width} x ${height} pixels, at most ${limits.maxPixels} pixels are allowed`,
        { field: 'image' },
      );
    return { format, width, height };
  }

  const open = (bytes: Uint8Array) =>
    sharp(bytes, { limitInputPixels: limits.maxPixels, failOn: 'error', pages: 1, autoOrient: true }).timeout(
      {
        seconds: limits.timeoutSeconds,
      },
    );

  return {
    async decode(bytes: Uint8Array, preprocess: PreprocessRecord): Promise<DecodedImage> {
      const { format, width, height } = await inspect(bytes);
      const { crop, kernel, background } = preprocess;
      const [r, g, b] = background;
      const box = cropBox(width, height, preprocess);
      const large = format === 'jpeg' && Math.min(box.width / crop.width, box.height / crop.height) >= LARGE;
      const { data, info } = await guarded(async () =>
        // Cutting before the resize also turns off shrink-on-load, which would shift pixels against training.
        (large
          ? await cutOfShrunk(open(bytes), shrunkCut({ width, height }, box, crop), kernel)
          : open(bytes).extract(box)
        )
          .flatten({ background: { r, g, b } })
          .resize(crop.width, crop.height, { fit: 'fill', kernel })
          .toColourspace('srgb')
          .removeAlpha()
          .raw({ depth: 'uchar' })
          .toBuffer({ resolveWithObject: true }),
      );
      if (info.channels !== 3)
        throw new LookalikeError(
          'undecodable_image',
          `the picture has ${info.channels} channels after conversion`,
        );
      return {
        image: { width: crop.width, height: crop.height, data },
        sourceWidth: width,
        sourceHeight: height,
        format,
      };
    },

    async thumbnail(bytes: Uint8Array, size: number): Promise<Uint8Array> {
      await inspect(bytes);
      return guarded(() =>
        open(bytes)
          .resize(size, size, { fit: 'inside', withoutEnlargement: true })
          .toColourspace('srgb')
          .webp({ quality: 80 })
          .toBuffer(),
      );
    },
  };
}

/** From so many times the result on, a JPEG is shrunk while it is read: below, the second step costs more than that saves. */
const LARGE = 16;

/** The cut of a picture, three to four times as large as the result. Vectors stay within a cosine of 0.999 (decision 25). */
async function cutOfShrunk(
  picture: Sharp,
  { width, height, box }: ShrunkCut,
  kernel: PreprocessRecord['kernel'],
) {
  const { data, info } = await picture
    .resize(width, height, { fit: 'fill', kernel })
    .extract(box)
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return sharp(data, { raw: info });
}

/** By libvips, which reads the header on a thread of its own. */
async function sizeOf(bytes: Uint8Array) {
  const header = await guarded(() => sharp(bytes, { limitInputPixels: false, failOn: 'error' }).metadata());
  const { width, height } = header.autoOrient ?? header;
  if (!width || !height) throw new LookalikeError('undecodable_image', 'the picture has no size');
  return { width, height };
}

function checkType(bytes: Uint8Array): string {
  if (bytes.length === 0)
    throw new LookalikeError('undecodable_image', 'the picture is empty (0 bytes)', { field: 'image' });
  const type = sniffImageType(bytes);
  if (type === 'jpeg' || type === 'png' || type === 'webp') return type;
  const found = type === null ? 'this is not a picture that is known here' : `this is a ${type} file`;
  throw new LookalikeError('unsupported_image', `${found}; ${IMAGE_TYPES.join(', ')} are allowed`, {
    field: 'image',
  });
}

/** libvips tells what is wrong in words; they are public, the picture came from the caller. */
async function guarded<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    const reason = messageOf(cause).split('\n')[0]!.trim();
    throw new LookalikeError('undecodable_image', `the picture cannot be decoded: ${reason}`, {
      field: 'image',
      cause,
    });
  }
}
