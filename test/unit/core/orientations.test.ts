/** The orientations of a picture against sharp's own flips and turns. */
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { orientations } from '../../../src/core/orientations.js';
import type { Image } from '../../../src/core/types.js';
import { random } from '../../contract/vectors.js';

function noise(width: number, height: number): Image {
  const next = random(width * 100 + height);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => next() * 256) };
}

/** All that sharp makes of it by turning by quarters and mirroring, as text. */
async function bySharp({ width, height, data }: Image): Promise<string[]> {
  const made: string[] = [];
  for (const angle of [0, 90, 180, 270])
    for (const mirror of [false, true]) {
      const turned = await sharp(data, { raw: { width, height, channels: 3 } })
        .rotate(angle)
        .raw()
        .toBuffer({ resolveWithObject: true });
      if (turned.info.width !== width) continue;
      const raw = { raw: { width, height, channels: 3 as const } };
      made.push((await sharp(turned.data, raw).flop(mirror).raw().toBuffer()).toString('hex'));
    }
  return made;
}

it.each([
  [5, 5, 8],
  [4, 7, 4],
  [1, 1, 8],
])('of %i x %i pixels are %i', async (width, height, count) => {
  const image = noise(width, height);
  const before = Buffer.from(image.data).toString('hex');
  const all = orientations(image);
  expect(all.length).toBe(count);
  expect(all.every((one) => one.width === width && one.height === height)).toBe(true);
  const ours = all.map(({ data }) => Buffer.from(data).toString('hex'));
  expect(ours[0]).toBe(before);
  expect(ours.toSorted()).toEqual((await bySharp(image)).toSorted());
});
