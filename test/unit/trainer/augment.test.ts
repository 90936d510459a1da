import { describe, expect, test } from 'vitest';
import { type Augmentation, drawColour, drawCrop, writeView } from '../../../trainer/src/augment.js';
import { drawFor, permutation } from '../../../trainer/src/random.js';

const SIDE = 16;
const none: Augmentation = {
  size: SIDE,
  crop: [1, 1],
  flip: 0,
  jitter: 0,
  brightness: 0.4,
  contrast: 0.4,
  saturation: 0.4,
  hue: 0.1,
  grey: 0,
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.25, 0.5],
};
const all: Augmentation = { ...none, crop: [0.2, 1], flip: 0.5, jitter: 0.8, grey: 0.2, size: 8 };

const draw = drawFor(5);
const data = Uint8Array.from({ length: 2 * SIDE * SIDE * 3 }, () => Math.floor(draw() * 256));
const source = { data, offset: SIDE * SIDE * 3, side: SIDE }; // the second of two pictures

function view(options: Augmentation, ...keys: number[]): Float32Array {
  const out = new Float32Array(options.size ** 2 * 3);
  writeView(source, options, drawFor(...keys), out, 0);
  return out;
}

/** Back to 0..255. */
const plain = (values: Float32Array) =>
  values.map((value, i) => 255 * (value * none.std[i % 3]! + none.mean[i % 3]!));

describe('writeView', () => {
  test('without any change gives the picture itself, normalised', () => {
    const pixels = plain(view(none, 1));
    pixels.forEach((value, i) => {
      expect(value).toBeCloseTo(data[source.offset + i]!, 3);
    });
  });

  test('mirrors from left to right', () => {
    const pixels = plain(view({ ...none, flip: 1 }, 1));
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++)
        expect(pixels[(y * SIDE + x) * 3]).toBeCloseTo(
          data[source.offset + (y * SIDE + SIDE - 1 - x) * 3]!,
          3,
        );
  });

  test('grey is the luma of each pixel in all three channels', () => {
    const pixels = plain(view({ ...none, grey: 1 }, 1));
    for (let i = 0; i < pixels.length; i += 3) {
      const [r, g, b] = data.subarray(source.offset + i, source.offset + i + 3);
      const luma = 0.299 * r! + 0.587 * g! + 0.114 * b!;
      for (let c = 0; c < 3; c++) expect(pixels[i + c]).toBeCloseTo(luma, 2);
    }
  });

  test('depends on its keys and on nothing else', () => {
    const first = view(all, 7, 0, 3, 1);
    view(all, 9, 9, 9, 9); // another draw between must not matter
    expect(view(all, 7, 0, 3, 1)).toEqual(first);
    for (const other of [
      [8, 0, 3, 1],
      [7, 1, 3, 1],
      [7, 0, 4, 1],
      [7, 0, 3, 0],
    ])
      expect(view(all, ...other)).not.toEqual(first);
  });
});

describe('drawCrop', () => {
  test('stays inside and keeps to the area and the aspect ratio', () => {
    const areas = Array.from({ length: 500 }, (_, i) => {
      const { left, top, width, height } = drawCrop(drawFor(i), 100, [0.2, 1]);
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
      expect(Math.max(left + width, top + height)).toBeLessThanOrEqual(100 + 1e-9);
      expect(width / height).toBeGreaterThan(0.749);
      expect(width / height).toBeLessThan(1.334);
      return (width * height) / 1e4;
    });
    expect(Math.min(...areas)).toBeGreaterThanOrEqual(0.2);
    expect(Math.min(...areas)).toBeLessThan(0.25);
    expect(Math.max(...areas)).toBeGreaterThan(0.9);
  });
});

describe('drawColour', () => {
  const apply = (m: number[], rgb: number[]) =>
    [0, 1, 2].map((row) => rgb.reduce((sum, v, i) => sum + m[row * 4 + i]! * v, m[row * 4 + 3]!));

  test('grey stays grey whatever the hue and the saturation', () => {
    const options = { ...none, jitter: 1, brightness: 0, contrast: 0, hue: 0.5 };
    for (let i = 0; i < 20; i++) {
      const colour = apply(drawColour(drawFor(i), options, [10, 20, 30]), [100, 100, 100]);
      for (const value of colour) expect(value).toBeCloseTo(100, 0);
    }
  });

  test('contrast keeps the mean luma, brightness scales it', () => {
    const mean = [50, 100, 150];
    const luma = (rgb: number[]) => 0.299 * rgb[0]! + 0.587 * rgb[1]! + 0.114 * rgb[2]!;
    const contrast = { ...none, jitter: 1, brightness: 0, saturation: 0, hue: 0 };
    const brightness = { ...contrast, brightness: 0.4, contrast: 0 };
    const before = luma(mean);
    for (let i = 0; i < 20; i++) {
      expect(luma(apply(drawColour(drawFor(i), contrast, mean), mean))).toBeCloseTo(before, 0);
      const ratio = luma(apply(drawColour(drawFor(i), brightness, mean), mean)) / before;
      expect(ratio).toBeGreaterThan(0.59);
      expect(ratio).toBeLessThan(1.41);
    }
  });
});

describe('permutation', () => {
  test('holds every number once and follows its keys', () => {
    const order = permutation(drawFor(1, 2), 1000);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(permutation(drawFor(1, 2), 1000)).toEqual(order);
    expect(permutation(drawFor(1, 3), 1000)).not.toEqual(order);
  });
});
