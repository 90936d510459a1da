/** The decoder on files that nobody here made: orientations of real cameras, every kind of PNG, and broken ones. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LookalikeError } from '../../src/core/errors.js';
import type { DecodedImage } from '../../src/core/types.js';
import { createDecoder } from '../../src/engines/sharp-decoder.js';
import { dataArchive, unpack } from '../fixtures/data.js';
import { tempFolder } from '../fixtures/temp-folder.js';
import { at, farthest, meanDifference, record } from './pixels.js';

const archive = dataArchive('odd-images.tar.gz');
const decoder = createDecoder();

type Outcome = DecodedImage | LookalikeError;

describe.skipIf(archive === null)('odd pictures', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await tempFolder();
    await unpack(archive!, folder);
  });
  const read = (name: string) => readFile(join(folder, name));

  /** name -> what became of it; anything but a picture or a refusal fails the test. */
  async function outcomes(below: string): Promise<Map<string, Outcome>> {
    const names = (await readdir(join(folder, below))).filter((name) => /\.(jpe?g|png)$/i.test(name));
    const all = await Promise.all(
      names.map(async (name): Promise<[string, Outcome]> => {
        const decoded = decoder.decode(await read(join(below, name)), record(32));
        return [
          name,
          await decoded.catch((error) => (error instanceof LookalikeError ? error : Promise.reject(error))),
        ];
      }),
    );
    return new Map(all);
  }

  it('are all decoded or refused, and the deliberately broken ones refused', async () => {
    const all = await outcomes('pngsuite');
    expect(all.size).toBeGreaterThan(170);
    const refused = [...all].filter(
      (entry): entry is [string, LookalikeError] => entry[1] instanceof LookalikeError,
    );
    const broken = [...all.keys()].filter((name) => name.startsWith('x'));
    expect(broken.length).toBe(14);
    expect(refused.map(([name]) => name).sort()).toEqual(broken.sort());
    for (const [, { code }] of refused)
      expect(['unsupported_image', 'undecodable_image', 'image_too_large']).toContain(code);
    for (const outcome of all.values())
      if (!(outcome instanceof LookalikeError)) expect(outcome.image.data.length).toBe(32 * 32 * 3);
  });

  /** name, input side -> the pixels at the top left, in the middle and at the bottom right. */
  const PINNED: [string, number, number[][]][] = [
    [
      'pngsuite/basn0g08.png',
      32,
      [
        [0, 0, 0],
        [18, 18, 18],
        [3, 3, 3],
      ],
    ],
    [
      'pngsuite/basn2c08.png',
      32,
      [
        [255, 255, 255],
        [239, 255, 255],
        [0, 0, 0],
      ],
    ],
    [
      'pngsuite/basn2c16.png',
      32,
      [
        [255, 255, 0],
        [123, 123, 8],
        [0, 0, 255],
      ],
    ],
    [
      'pngsuite/basn3p08.png',
      32,
      [
        [1, 0, 0],
        [1, 255, 1],
        [255, 254, 255],
      ],
    ],
    [
      'pngsuite/basn4a16.png',
      32,
      [
        [255, 255, 255],
        [8, 8, 8],
        [255, 255, 255],
      ],
    ],
    [
      'pngsuite/basn6a16.png',
      32,
      [
        [255, 255, 255],
        [8, 8, 255],
        [255, 255, 255],
      ],
    ],
    [
      'pngsuite/cdfn2c08.png',
      8,
      [
        [255, 102, 0],
        [136, 34, 204],
        [255, 51, 0],
      ],
    ],
    [
      'exif-orientation/Landscape_1.jpg',
      8,
      [
        [166, 197, 238],
        [60, 66, 69],
        [57, 86, 117],
      ],
    ],
    [
      'exif-orientation/Portrait_6.jpg',
      8,
      [
        [144, 159, 170],
        [157, 171, 177],
        [79, 88, 94],
      ],
    ],
  ];

  it.each(PINNED)('%s at %i pixels is what it was when this was written', async (name, side, pixels) => {
    const { image } = await decoder.decode(await read(name), record(side));
    const places = [0, side / 2, side - 1];
    places.forEach((place, i) => {
      expect(farthest(at(image, place, place), pixels[i]!)).toBeLessThanOrEqual(2);
    });
  });

  it('show the same picture in all orientations', async () => {
    for (const shape of ['Landscape', 'Portrait']) {
      const upright = await decoder.decode(await read(`exif-orientation/${shape}_1.jpg`), record(64));
      for (const orientation of [0, 2, 3, 4, 5, 6, 7, 8]) {
        const turned = await decoder.decode(
          await read(`exif-orientation/${shape}_${orientation}.jpg`),
          record(64),
        );
        expect([turned.sourceWidth, turned.sourceHeight]).toEqual([
          upright.sourceWidth,
          upright.sourceHeight,
        ]);
        // Each was compressed on its own after turning.
        expect(meanDifference(turned.image.data, upright.image.data)).toBeLessThan(2);
      }
    }
  });
});
