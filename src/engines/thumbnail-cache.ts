import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ThumbnailCache } from '../core/ports.js';
import { removeByHash, shardOf, writeDurably } from './files.js';

/** Thumbnails in a folder, by the hash of their picture, spread over 256 sub-folders. */
export function createThumbnailCache(folder: string): ThumbnailCache {
  const pathOf = (sha256: string) => join(shardOf(folder, sha256), `${sha256}.webp`);
  return {
    get: (sha256) => readFile(pathOf(sha256)).catch(() => null),
    put: (sha256, webp) => writeDurably(pathOf(sha256), webp),
    remove: (sha256) => removeByHash(folder, sha256),
  };
}
