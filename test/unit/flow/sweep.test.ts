/** Files follow the items, wherever a process ends: nothing that is needed goes, nothing that is deleted stays. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PictureStore } from '../../../src/core/ports.js';
import { createSharedLock } from '../../../src/core/shared-lock.js';
import { sha256Of } from '../../../src/engines/files.js';
import { createPictureFiles } from '../../../src/engines/picture-files.js';
import { createDecoder } from '../../../src/engines/sharp-decoder.js';
import { createThumbnailCache } from '../../../src/engines/thumbnail-cache.js';
import { type KeepParts, keepThenCommit } from '../../../src/flow/keep-picture.js';
import { type SweepParts, sweep } from '../../../src/flow/sweep.js';
import { type OpenDatabase, openDefault } from '../../fixtures/database.js';
import { newItem } from '../../fixtures/items.js';
import { paintedPng } from '../../fixtures/painted.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let home: string;
let open: OpenDatabase;
let parts: KeepParts & SweepParts;

/** As a start of the service does. */
function start(pictures: PictureStore = createPictureFiles(join(home, 'images'))): void {
  open = openDefault(join(home, 'x.db'));
  const cache = createThumbnailCache(join(home, 'images', 'thumbnails'));
  const { database } = open;
  parts = {
    database,
    pictures,
    cache,
    decoder: createDecoder(),
    fileWrites: createSharedLock(),
    keep: 'originals',
  };
}
const restart = (pictures?: PictureStore) => {
  open.database.close();
  start(pictures);
};
beforeEach(async () => {
  home = await tempFolder();
  start();
});
afterEach(() => open.database.close());

const upload = async (seed: number) => {
  const bytes = await paintedPng(seed);
  return { bytes, sha256: sha256Of(bytes) };
};
type Upload = Awaited<ReturnType<typeof upload>>;
const kept = async ({ sha256 }: Upload) =>
  access(join(home, 'images', 'originals', sha256.slice(0, 2), sha256)).then(() => true, () => false); // biome-ignore format: one line

/** Adds an item as the flow does. */
const add = (one: Upload, id: string) =>
  keepThenCommit(parts, [one], () =>
    open.database.atomically(() => {
      open.store.put([newItem(id, { sha256: one.sha256 })]);
      open.database.sweptTrash([one.sha256]);
    }),
  );

it('a picture whose last item is deleted goes with its thumbnail, one that another item is of stays', async () => {
  const [one, two] = [await upload(1), await upload(2)];
  await add(one, 'a');
  await add(two, 'b');
  const other = open.database.createCollection('other', open.store.identity);
  other.put([newItem('c', { sha256: two.sha256 })]);
  await parts.cache.put(one.sha256, one.bytes);
  open.store.remove(['a', 'b']);
  await sweep(parts);
  expect([await kept(one), await parts.cache.get(one.sha256), await kept(two)]).toEqual([false, null, true]);
  open.database.removeCollection('other');
  await sweep(parts);
  expect([await kept(two), open.database.trash(9)]).toEqual([false, []]);
});

it('a process that ends between the deletion and the sweep leaves it to the next start', async () => {
  const one = await upload(1);
  await add(one, 'a');
  open.store.remove(['a']);
  restart();
  expect(await kept(one)).toBe(true);
  await sweep(parts);
  expect(await kept(one)).toBe(false);
});

it('a process that ends between the file and its item leaves nothing after the next start', async () => {
  const one = await upload(1);
  const crash = () => {
    throw new Error('the process ends here');
  };
  await expect(keepThenCommit(parts, [one], crash)).rejects.toThrow('ends here');
  expect(await kept(one)).toBe(true);
  restart();
  await sweep(parts);
  expect([await kept(one), open.database.trash(9)]).toEqual([false, []]);
});

it('a process that ends in the middle of a sweep has it done again', async () => {
  const uploads = [await upload(1), await upload(2)];
  for (const [i, one] of uploads.entries()) await add(one, String(i));
  open.store.remove(['0', '1']);
  const files = createPictureFiles(join(home, 'images'));
  const failing = { ...files, remove: () => Promise.reject(new Error('the process ends here')) };
  restart(failing);
  await expect(sweep(parts)).rejects.toThrow('ends here');
  restart();
  await sweep(parts);
  expect(await Promise.all(uploads.map(kept))).toEqual([false, false]);
});

it('a picture that is added again while it is swept keeps its file', async () => {
  const one = await upload(1);
  for (let round = 0; round < 20; round++) {
    await add(one, 'a');
    open.store.remove(['a']);
    await Promise.all([sweep(parts), add(one, 'b'), sweep(parts)]);
    expect([await kept(one), open.database.trash(9)]).toEqual([true, []]);
    open.store.remove(['b']);
  }
  await sweep(parts);
  expect(await kept(one)).toBe(false);
});

it('more than one batch is swept', async () => {
  const many = Array.from({ length: 250 }, (_, i) =>
    newItem(`${i}`, { sha256: i.toString(16).padStart(64, '0') }),
  );
  open.store.put(many);
  open.store.remove(many.map(({ id }) => id));
  await sweep(parts);
  expect(open.database.trash(9)).toEqual([]);
});
