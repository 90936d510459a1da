/** What the decoder refuses, and that a thumbnail carries nothing of its original but the pixels. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createDecoder } from '../../src/engines/sharp-decoder.js';
import { bombPng, claimingPng, GIF, HEIC, PDF, SVG } from '../fixtures/bad-pictures.js';
import { refusal } from '../fixtures/errors.js';
import { GREEN, paint, RED, record } from './pixels.js';

const decoder = createDecoder({ maxPixels: 1_000_000, timeoutSeconds: 10 });
const decode = (bytes: Uint8Array) => decoder.decode(bytes, record(16));
const square = { width: 16, height: 16 };

describe('what is refused', () => {
  it('is every type but three, and each is named', async () => {
    const tiff = await paint(square, () => RED)
      .tiff()
      .toBuffer();
    const others: [string, Uint8Array][] = [
      ['GIF', GIF],
      ['SVG', SVG],
      ['PDF', PDF],
      ['HEIC', HEIC],
      ['TIFF', tiff],
    ];
    for (const [type, bytes] of others)
      expect((await refusal('unsupported_image', () => decode(bytes))).message).toContain(type);
    await refusal('unsupported_image', () => decode(Buffer.from('no picture')));
  });

  it('stays refused by the library itself: the loaders are closed', async () => {
    const tiff = await paint(square, () => RED)
      .tiff()
      .toBuffer();
    for (const bytes of [GIF, SVG, PDF, tiff]) await expect(sharp(bytes).metadata()).rejects.toThrow();
  });

  it('is nothing at all, and a head without a body', async () => {
    await refusal('undecodable_image', () => decode(new Uint8Array(0)));
    for (const head of ['\xff\xd8\xff', '\x89PNG\r\n\x1a\n', 'RIFF\0\0\0\0WEBP'])
      await refusal('undecodable_image', () => decode(Buffer.from(head, 'latin1')));
  });

  it.each(['jpeg', 'png', 'webp'] as const)('is a %s that was cut short, wherever it was', async (format) => {
    const noise = (x: number, y: number) => [(x * 37 + y * 11) % 256, (x * y) % 256, (x * 5 + y * 91) % 256];
    const whole = await paint({ width: 96, height: 96 }, noise).toFormat(format).toBuffer();
    await decode(whole);
    for (const share of [0.1, 0.5, 0.9])
      await refusal('undecodable_image', () => decode(whole.subarray(0, Math.floor(whole.length * share))));
  });

  it('is a picture of too many pixels, before any of them is decoded', async () => {
    for (const [width, height] of [
      [1001, 1000],
      [100_000, 100_000],
      [2 ** 24, 2 ** 24],
    ] as const) {
      const { code, message } = await decode(await claimingPng(width, height)).then(
        () => expect.unreachable(),
        (error) => error,
      );
      expect(['image_too_large', 'undecodable_image']).toContain(code); // libpng itself refuses absurd sizes
      if (width === 1001) expect(message).toMatch(/1001 x 1000.*1000000/);
    }
    expect((await refusal('image_too_large', async () => decode(await bombPng(4000)))).message).toContain(
      '4000 x 4000',
    );
    await decode(await bombPng(1000));
  });
});

describe('thumbnails', () => {
  it('are small WebP pictures without anything of the original but its pixels', async () => {
    const original = await paint({ width: 600, height: 300 }, () => GREEN)
      .jpeg()
      .withMetadata({ orientation: 6, exif: { IFD0: { Copyright: 'a secret' } } })
      .toBuffer();
    const webp = await decoder.thumbnail(original, 256);
    const { width, height, format, exif, orientation } = await sharp(webp).metadata();
    expect({ width, height, format, exif, orientation }).toEqual({
      width: 128,
      height: 256,
      format: 'webp',
      exif: undefined,
      orientation: undefined,
    });
    expect(Buffer.from(webp).includes('a secret')).toBe(false);
  });

  it('are not larger than the picture, and refused like it', async () => {
    const dot = await paint({ width: 3, height: 2 }, () => RED)
      .png()
      .toBuffer();
    expect(await sharp(await decoder.thumbnail(dot, 256)).metadata()).toMatchObject({ width: 3, height: 2 });
    await refusal('unsupported_image', () => decoder.thumbnail(SVG, 256));
    await refusal('image_too_large', async () => decoder.thumbnail(await bombPng(2000), 256));
    await refusal('undecodable_image', () => decoder.thumbnail(dot.subarray(0, 40), 256));
  });
});
