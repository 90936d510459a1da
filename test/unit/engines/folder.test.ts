/** The picture files of a folder: which count, what they are called and which label they carry. */
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { listImages, statFile } from '../../../src/engines/folder.js';
import { refusal } from '../../fixtures/errors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let folder: string;
beforeEach(async () => {
  folder = await tempFolder();
});

async function touch(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), name);
  }
}
const ids = async () => (await listImages(folder)).map(({ id }) => id);

/** Root may read everything: gives its rights up until the test ends. */
function asNobody(): void {
  if (process.getuid?.() !== 0) return;
  process.seteuid!(65534);
  onTestFinished(() => process.seteuid!(0));
}

describe('listImages', () => {
  it('takes the label from the first sub-folder, and the id from the path', async () => {
    await touch('top.jpg', 'cat/1.jpg', 'cat/young/2.png', 'big dog/é.webp');
    expect(await listImages(folder)).toEqual([
      { path: join(folder, 'big dog/é.webp'), id: 'big dog/é.webp', label: 'big dog' },
      { path: join(folder, 'cat/1.jpg'), id: 'cat/1.jpg', label: 'cat' },
      { path: join(folder, 'cat/young/2.png'), id: 'cat/young/2.png', label: 'cat' },
      { path: join(folder, 'top.jpg'), id: 'top.jpg', label: null },
    ]);
  });

  it('takes JPEG, PNG and WebP by extension, in any case, and nothing else', async () => {
    await touch(
      'a.jpg',
      'b.JPG',
      'c.Jpeg',
      'd.PNG',
      'e.webp',
      'f.gif',
      'g.txt',
      'jpg',
      'h.jpg.part',
      'i.svg',
    );
    expect(await ids()).toEqual(['a.jpg', 'b.JPG', 'c.Jpeg', 'd.PNG', 'e.webp']);
  });

  it('passes hidden files and folders over', async () => {
    await touch('a.jpg', '.b.jpg', '.thumbnails/c.jpg', 'cat/.d.jpg', 'cat/.e/f.jpg');
    expect(await ids()).toEqual(['a.jpg']);
  });

  it('follows links to files but not to folders, which can form rings', async () => {
    await touch('cat/a.jpg');
    await symlink(join(folder, 'cat/a.jpg'), join(folder, 'linked.jpg'));
    await symlink(folder, join(folder, 'cat', 'ring'));
    expect(await ids()).toEqual(['cat/a.jpg', 'linked.jpg']);
  });

  it('has nothing in an empty folder', async () => {
    await mkdir(join(folder, 'empty'));
    expect(await ids()).toEqual([]);
  });

  it('refuses what is not there and what is no folder, by name', async () => {
    await touch('a.jpg');
    for (const name of ['nowhere', 'a.jpg'])
      expect((await refusal('nothing_to_index', () => listImages(join(folder, name)))).message).toContain(
        name,
      );
  });

  it('refuses a folder with a part that cannot be read: with --prune it would look removed', async () => {
    await touch('open/a.jpg', 'locked/b.jpg');
    await chmod(folder, 0o755);
    await chmod(join(folder, 'locked'), 0);
    asNobody();
    expect((await refusal('nothing_to_index', () => listImages(folder))).message).toContain(
      join(folder, 'locked'),
    );
  });
});

it('statFile tells size and time of a file', async () => {
  await touch('a.jpg');
  const { bytes, modified_ms } = await statFile(join(folder, 'a.jpg'));
  expect(bytes).toBe(5);
  expect(modified_ms).toBeGreaterThan(Date.UTC(2020, 0));
  await expect(statFile(join(folder, 'nowhere.jpg'))).rejects.toThrow(/ENOENT/);
});
