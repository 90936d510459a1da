/** Bodies that wait for their import: durable, checksummed, and refused when the disk has no room. */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { sha256Of } from '../../../src/engines/files.js';
import { createUploadSpool, type UploadSpool } from '../../../src/engines/upload-spool.js';
import { refusal } from '../../fixtures/errors.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

let folder: string;
let spool: UploadSpool;
beforeEach(async () => {
  folder = join(await tempFolder(), 'uploads');
  spool = createUploadSpool(folder);
});

async function* chunks(...parts: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

describe('an upload', () => {
  it('is there as it came, with its length and hash', async () => {
    const upload = await spool.write(chunks('ab', '', 'c'), null);
    expect(upload).toMatchObject({ bytes: 3, sha256: sha256Of(Buffer.from('abc')) });
    expect(await readFile(await spool.verified(upload), 'utf8')).toBe('abc');
    await spool.unpackFolder(upload.id);
    expect((await readdir(folder)).sort()).toEqual([upload.id, `${upload.id}.unpacked`]);
    await spool.remove(upload.id);
    await spool.remove(upload.id);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing when its body breaks off', async () => {
    await expect(spool.write(chunks('ab', new Error('gone')), null)).rejects.toThrow('gone');
    expect(await readdir(folder)).toEqual([]);
  });

  it('is refused when it was changed or removed on the disk', async () => {
    const upload = await spool.write(chunks('abc'), 3);
    await writeFile(join(folder, upload.id), 'abd');
    await refusal('malformed_body', () => spool.verified(upload));
    await spool.remove(upload.id);
    await refusal('not_found', () => spool.verified(upload));
  });

  it('is swept with what is unpacked of it, unless a job waits for it', async () => {
    const [kept, left] = [await spool.write(chunks('a'), null), await spool.write(chunks('b'), null)];
    await spool.unpackFolder(left.id);
    await writeFile(join(folder, 'half.part'), 'x');
    await spool.keepOnly([kept.id]);
    expect(await readdir(folder)).toEqual([kept.id]);
  });
});

describe('a disk without room', () => {
  it('refuses more than it has, before a byte is written', async () => {
    const error = await refusal('storage_full', () => spool.write(chunks('a'), 2 ** 52));
    expect(error.message).toContain(String(2 ** 52));
    expect(await readdir(folder)).toEqual([]);
  });

  const small = join('/tmp', `lookalike-small-${process.pid}`);
  const mounted =
    spawnSync('mkdir', ['-p', small]).status === 0 &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=80m', 'tmpfs', small]).status === 0;

  it.skipIf(!mounted)('that fills up while a body comes ends it, and is free again', async () => {
    try {
      const full = createUploadSpool(join(small, 'uploads'));
      await mkdir(join(small, 'uploads'));
      const megabyte = 'x'.repeat(1 << 20);
      await refusal('storage_full', () => full.write(chunks(...Array(100).fill(megabyte)), null));
      expect(await readdir(join(small, 'uploads'))).toEqual([]);
    } finally {
      spawnSync('umount', [small]);
      spawnSync('rmdir', [small]);
    }
  });
});
