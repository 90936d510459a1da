/** Thumbnails: made from the file once, kept under its hash, and refused in words when the file is gone. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
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
  await writeFile(file, await paintedPng(1));
  const { database, store } = openDefault(join(home, 'x.db'));
  onTestFinished(() => database.close());
  store.put([newItem('é/a.png', { source: file }), newItem('uploaded', { sha256: 'ef'.repeat(32) })]);
  const cache = createThumbnailCache(join(home, 'thumbnails'));
  parts = { store, cache, decoder: createDecoder(), read: (path) => readFile(path) };
});

it('is a small WebP of the picture, kept when the file goes', async () => {
  const made = await thumbnail(parts, 'é/a.png');
  expect(await sharp(made).metadata()).toMatchObject({ format: 'webp', width: 48, height: 36 });
  await rm(file);
  expect(Buffer.from(await thumbnail(parts, 'é/a.png')).equals(Buffer.from(made))).toBe(true);
});

it('is not found without the item, without its file, and for an upload that kept none', async () => {
  expect((await refusal('not_found', () => thumbnail(parts, 'nobody'))).message).toContain('nobody');
  await refusal('not_found', () => thumbnail(parts, 'uploaded'));
  await rm(file);
  const { message } = await refusal('not_found', () => thumbnail(parts, 'é/a.png'));
  expect(message).toContain('not there any more');
  expect(message).not.toContain(file); // a path of this machine is nobody's business
});
