import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PictureStore } from '../core/ports.js';
import { removeByHash, shardOf, writeDurably } from './files.js';

/**
 * Kept pictures as files: `originals/<aa>/<sha256>` and `copies/<aa>/<sha256>`, named by the hash of what was
 * uploaded. What is kept may have been set otherwise before, so both are looked at.
 */
export function createPictureFiles(folder: string): PictureStore {
  const [originals, copies] = [join(folder, 'originals'), join(folder, 'copies')];
  const pathOf = (kind: string, sha256: string) => join(shardOf(kind, sha256), sha256);
  const read = (kind: string, sha256: string) => readFile(pathOf(kind, sha256)).catch(absent);
  return {
    async put(kind, sha256, bytes) {
      const path = pathOf(kind === 'originals' ? originals : copies, sha256);
      const there = await access(path).then(
        () => true,
        () => false,
      );
      if (!there) await writeDurably(path, bytes);
    },
    get: async (sha256) => (await read(originals, sha256)) ?? (await read(copies, sha256)),
    async remove(sha256) {
      await removeByHash(originals, sha256);
      await removeByHash(copies, sha256);
    },
  };
}

/** A file that is not there is no picture; one that cannot be read is a fault. */
function absent(cause: NodeJS.ErrnoException): null {
  if (cause.code === 'ENOENT') return null;
  throw cause;
}
