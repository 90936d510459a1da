import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDecoder, listImages } from '../../../src/offline.js';
import { MINIMUM_PICTURES, splitFolder } from '../../../trainer/src/folder.js';
import { Interrupted } from '../../../trainer/src/interrupt.js';
import { packImages, squareRecord } from '../../../trainer/src/pack.js';

const folder = mkdtempSync(join(tmpdir(), 'lookalike-pack-'));
const photos = join(folder, 'photos');
const cacheDir = join(folder, 'cache');
const COUNT = 30;

beforeAll(async () => {
  for (let i = 0; i < COUNT; i++) {
    const label = join(photos, `label-${i % 3}`);
    mkdirSync(label, { recursive: true });
    const background = { r: 8 * i, g: 255 - 8 * i, b: 128 };
    const picture = sharp({ create: { width: 40, height: 30 + i, channels: 3, background } });
    await picture.jpeg().toFile(join(label, `${i}.jpg`));
  }
  writeFileSync(join(photos, 'label-1', '0-broken.jpg'), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('packImages', () => {
  test("holds the serving decoder's pixels in order, without what cannot be read", async () => {
    const images = await listImages(photos);
    const pack = await packImages(images, 16, { cacheDir });
    expect(pack.count).toBe(COUNT);
    expect(pack.unreadable.map(({ path }) => path)).toEqual([join(photos, 'label-1', '0-broken.jpg')]);
    expect(pack.images.map((image) => image.path)).toEqual(
      images.map((image) => image.path).filter((path) => !path.includes('broken')),
    );
    const decoder = createDecoder();
    for (const i of [0, 12, COUNT - 1]) {
      const { image } = await decoder.decode(readFileSync(pack.images[i]!.path), squareRecord(16));
      expect([...new Uint8Array(pack.data, i * 768, 768)]).toEqual([...image.data]);
    }
  });

  test('is read back from its cache until a file changes', async () => {
    const images = await listImages(photos);
    const first = await packImages(images, 16, { cacheDir });
    const files = readdirSync(cacheDir);
    const again = await packImages(images, 16, { cacheDir });
    expect(readdirSync(cacheDir)).toEqual(files);
    expect(Buffer.from(again.data).equals(Buffer.from(first.data))).toBe(true);
    expect({ ...again, data: null }).toEqual({ ...first, data: null });
    utimesSync(images[5]!.path, 1, 1);
    await packImages(images, 16, { cacheDir });
    expect(readdirSync(cacheDir).length).toBe(files.length + 2);
  });

  test('ends without a part of a pack when it is interrupted, or when it cannot be written', async () => {
    const images = await listImages(photos);
    const fresh = join(folder, 'fresh');
    let asked = 0;
    const interrupted = () => ++asked > 12;
    const stopped = packImages(images, 16, { cacheDir: fresh, interrupted });
    await expect(stopped).rejects.toThrow(Interrupted);
    expect(asked).toBeLessThan(COUNT);
    expect(existsSync(fresh)).toBe(false);
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(packImages(images, 16, { cacheDir: join(file, 'pack') })).rejects.toThrow(
      'a part of the path is a file',
    );
  });

  test('refuses what cannot fit into memory before it decodes anything', async () => {
    const image = (await listImages(photos))[0]!;
    const many = Array.from({ length: 1e6 }, () => image);
    await expect(packImages(many, 1024, { cacheDir })).rejects.toThrow(
      'choose a smaller --pack, --size or folder',
    );
  });
});

describe('splitFolder', () => {
  test('holds back a tenth by the seed, with no picture in both parts', async () => {
    const { training, heldOut } = await splitFolder(photos, null, 0);
    expect(heldOut.length).toBe(3);
    expect(new Set([...training, ...heldOut].map(({ path }) => path)).size).toBe(COUNT + 1);
    expect(await splitFolder(photos, null, 0)).toEqual({ training, heldOut });
    expect((await splitFolder(photos, null, 1)).heldOut).not.toEqual(heldOut);
  });

  test('a folder for measuring leaves all others for training', async () => {
    const { training, heldOut } = await splitFolder(photos, photos, 0);
    expect([training.length, heldOut.length]).toEqual([COUNT + 1, COUNT + 1]);
  });

  test('names the number of pictures that is needed', async () => {
    const one = join(photos, 'label-0');
    await expect(splitFolder(one, null, 0)).rejects.toThrow(`at least ${MINIMUM_PICTURES}`);
    await expect(splitFolder(photos, one, 0)).rejects.toThrow('no labelled pictures');
  });

  test('does not measure where no picture that is learned from has a label', async () => {
    const plain = join(folder, 'plain');
    cpSync(join(photos, 'label-0'), plain, { recursive: true });
    cpSync(join(photos, 'label-2'), plain, { recursive: true });
    expect((await splitFolder(plain, null, 0)).heldOut).toEqual([]);
    await expect(splitFolder(plain, photos, 0)).rejects.toThrow('has no sub-folders');
  });
});
