/** Hashes and durable writes: a file holds its old bytes or its new ones, whatever goes wrong. */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { idOfPath, readPicture, sha256Of, sha256OfFile, writeDurably } from '../../../src/engines/files.js';
import { refusal } from '../../fixtures/errors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await tempFolder();
  path = join(folder, 'file');
});

describe('sha256', () => {
  it('is the one of the standard, from memory and from a file', async () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'; // FIPS 180-2, appendix B.1
    expect(sha256Of(Buffer.from('abc'))).toBe(abc);
    await writeFile(path, 'abc');
    expect(await sha256OfFile(path)).toBe(abc);
  });

  it('of a file of several chunks is the one of its bytes', async () => {
    const bytes = Buffer.alloc(2_500_000, 'some text ');
    await writeFile(path, bytes);
    expect(await sha256OfFile(path)).toBe(sha256Of(bytes));
    await expect(sha256OfFile(join(folder, 'nowhere'))).rejects.toThrow(/ENOENT/);
  });
});

describe('writeDurably', () => {
  it('makes the folders, replaces the bytes and leaves nothing else behind', async () => {
    const deep = join(folder, 'a', 'b', 'file');
    await writeDurably(deep, 'old');
    await writeDurably(deep, Uint8Array.of(1, 2, 3));
    expect([...(await readFile(deep))]).toEqual([1, 2, 3]);
    expect(await readdir(join(folder, 'a', 'b'))).toEqual(['file']);
  });

  it('lets one of many writers win, whole', async () => {
    const texts = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(10_000));
    await Promise.all(texts.map((text) => writeDurably(path, text)));
    expect(texts).toContain(await readFile(path, 'utf8'));
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves the old bytes and no other file when the disk is full in the middle of the write', async () => {
    await writeFile(path, 'old');
    const engine = new URL('../../../dist/engines/files.js', import.meta.url).href;
    const script = `
      const { writeDurably } = await import(${JSON.stringify(engine)});
      await writeDurably(process.argv[1], Buffer.alloc(1 << 20)).catch((error) => console.log(error.code));`;
    // A limit on the size of files ends the write where a full disk would: after some of the bytes.
    const { stdout } = spawnSync(
      'bash',
      ['-c', 'ulimit -f 64; exec "$@"', '-', process.execPath, '--input-type=module', '-e', script, path],
      { encoding: 'utf8' },
    );
    expect(stdout.trim()).toBe('EFBIG');
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves what is there when the name is taken by a folder', async () => {
    await mkdir(path);
    await writeFile(join(path, 'inside'), 'kept');
    await expect(writeDurably(path, 'new')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(await readdir(folder)).toEqual(['file']);
    expect(await readFile(join(path, 'inside'), 'utf8')).toBe('kept');
  });
});

describe('readPicture', () => {
  it('gives the bytes of a file up to the limit', async () => {
    await writeFile(path, Buffer.alloc(1000, 7));
    expect(Buffer.from(await readPicture(path, 1000)).equals(Buffer.alloc(1000, 7))).toBe(true);
    expect((await refusal('image_too_large', () => readPicture(path, 999))).message).toMatch(/1000.*999/);
    await writeFile(path, '');
    expect(await readPicture(path, 1000)).toHaveLength(0);
  });

  it('refuses what is gone, a folder, a link and a pipe, and waits for none of them', async () => {
    await refusal('not_found', () => readPicture(path, 1000));
    await refusal('invalid_parameter', () => readPicture(folder, 1000));
    await symlink('/etc/hostname', path);
    await refusal('not_found', () => readPicture(path, 1000));
    const pipe = join(folder, 'pipe');
    if (spawnSync('mkfifo', [pipe]).status === 0)
      await refusal('invalid_parameter', () => readPicture(pipe, 1000));
  });
});

it('idOfPath keeps a path that fits into an id, else takes its hash', () => {
  expect(idOfPath('é'.repeat(128))).toBe('é'.repeat(128));
  const long = `${'é'.repeat(128)}a`;
  expect(idOfPath(long)).toBe(sha256Of(Buffer.from(long)));
});
