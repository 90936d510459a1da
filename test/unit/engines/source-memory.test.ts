/** Sources of any length in bounded memory: what is held while they are read does not grow with them. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { beforeAll, expect, it } from 'vitest';
import { openBankFiles } from '../../../src/engines/bank-source.js';
import { openNdjson } from '../../../src/engines/ndjson-source.js';
import { openTar } from '../../../src/engines/tar-source.js';
import { unitVectors } from '../../contract/vectors.js';
import { npyBytes } from '../../fixtures/npy.js';
import { heldAtMost } from '../../fixtures/sources.js';
import { tempFolder } from '../../fixtures/temp-folder.js';

const MIB = 2 ** 20;
/** Each of the files is more than ten times as large. */
const BOUND = 8 * MIB;
const DIMENSION = 64;
const shared = { dimension: DIMENSION, roots: [], checkMetadata: () => undefined };

let folder: string;
beforeAll(async () => {
  folder = await tempFolder();
});

/** A file of `count` times what `chunk` makes. */
async function write(
  name: string,
  count: number,
  chunk: (at: number) => string | Uint8Array,
): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, 'w');
  for (let at = 0; at < count; at++) await file.appendFile(chunk(at));
  await file.close();
  return path;
}

it('200,000 lines of vectors', async () => {
  const { vectors } = unitVectors({ rows: 1, dimension: DIMENSION, seed: 1 });
  const vector = `[${[...vectors].map((value) => value.toFixed(7))}]`;
  const line = (n: number) => `{"id":"${n}","label":"cat","vector":${vector}}\n`;
  const path = await write('lines.ndjson', 200, (at) =>
    Array.from({ length: 1000 }, (_, i) => line(at * 1000 + i)).join(''),
  );
  const source = await openNdjson(path, { ...shared, maxBytes: MIB });
  expect(source.bytesTotal).toBeGreaterThan(10 * BOUND);
  const { read, most } = await heldAtMost(source, 200_000);
  expect(read).toBe(200_000);
  expect(most).toBeLessThan(BOUND);
});

it('a tar of 300 MB', async () => {
  const path = join(folder, 'pictures.tar');
  const header = await headerOf(MIB);
  const file = await open(path, 'w');
  // Nothing is written between the headers: the pictures are zeros that take no room on the disk.
  for (let at = 0; at < 300; at++) await file.write(header, 0, header.length, at * (header.length + MIB));
  await file.truncate(300 * (header.length + MIB) + 1024);
  await file.close();
  const source = await openTar(path, { maxBytes: MIB, maxTotalBytes: 2 ** 40 });
  expect(source.bytesTotal).toBeGreaterThan(10 * BOUND);
  const { read, most } = await heldAtMost(source, 300);
  expect(read).toBe(300);
  expect(most).toBeLessThan(BOUND);
});

it('a bank of 400,000 rows', async () => {
  const { vectors } = unitVectors({ rows: 1000, dimension: DIMENSION, seed: 1 });
  const header = npyBytes(`(400000, ${DIMENSION})`, new Uint8Array(0));
  const bytes = new Uint8Array(vectors.buffer);
  const files = {
    vectors: await write('vectors.npy', 401, (at) => (at === 0 ? header : bytes)),
    items: await write('items.ndjson', 400, (at) =>
      Array.from({ length: 1000 }, (_, i) => `{"id":"${at * 1000 + i}","label":"cat"}\n`).join(''),
    ),
  };
  const source = await openBankFiles(files, shared);
  expect(source.bytesTotal).toBeGreaterThan(10 * BOUND);
  const { read, most } = await heldAtMost(source, 400_000);
  expect(read).toBe(400_000);
  expect(most).toBeLessThan(BOUND);
});

/** The header of a picture of this many bytes. */
async function headerOf(size: number): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: 'cat/a.jpg', size });
  for await (const header of tar as unknown as AsyncIterable<Buffer>) return header;
  throw new Error('no header');
}
