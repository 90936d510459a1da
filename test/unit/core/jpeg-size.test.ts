import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { jpegSize } from '../../../src/core/jpeg-size.js';
import { seeded } from '../../../src/core/random.js';

const plain = sharp({ create: { width: 317, height: 45, channels: 3, background: 'teal' } });

describe('the size of a JPEG from its header', () => {
  it.each([
    ['baseline', plain.clone().jpeg()],
    ['progressive', plain.clone().jpeg({ progressive: true })],
    [
      'with optimised tables and no subsampling',
      plain.clone().jpeg({ optimiseCoding: true, chromaSubsampling: '4:4:4' }),
    ],
    ['grey', plain.clone().greyscale().jpeg()],
    ['CMYK', plain.clone().toColourspace('cmyk').jpeg()],
    ['with a colour profile', plain.clone().withIccProfile('p3', { attach: true }).jpeg()],
    ['with XMP', plain.clone().withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>').jpeg()],
  ])('is read where it is %s', async (_, picture) => {
    expect(jpegSize(await picture.toBuffer())).toEqual({ width: 317, height: 45 });
  });

  it('is left to the decoder where Exif may turn the picture', async () => {
    for (const orientation of [1, 6])
      expect(jpegSize(await plain.clone().withMetadata({ orientation }).jpeg().toBuffer())).toBeNull();
  });

  it('is left to the decoder where the header is cut off', async () => {
    const bytes = await plain.clone().jpeg().toBuffer();
    const whole = bytes.indexOf(Buffer.from([0xff, 0xc0])) + 10;
    for (let length = 0; length < whole; length++) expect(jpegSize(bytes.subarray(0, length))).toBeNull();
    expect(jpegSize(bytes.subarray(0, whole))).not.toBeNull();
  });

  it('is the one that the decoder finds, also in damaged headers', async () => {
    const random = seeded(5);
    const bytes = await plain.clone().jpeg().toBuffer();
    let read = 0;
    for (let i = 0; i < 2000; i++) {
      const damaged = Buffer.from(bytes);
      damaged[2 + Math.floor(random() * 600)] = Math.floor(random() * 256);
      const [ours, theirs] = [
        jpegSize(damaged),
        await sharp(damaged)
          .metadata()
          .catch(() => null),
      ];
      if (!ours || !theirs) continue;
      read++;
      expect(ours).toEqual({ width: theirs.width, height: theirs.height });
    }
    expect(read).toBeGreaterThan(1000);
  });
});
