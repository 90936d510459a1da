/**
 * The pack: all pictures decoded once to squares of one size, 8 bits a channel, in memory that threads share
 * and in a file that a later run reads back. Decoding is the service's own, so training sees what serving sees.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import {
  createDecoder,
  type ListedImage,
  LookalikeError,
  messageOf,
  type PreprocessRecord,
} from '../../dist/offline.js';
import { MEAN, STD } from './config.js';
import { makeFolder, writeWhole } from './disk.js';
import { stopWhen } from './interrupt.js';

/** Picture i is at `i * side * side * 3`, interleaved RGB; `images[i]` says where it came from. */
export interface Pack {
  count: number;
  side: number; // pixels
  data: SharedArrayBuffer;
  images: PackedImage[];
  dataSha256: string; // of ids and file hashes, in order
  unreadable: { path: string; reason: string }[];
}

export interface PackedImage extends ListedImage {
  sha256: string; // of the picture's file
}

/** Shorter side to `side` (antialiased), centre square, normalised as in training. */
export function squareRecord(side: number): PreprocessRecord {
  return {
    resize: { shorter_side: side },
    crop: { width: side, height: side },
    kernel: 'cubic',
    mean: [...MEAN],
    std: [...STD],
    background: [255, 255, 255],
  };
}

const AT_A_TIME = 8; // pictures being decoded
const MEMORY_SHARE = 0.6; // of the machine's memory, at most

export interface PackOptions {
  cacheDir: string; // in the run's folder
  /** Told how many are done. */
  progress?(done: number, total: number): void;
  /** Asked before every picture. */
  interrupted?(): boolean;
}

/**
 * Packs the pictures, or reads the pack in `cacheDir` when it was made from the same list. Unreadable pictures
 * are left out and listed. Throws `Interrupted`, and `internal` when the pack cannot be written; neither
 * leaves a part of one.
 */
export async function packImages(
  images: readonly ListedImage[],
  side: number,
  { cacheDir, progress = () => {}, interrupted = () => false }: PackOptions,
): Promise<Pack> {
  checkMemory(images.length, side);
  stopWhen(interrupted);
  const base = join(cacheDir, await packKey(images, side));
  if (existsSync(`${base}.json`)) return readPack(base);
  const pack = await decodeAll(images, side, { progress, interrupted });
  makeFolder(cacheDir);
  const { data, ...about } = pack;
  const out = dirname(cacheDir);
  writeWhole({ what: 'the decoded pictures', path: `${base}.u8`, out }, [new Uint8Array(data)]);
  // The description last: with it the pack is whole.
  writeWhole({ what: 'the list of pictures', path: `${base}.json`, out }, [JSON.stringify(about)]);
  return pack;
}

/** The same files, as far as their names, sizes and times of change tell, give the same key. */
async function packKey(images: readonly ListedImage[], side: number): Promise<string> {
  const hash = createHash('sha256').update(`${side}\n`);
  for (const { path } of images) {
    const { size, mtimeMs } = await stat(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

async function readPack(base: string): Promise<Pack> {
  const about = JSON.parse(await readFile(`${base}.json`, 'utf8')) as Omit<Pack, 'data'>;
  const data = new SharedArrayBuffer(about.count * about.side * about.side * 3);
  await readPixels(`${base}.u8`, new Uint8Array(data));
  return { ...about, data };
}

const CHUNK = 1 << 28; // Node reads at most 2 GiB at once; a pack may be larger

async function readPixels(path: string, pixels: Uint8Array): Promise<void> {
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < pixels.length; ) {
      const { bytesRead } = await file.read(pixels, at, Math.min(CHUNK, pixels.length - at));
      if (bytesRead === 0)
        throw new Error(`${path} is cut short: delete the folder it is in, it is made anew`);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** The pack lives in memory: refuse early what cannot fit. */
function checkMemory(pictures: number, side: number): void {
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  const bytes = pictures * side * side * 3;
  if (bytes <= totalmem() * MEMORY_SHARE) return;
  throw new LookalikeError(
    'invalid_setting',
    `${pictures} pictures at ${side} px take ${gigabytes(bytes)} GB, at most ${gigabytes(totalmem() * MEMORY_SHARE)} GB are ` +
      'allowed on this machine: choose a smaller --pack, --size or folder',
    { field: 'pack' },
  );
}

async function decodeAll(
  images: readonly ListedImage[],
  side: number,
  { progress, interrupted }: Required<Omit<PackOptions, 'cacheDir'>>,
): Promise<Pack> {
  const decoder = createDecoder();
  const record = squareRecord(side);
  const size = side * side * 3;
  const data = new SharedArrayBuffer(images.length * size);
  const pixels = new Uint8Array(data);
  const hashes = new Map<number, string>();
  const unreadable: Pack['unreadable'] = [];
  let next = 0;
  const work = async () => {
    for (let i = next++; i < images.length; i = next++) {
      stopWhen(interrupted);
      const { path } = images[i]!;
      try {
        const bytes = await readFile(path);
        pixels.set((await decoder.decode(bytes, record)).image.data, i * size);
        hashes.set(i, createHash('sha256').update(bytes).digest('hex'));
      } catch (error) {
        unreadable.push({ path, reason: messageOf(error) });
      }
      if (i % 100 === 99) progress(i + 1, images.length);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  const good = images.map((_, i) => i).filter((i) => hashes.has(i));
  good.forEach((from, to) => {
    if (from !== to) pixels.copyWithin(to * size, from * size, (from + 1) * size);
  });
  const packed = good.map((i) => ({ ...images[i]!, sha256: hashes.get(i)! }));
  const dataSha256 = createHash('sha256');
  for (const { id, sha256 } of packed) dataSha256.update(`${sha256} ${id}\n`);
  return {
    count: packed.length,
    side,
    data: packed.length === images.length ? data : data.slice(0, packed.length * size),
    images: packed,
    dataSha256: dataSha256.digest('hex'),
    unreadable,
  };
}
