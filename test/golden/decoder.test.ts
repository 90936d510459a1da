/** The decoder against pictures whose pixels are known: colour, depth, alpha, profile and orientation. */
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { createDecoder } from '../../src/engines/sharp-decoder.js';
import { at, BLACK, BLUE, farthest, GREEN, meanDifference, paint, RED, record, WHITE } from './pixels.js';

const decoder = createDecoder({ maxPixels: 1_000_000, timeoutSeconds: 10 });
const decode = (bytes: Uint8Array, given = record(16)) => decoder.decode(bytes, given);

/** Four quarters of one colour each, as the encoder saw them. */
const quarters = (x: number, y: number) => (y < 8 ? (x < 8 ? RED : GREEN) : x < 8 ? BLUE : WHITE);
const square = { width: 16, height: 16 };
const expectQuarters = (image: Parameters<typeof at>[0], tolerance: number) => {
  const corners: [number, number, number[]][] = [
    [2, 2, RED],
    [13, 2, GREEN],
    [2, 13, BLUE],
    [13, 13, WHITE],
  ];
  for (const [x, y, colour] of corners)
    expect(farthest(at(image, x, y), colour)).toBeLessThanOrEqual(tolerance);
};

describe('the decoder', () => {
  it('gives a PNG back pixel for pixel when nothing is to be resized', async () => {
    const png = await paint(square, quarters).png().toBuffer();
    const { image, ...about } = await decode(png);
    expect(about).toEqual({ sourceWidth: 16, sourceHeight: 16, format: 'png' });
    const expected = Array.from({ length: 256 }, (_, i) => quarters(i % 16, Math.floor(i / 16))).flat();
    expect([...image.data]).toEqual(expected);
  });

  it('reads JPEG and WebP', async () => {
    const picture = paint(square, quarters);
    const jpeg = await picture.clone().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
    const webp = await picture.clone().webp({ lossless: true }).toBuffer();
    expectQuarters((await decode(jpeg)).image, 4);
    expectQuarters((await decode(webp)).image, 0);
    expect([(await decode(jpeg)).format, (await decode(webp)).format]).toEqual(['jpeg', 'webp']);
  });

  it('reads a large JPEG, shrunk while it is read, as it reads the same pixels from a PNG', async () => {
    const [width, height] = [700, 540];
    const scene = (x: number, y: number) => [
      (255 * x) / width,
      (255 * y) / height,
      128 + 60 * Math.sin(x / 9) * Math.cos(y / 13) + (x > 300 && y > 200 ? 60 : 0),
    ];
    const picture = paint({ width, height }, (x, y) => scene(x, y).map(Math.round));
    const jpeg = (made: Sharp) => made.jpeg({ quality: 95 });
    const large = [
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((orientation) =>
        jpeg(picture.clone()).withMetadata({ orientation }).toBuffer(),
      ),
      jpeg(picture.clone().greyscale()).toBuffer(),
      jpeg(picture.clone().toColourspace('cmyk')).toBuffer(),
      jpeg(picture.clone().withIccProfile('p3')).toBuffer(),
    ];
    for (const bytes of await Promise.all(large)) {
      const png = await sharp(bytes).autoOrient().toColourspace('srgb').png().toBuffer();
      for (const given of [record(16), record(16, 12), record(30, 30)]) {
        const [shrunk, whole] = [await decode(bytes, given), await decode(png, given)];
        expect(farthest(shrunk.image.data, whole.image.data)).toBeLessThanOrEqual(12);
        expect(meanDifference(shrunk.image.data, whole.image.data)).toBeLessThan(2);
        expect([shrunk.sourceWidth, shrunk.sourceHeight]).toEqual([whole.sourceWidth, whole.sourceHeight]);
      }
    }
  });

  it('lays transparency over the background of the record', async () => {
    const half = await paint(square, (x) => [255, 0, 0, x < 8 ? 255 : 0])
      .png()
      .toBuffer();
    const over = (background: [number, number, number]) => decode(half, record(16, 16, { background }));
    expect(at((await over([255, 255, 255])).image, 13, 8)).toEqual(WHITE);
    expect(at((await over([0, 0, 255])).image, 13, 8)).toEqual(BLUE);
    expect(at((await over([0, 0, 255])).image, 2, 8)).toEqual(RED);
    const faint = await paint(square, () => [255, 0, 0, 128])
      .webp({ lossless: true })
      .toBuffer();
    expect(
      farthest(at((await decode(faint, record(16, 16, { background: [0, 0, 0] }))).image, 8, 8), [128, 0, 0]),
    ).toBeLessThanOrEqual(1);
  });

  it('reads grey, grey with alpha and palettes as three channels', async () => {
    const grey = await paint(square, (x) => [x * 16])
      .png()
      .toBuffer();
    expect(at((await decode(grey)).image, 10, 3)).toEqual([160, 160, 160]);
    const greyAlpha = await paint(square, (x) => [0, x < 8 ? 255 : 0])
      .png()
      .toBuffer();
    expect([at((await decode(greyAlpha)).image, 2, 2), at((await decode(greyAlpha)).image, 13, 2)]).toEqual([
      BLACK,
      WHITE,
    ]);
    const greyJpeg = await paint(square, () => [77])
      .jpeg({ quality: 100 })
      .toBuffer();
    expect(farthest(at((await decode(greyJpeg)).image, 5, 5), [77, 77, 77])).toBeLessThanOrEqual(1);
    const palette = await paint(square, quarters).png({ palette: true, colours: 4, dither: 0 }).toBuffer();
    expectQuarters((await decode(palette)).image, 2);
  });

  it('brings 16 bits to 8, with and without alpha', async () => {
    const wide = (channels: 3 | 4, alpha: number) => {
      const colour = [0xffff, 0x8080, 0, alpha].slice(0, channels);
      const raw = Uint16Array.from({ length: 256 * channels }, (_, i) => colour[i % channels]!);
      return sharp(raw, { raw: { width: 16, height: 16, channels } })
        .toColourspace('rgb16')
        .png()
        .toBuffer();
    };
    const plain = await wide(3, 0);
    expect((await sharp(plain).metadata()).depth).toBe('ushort');
    expect(farthest(at((await decode(plain)).image, 8, 8), [255, 128, 0])).toBeLessThanOrEqual(1);
    const clear = await wide(4, 0);
    expect(farthest(at((await decode(clear)).image, 8, 8), WHITE)).toBeLessThanOrEqual(1);
  });

  it('turns CMYK into sRGB, not upside down', async () => {
    // Print cannot show every colour of a screen: these it can, nearly.
    const printable: [number[], number][] = [
      [WHITE, 4],
      [[128, 128, 128], 20],
      [BLACK, 20],
      [RED, 40],
    ];
    for (const [colour, tolerance] of printable) {
      const jpeg = await paint(square, () => colour)
        .toColourspace('cmyk')
        .jpeg({ quality: 100 })
        .toBuffer();
      expect((await sharp(jpeg).metadata()).space).toBe('cmyk');
      expect(farthest(at((await decode(jpeg)).image, 8, 8), colour)).toBeLessThanOrEqual(tolerance);
    }
  });

  it('applies the profile that travels with a picture', async () => {
    const wide = await paint(square, () => RED)
      .withIccProfile('p3')
      .png()
      .toBuffer();
    expect((await sharp(wide).metadata()).icc).toBeDefined();
    expect(farthest(at((await decode(wide)).image, 8, 8), RED)).toBeLessThanOrEqual(3);
    // The control: without its profile the same file is another red.
    const [chunk, length] = [wide.indexOf('iCCP') - 4, wide.readUInt32BE(wide.indexOf('iCCP') - 4)];
    const bare = Buffer.concat([wide.subarray(0, chunk), wide.subarray(chunk + 12 + length)]);
    expect(farthest(at((await decode(bare)).image, 8, 8), RED)).toBeGreaterThan(15);
  });

  it('cuts the centre out of a long picture and stretches a single pixel', async () => {
    const bar = (width: number, height: number) =>
      paint({ width, height }, (x, y) =>
        Math.max(x, y) === Math.floor(Math.max(width, height) / 2) ? RED : BLUE,
      );
    const long = await decode(await bar(4001, 3).png().toBuffer());
    expect([long.sourceWidth, long.sourceHeight, long.image.width, long.image.height]).toEqual([
      4001, 3, 16, 16,
    ]);
    expect(at(long.image, 8, 8)[0]).toBeGreaterThan(200);
    expect(at(long.image, 0, 8)[2]).toBeGreaterThan(200);
    const thin = await decode(await bar(1, 999).png().toBuffer());
    expect(farthest(at(thin.image, 3, 3), RED)).toBeLessThanOrEqual(1);
    const dot = await decode(
      await paint({ width: 1, height: 1 }, () => GREEN)
        .png()
        .toBuffer(),
    );
    expect(dot.image.data.length).toBe(16 * 16 * 3);
    expect(farthest(at(dot.image, 0, 0), GREEN)).toBe(0);
  });

  it('resizes a picture to a size that is not its shape, all of it or the middle of it', async () => {
    // Three upright bars; the middle one is half the width.
    const bars = (x: number) => (x < 16 ? RED : x < 48 ? GREEN : BLUE);
    const png = await paint({ width: 64, height: 16 }, bars).png().toBuffer();
    const whole = await decode(png, record(16, 16, { resize: { width: 16, height: 16 } }));
    expect([2, 8, 13].map((x) => at(whole.image, x, 8))).toEqual([RED, GREEN, BLUE]);
    expect([whole.sourceWidth, whole.sourceHeight]).toEqual([64, 16]);
    const middle = await decode(png, record(8, 8, { resize: { width: 16, height: 16 } }));
    expect([1, 4, 6].map((x) => at(middle.image, x, 4))).toEqual([GREEN, GREEN, GREEN]);
    const kept = await decode(png, record(16));
    expect([1, 8, 14].map((x) => at(kept.image, x, 8))).toEqual([GREEN, GREEN, GREEN]);
  });

  it('averages what a direct resize makes smaller, in each direction on its own', async () => {
    // Stripes of one pixel become grey across, and stay as they are down.
    const png = await paint({ width: 64, height: 8 }, (x, y) => (y < 4 ? (x % 2 ? WHITE : BLACK) : WHITE))
      .png()
      .toBuffer();
    const { image } = await decode(png, record(8, 8, { resize: { width: 8, height: 8 }, kernel: 'linear' }));
    expect(farthest(at(image, 4, 1), [128, 128, 128])).toBeLessThanOrEqual(2);
    expect(at(image, 4, 6)).toEqual(WHITE);
  });

  it('gives the same picture however many are decoded at once', async () => {
    const png = await paint({ width: 90, height: 60 }, (x, y) => [x, y, x ^ y])
      .png()
      .toBuffer();
    const [first, ...others] = await Promise.all(Array.from({ length: 12 }, () => decode(png)));
    for (const { image } of others) expect(image.data).toEqual(first!.image.data);
  });
});

