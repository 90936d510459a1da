/** The real parts of the flows over a folder of their own: SQLite, libvips, onnxruntime and usearch. */
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ModelManifest } from '../../../src/core/manifests.js';
import { createSharedLock } from '../../../src/core/shared-lock.js';
import { startCalibrationFit } from '../../../src/engines/calibration-fit.js';
import { sha256Of } from '../../../src/engines/files.js';
import { listImages, statFile } from '../../../src/engines/folder.js';
import { createFreshIndex } from '../../../src/engines/fresh-index.js';
import { readModel } from '../../../src/engines/manifest.js';
import { createPictureFiles } from '../../../src/engines/picture-files.js';
import { createDecoder } from '../../../src/engines/sharp-decoder.js';
import { createThumbnailCache } from '../../../src/engines/thumbnail-cache.js';
import type { Planning } from '../../../src/flow/collection.js';
import { openCollections } from '../../../src/flow/collections.js';
import type { Progress } from '../../../src/flow/jobs.js';
import { createGenerations } from '../../../src/generations.js';
import { createImports } from '../../../src/imports.js';
import { createModels } from '../../../src/models.js';
import { createSnapshots } from '../../../src/snapshots.js';
import { openDefault } from '../../fixtures/database.js';
import { type TinyEncoder, writeTinyModel } from '../../fixtures/tiny-encoder.js';

export type Parts = Awaited<ReturnType<typeof openParts>>;

/** Opens everything over `home`, as a start of the service does. Whoever calls closes it. */
export async function openParts(
  home: string,
  change: { planning?: Planning; available?: () => number } = {},
) {
  const manifest = await writeTinyModel(join(home, 'model'));
  const { database } = openDefault(join(home, 'data', 'lookalike.db'), {
    model_sha256: manifest.sha256,
    dimension: manifest.dimension,
  });
  const onCrash = (error: Error) => {
    throw error;
  };
  const models = createModels({
    find: async (sha256) => readModel(join(home, sha256 === manifest.sha256 ? 'model' : sha256)),
    threads: {},
    batch: { most: 8, waitMs: 0 },
    onCrash,
  });
  const { planning = { machine: 'this one', recallTarget: 0.99 } } = change;
  const folderOf = (space: number) => join(home, 'data', 'generations', String(space));
  const collections = await openCollections({
    database,
    models,
    planning,
    newFresh: createFreshIndex,
    generationsOf: ({ space, identity }) =>
      createGenerations({
        dir: folderOf(space),
        identity,
        provider: 'cpu',
        exactThreads: 2,
        maxVectorBytes: 64 * 2 ** 20,
        onCrash,
        ...(change.available && { available: change.available }),
      }),
    onSetAside: (_, number, reason) => {
      throw new Error(`generation ${number} was set aside: ${reason}`);
    },
    forgetSpace: (space) => rm(folderOf(space), { recursive: true, force: true }),
    yieldToRequests: () => nextTurn(),
  });
  const { active } = collections.get('default');
  const decoder = createDecoder();
  return {
    ...active,
    database,
    models,
    collections,
    decoder,
    read: (path: string) => readFile(path),
    files: { list: listImages, stat: statFile, read: (path: string) => readFile(path) },
    sha256: sha256Of,
    pictures: createPictureFiles(join(home, 'data', 'images')),
    cache: createThumbnailCache(join(home, 'data', 'images', 'thumbnails')),
    keep: 'originals' as const,
    fileWrites: createSharedLock(),
    imports: createImports({
      dataDir: join(home, 'data'),
      roots: [home],
      maxBytes: 1 << 20,
      maxTotalBytes: 1 << 30,
    }),
    whileNotSwept: <T>(step: () => Promise<T>) => step(),
    snapshots: createSnapshots({ dataDir: join(home, 'data'), database, version: '0.0.0' }),
    now: () => new Date().toISOString(),
    yieldToRequests: () => nextTurn(),
    ...planning,
    clock: () => performance.now(),
    precision: 0.95,
    startFit: startCalibrationFit,
    /** The vector that this picture has by itself. */
    async vectorOf(
      bytes: Uint8Array,
      { embedder, manifest }: Pick<typeof active, 'embedder' | 'manifest'> = active,
    ): Promise<Float32Array> {
      const { image } = await decoder.decode(bytes, manifest.preprocess);
      return embedder.embed([image]);
    },
    async close() {
      await collections.close();
      database.close();
    },
  };
}

/** Another encoder that the parts over `home` can open. */
export async function addTinyModel(home: string, encoder: TinyEncoder): Promise<ModelManifest> {
  const manifest = await writeTinyModel(join(home, 'new-model'), encoder);
  await rename(join(home, 'new-model'), join(home, manifest.sha256));
  return manifest;
}

/** Progress of a task that nobody stops. */
export const unwatched = (): Progress => ({ signal: new AbortController().signal, report: () => undefined });
