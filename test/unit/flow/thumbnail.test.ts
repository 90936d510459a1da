/** Thumbnails: made from the file once, kept under its hash, and refused in words when the file is gone. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { createSharedLock } from '../../../src/core/shared-lock.js';
import { sha256Of } from '../../../src/engines/files.js';
import { createPictureFiles } from '../../../src/engines/picture-files.js';
import { createDecoder } from '../../../src/engines/sharp-decoder.js';
import { createThumbnailCache } from '../../../src/engines/thumbnail-cache.js';
import { type ThumbnailParts, thumbnail } from '../../../src/flow/thumbnail.js';
import { openDefault } from '../../fixtures/database.js';
import { refusal } from '../../fixtures/errors.js';
import { newItem } from '../../fixtures/items.js';
import { paintedPng } from '../../fixtures/painted.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let parts: ThumbnailParts;
let file: string;
beforeEach(async () => {
  const home = await tempFolder();
  file = join(home, 'a.png');
  const [mine, uploaded] = [await paintedPng(1), await paintedPng(2)];
  await writeFile(file, mine);
  const { database, store } = openDefault(join(home, 'x.db'));
  onTestFinished(() => database.close());
  store.put([
    newItem('é/a.png', { source: file, sha256: sha256Of(mine) }),
    newItem('uploaded', { sha256: sha256Of(uploaded) }),
    newItem('not kept', { sha256: 'ef'.repeat(32) }),
  ]);
  const pictures = createPictureFiles(join(home, 'images'));
  await pictures.put('originals', sha256Of(uploaded), uploaded);
  parts = {
    store,
    pictures,
    cache: createThumbnailCache(join(home, 'thumbnails')),
    fileWrites: createSharedLock(),
    decoder: createDecoder(),
    sha256: sha256Of,
    read: (path) => readFile(path),
  };
});

it('is a small WebP of the picture, kept when the file goes', async () => {
  const made = await thumbnail(parts, 'é/a.png');
  expect(await sharp(made).metadata()).toMatchObject({ format: 'webp', width: 48, height: 36 });
  await rm(file);
  expect(Buffer.from(await thumbnail(parts, 'é/a.png')).equals(Buffer.from(made))).toBe(true);
});

it('of an upload is made from what was kept', async () => {
  expect(await sharp(await thumbnail(parts, 'uploaded')).metadata()).toMatchObject({ width: 48 });
});

it('is not found without the item, without its file, and for an upload that kept none', async () => {
  expect((await refusal('not_found', () => thumbnail(parts, 'nobody'))).message).toContain('nobody');
  await refusal('not_found', () => thumbnail(parts, 'not kept'));
  await rm(file);
  const { message } = await refusal('not_found', () => thumbnail(parts, 'é/a.png'));
  expect(message).toContain('not there any more');
  expect(message).not.toContain(file); // a path of this machine is nobody's business
});

it('is never one of another picture that has taken the name of the file', async () => {
  await writeFile(file, await paintedPng(3));
  await refusal('not_found', () => thumbnail(parts, 'é/a.png'));
});

it('is not kept of an item that is deleted while it is made', async () => {
  const { decoder, store, cache } = parts;
  const { sha256 } = store.itemById('uploaded')!;
  const late = {
    ...decoder,
    thumbnail: async (bytes: Uint8Array, size: number) => {
      store.remove(['uploaded']);
      return decoder.thumbnail(bytes, size);
    },
  };
  await thumbnail({ ...parts, decoder: late }, 'uploaded');
  expect(await cache.get(sha256)).toBeNull();
});
