/** The real parts of the flows over a folder of their own: SQLite, libvips, onnxruntime and hnswlib. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createFlatIndex } from '../../../src/core/flat-index.js';
import { toTensor } from '../../../src/core/preprocess.js';
import { sha256Of } from '../../../src/engines/files.js';
import { listImages, statFile } from '../../../src/engines/folder.js';
import { createDecoder } from '../../../src/engines/sharp-decoder.js';
import { openCollections } from '../../../src/flow/collections.js';
import type { Progress } from '../../../src/flow/jobs.js';
import { createGenerations } from '../../../src/generations.js';
import { createModels } from '../../../src/models.js';
import { createSnapshots } from '../../../src/snapshots.js';
import { openDefault } from '../../fixtures/database.js';
import { writeTinyModel } from '../../fixtures/tiny-encoder.js';

export type Parts = Awaited<ReturnType<typeof openParts>>;

/** Opens everything over `home`, as a start of the service does. Whoever calls closes it. */
export async function openParts(home: string) {
  const manifest = await writeTinyModel(join(home, 'model'));
  const { database, store: first } = openDefault(join(home, 'data', 'lookalike.db'), {
    model_sha256: manifest.sha256,
    dimension: manifest.dimension,
  });
  const onCrash = (error: Error) => {
    throw error;
  };
  const models = createModels({
    find: async () => ({ manifest, onnxPath: join(home, 'model', 'encoder.onnx') }),
    intraOpThreads: 1,
    onCrash,
  });
  const dir = join(home, 'data', 'generations', String(first.space));
  const collections = await openCollections({
    database,
    models,
    newFresh: createFlatIndex,
    generationsOf: ({ identity }) => createGenerations({ dir, identity, provider: 'cpu', onCrash }),
    onSetAside: (_, number, reason) => {
      throw new Error(`generation ${number} was set aside: ${reason}`);
    },
    forgetSpace: async () => undefined,
  });
  const { active } = collections.get('default');
  const decoder = createDecoder();
  return {
    ...active,
    database,
    models,
    collections,
    decoder,
    files: { list: listImages, stat: statFile, read: (path: string) => readFile(path) },
    sha256: sha256Of,
    snapshots: createSnapshots({ dataDir: join(home, 'data'), database, version: '0.0.0' }),
    now: () => new Date().toISOString(),
    yieldToRequests: () => nextTurn(),
    /** The vector that this picture has by itself. */
    async vectorOf(bytes: Uint8Array): Promise<Float32Array> {
      const { image } = await decoder.decode(bytes, manifest.preprocess);
      return active.embedder.embed(toTensor([image], manifest.preprocess), 1);
    },
    async close() {
      await collections.close();
      database.close();
    },
  };
}

/** Progress of a task that nobody stops. */
export const unwatched = (): Progress => ({ signal: new AbortController().signal, report: () => undefined });
