/** The real parts of the flows over a folder of their own: SQLite, libvips, onnxruntime and hnswlib. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createFlatIndex } from '../../../src/core/flat-index.js';
import { toTensor } from '../../../src/core/preprocess.js';
import { sha256Of } from '../../../src/engines/files.js';
import { listImages, statFile } from '../../../src/engines/folder.js';
import { createOnnxEmbedder } from '../../../src/engines/onnx-embedder.js';
import { createDecoder } from '../../../src/engines/sharp-decoder.js';
import { openSqliteStore } from '../../../src/engines/sqlite-store.js';
import { openCollection } from '../../../src/flow/collection.js';
import type { Progress } from '../../../src/flow/jobs.js';
import { createGenerations } from '../../../src/generations.js';
import { writeTinyModel } from '../../fixtures/tiny-encoder.js';

export type Parts = Awaited<ReturnType<typeof openParts>>;

/** Opens everything over `home`, as a start of the service does. Whoever calls closes it. */
export async function openParts(home: string) {
  const manifest = await writeTinyModel(join(home, 'model'));
  const identity = { model_sha256: manifest.sha256, dimension: manifest.dimension };
  const store = openSqliteStore(join(home, 'data', 'lookalike.db'), identity);
  const embedder = await createOnnxEmbedder({ modelPath: join(home, 'model', 'encoder.onnx'), manifest });
  const onCrash = (error: Error) => {
    throw error;
  };
  const generations = createGenerations({ dataDir: join(home, 'data'), identity, provider: 'cpu', onCrash });
  const generation = await generations.openNewest((number, reason) => {
    throw new Error(`generation ${number} was set aside: ${reason}`);
  });
  const collection = openCollection(store, () => createFlatIndex(manifest.dimension), generation);
  const decoder = createDecoder();
  return {
    manifest,
    store,
    embedder,
    generations,
    collection,
    decoder,
    files: { list: listImages, stat: statFile, read: (path: string) => readFile(path) },
    sha256: sha256Of,
    yieldToRequests: () => nextTurn(),
    /** The vector that this picture has by itself. */
    async vectorOf(bytes: Uint8Array): Promise<Float32Array> {
      const { image } = await decoder.decode(bytes, manifest.preprocess);
      return embedder.embed(toTensor([image], manifest.preprocess), 1);
    },
    async close() {
      await collection.close();
      await embedder.close();
      store.close();
    },
  };
}

/** Progress of a task that nobody stops. */
export const unwatched = (): Progress => ({ signal: new AbortController().signal, report: () => undefined });
