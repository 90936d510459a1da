/** Crop boxes and tensors against numbers worked out by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PreprocessRecord } from '../../../src/core/manifests.js';
import { cropBox, shrunkCut, toChannelsLast, toTensor, writeTensor } from '../../../src/core/preprocess.js';

/** All of the picture to `width` x `height`, then a centre of it. */
const stretched = (width: number, height: number, crop = { width, height }): PreprocessRecord => ({
  ...record(1, 1),
  resize: { width, height },
  crop,
});

const record = (shorterSide: number, width: number, height = width): PreprocessRecord => ({
  resize: { shorter_side: shorterSide },
  crop: { width, height },
  kernel: 'lanczos3',
  mean: [0.5, 0.25, 0],
  std: [0.5, 0.25, 1],
  background: [255, 255, 255],
});

describe('cropBox', () => {
  it('cuts the centre of a landscape and of a portrait picture', () => {
    // Shorter side 256 -> 480: the scale is 480 / 256 = 1.875, the crop 224 * 1.875 = 420.
    expect(cropBox(640, 480, record(256, 224))).toEqual({ left: 110, top: 30, width: 420, height: 420 });
    expect(cropBox(480, 640, record(256, 224))).toEqual({ left: 30, top: 110, width: 420, height: 420 });
  });

  it('takes the whole shorter side when the crop is as large as it', () => {
    expect(cropBox(500, 375, record(64, 64))).toEqual({ left: 62, top: 0, width: 375, height: 375 });
  });

  it('keeps a crop that is not square', () => {
    // Scale 2: 64 x 32 of the resized picture are 128 x 64 of the source.
    expect(cropBox(200, 128, record(64, 64, 32))).toEqual({ left: 36, top: 32, width: 128, height: 64 });
  });

  it('takes the whole side where the crop is larger than the resized picture', () => {
    expect(cropBox(100, 50, record(32, 64))).toEqual({ left: 0, top: 0, width: 100, height: 50 });
    expect(cropBox(300, 50, record(32, 64))).toEqual({ left: 100, top: 0, width: 100, height: 50 });
  });

  it('takes all of the picture when it is resized to the size of the crop, whatever its shape', () => {
    expect(cropBox(640, 480, stretched(224, 224))).toEqual({ left: 0, top: 0, width: 640, height: 480 });
    expect(cropBox(3, 4000, stretched(64, 32))).toEqual({ left: 0, top: 0, width: 3, height: 4000 });
  });

  it('cuts the same share of both sides out of a picture that is resized whatever its shape', () => {
    // 224 of 256 are seven eighths: 560 of 640, 420 of 480.
    const box = cropBox(640, 480, stretched(256, 256, { width: 224, height: 224 }));
    expect(box).toEqual({ left: 40, top: 30, width: 560, height: 420 });
  });

  it('finds at least one pixel in the smallest and the longest picture', () => {
    expect(cropBox(1, 1, record(256, 224))).toEqual({ left: 0, top: 0, width: 1, height: 1 });
    expect(cropBox(1, 3000, record(256, 224))).toEqual({ left: 0, top: 1499, width: 1, height: 1 });
    expect(cropBox(1, 1, stretched(4096, 4096, { width: 1, height: 1 }))).toEqual({
      left: 0,
      top: 0,
      width: 1,
      height: 1,
    });
    expect(cropBox(2, 1, record(4096, 1))).toEqual({ left: 0, top: 0, width: 1, height: 1 });
  });

  it('lies inside the picture and in its middle, for every size', () => {
    const side = fc.integer({ min: 1, max: 20_000 });
    const target = fc.integer({ min: 1, max: 4096 });
    fc.assert(
      fc.property(side, side, target, target, target, (width, height, shorter, cropWidth, cropHeight) => {
        const box = cropBox(width, height, record(shorter, cropWidth, cropHeight));
        expect(Object.values(box).every(Number.isInteger)).toBe(true);
        expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(1);
        const [right, bottom] = [width - box.left - box.width, height - box.top - box.height];
        expect(Math.min(box.left, box.top, right, bottom)).toBeGreaterThanOrEqual(0);
        expect(Math.abs(right - box.left)).toBeLessThanOrEqual(1);
        expect(Math.abs(bottom - box.top)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('tensors', () => {
  const two = {
    width: 2,
    height: 1,
    data: Uint8Array.of(255, 0, 51, 0, 255, 102), // red 255 0, green 0 255, blue 51 102
  };

  it('writes channel planes of (value / 255 - mean) / std', () => {
    const tensor = new Float32Array(6);
    writeTensor(two, record(2, 2, 1), tensor);
    [1, -1, -1, 3, 0.2, 0.4].forEach((value, i) => {
      expect(tensor[i]).toBeCloseTo(value, 6);
    });
  });

  it('writes at the offset and nowhere else', () => {
    const tensor = new Float32Array(8).fill(9);
    writeTensor(two, record(2, 2, 1), tensor, 1);
    expect([tensor[0], tensor[7]]).toEqual([9, 9]);
    expect(tensor[1]).toBeCloseTo(1, 6);
  });

  it('moves the channels last, picture by picture', () => {
    const planes = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12); // two pictures of two pixels
    expect([...toChannelsLast(planes, 2)]).toEqual([1, 3, 5, 2, 4, 6, 7, 9, 11, 8, 10, 12]);
    expect(toChannelsLast(new Float32Array(0), 0)).toEqual(new Float32Array(0));
  });

  it('puts pictures behind each other, each as it is alone', () => {
    const other = { ...two, data: two.data.toReversed() };
    const made = record(2, 2, 1);
    const both = toTensor([two, other], made);
    expect(both).toEqual(Float32Array.of(...toTensor([two], made), ...toTensor([other], made)));
    expect(toTensor([], made).length).toBe(0);
  });
});

describe('the cut of a picture that is made smaller first', () => {
  it('lies where it lay before, within a tenth of a pixel, for the shapes of cameras', () => {
    for (const [width, height] of [
      [4000, 3000],
      [4032, 3024],
      [6000, 4000],
      [3840, 2160],
      [3000, 4000],
      [2592, 1944],
      [5184, 2916],
    ] as const)
      for (const side of [112, 96, 64]) {
        const box = cropBox(width, height, record(side, side));
        const cut = shrunkCut({ width, height }, box, { width: side, height: side });
        const across = cut.width / width;
        const down = cut.height / height;
        for (const [found, wanted] of [
          [cut.box.left, box.left * across],
          [cut.box.top, box.top * down],
          [cut.box.left + cut.box.width, (box.left + box.width) * across],
          [cut.box.top + cut.box.height, (box.top + box.height) * down],
        ] as const)
          expect(Math.abs(found - wanted)).toBeLessThan(0.1);
      }
  });

  it('is inside the picture and three times as large as the result, whatever the shapes', () => {
    const length = fc.integer({ min: 400, max: 9000 });
    const side = fc.integer({ min: 8, max: 100 });
    fc.assert(
      fc.property(length, length, side, side, fc.boolean(), (width, height, w, h, squash) => {
        const crop = { width: w, height: h };
        const resize = squash ? crop : { shorter_side: Math.max(w, h) };
        const box = cropBox(width, height, { ...record(1, 1), resize, crop });
        const cut = shrunkCut({ width, height }, box, crop);
        expect(Math.min(cut.box.left, cut.box.top)).toBeGreaterThanOrEqual(0);
        expect(cut.box.left + cut.box.width).toBeLessThanOrEqual(cut.width);
        expect(cut.box.top + cut.box.height).toBeLessThanOrEqual(cut.height);
        expect(cut.box.width).toBeGreaterThanOrEqual(3 * w - 1);
        expect(cut.box.height).toBeGreaterThanOrEqual(3 * h - 1);
      }),
    );
  });
});