describe('EXIF orientation', () => {
  // Stored pixel (x, y) of a w x h file is shown at: EXIF 2.32, tag 0x0112.
  const shown: Record<number, (x: number, y: number, w: number, h: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y, w) => [w - 1 - x, y],
    3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
    4: (x, y, _, h) => [x, h - 1 - y],
    5: (x, y) => [y, x],
    6: (x, y, _, h) => [h - 1 - y, x],
    7: (x, y, w, h) => [h - 1 - y, w - 1 - x],
    8: (x, y, w) => [y, w - 1 - x],
  };
  const colour = (x: number, y: number) => [x * 5, y * 7, (x + y) * 3];

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i shows the picture upright', async (orientation) => {
    const [width, height] = orientation < 5 ? [48, 32] : [32, 48];
    const stored = await paint({ width, height }, (x, y) =>
      colour(...shown[orientation]!(x, y, width, height)),
    )
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .withMetadata({ orientation })
      .toBuffer();
    const { image, sourceWidth, sourceHeight } = await decode(stored, record(48, 32));
    expect([sourceWidth, sourceHeight]).toEqual([48, 32]);
    const expected = Array.from({ length: 48 * 32 }, (_, i) => colour(i % 48, Math.floor(i / 48))).flat();
    expect(farthest(image.data, expected)).toBeLessThanOrEqual(6);
  });
});
