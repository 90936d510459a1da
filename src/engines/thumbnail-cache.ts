import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ThumbnailCache } from '../core/ports.js';
import { writeDurably } from './files.js';

/** Thumbnails in a folder, by the hash of their picture, spread over 256 sub-folders. */
export function createThumbnailCache(folder: string): ThumbnailCache {
  const pathOf = (sha256: string) => join(folder, sha256.slice(0, 2), `${sha256}.webp`);
  return {
    get: (sha256) => readFile(pathOf(sha256)).catch(() => null),
    put: (sha256, webp) => writeDurably(pathOf(sha256), webp),
  };
}
