import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createFlatIndex } from './core/flat-index.js';
import type { Job } from './core/types.js';
import { readDemoBank } from './demo.js';
import { sha256Of } from './engines/files.js';
import { listImages, statFile } from './engines/folder.js';
import { readModel } from './engines/manifest.js';
import { createOnnxEmbedder } from './engines/onnx-embedder.js';
import { chooseProvider, probeProviders } from './engines/provider-probe.js';
import { createDecoder } from './engines/sharp-decoder.js';
import { openSqliteStore } from './engines/sqlite-store.js';
import { createThumbnailCache } from './engines/thumbnail-cache.js';
import { bringUp } from './flow/bring-up.js';
import { openCollection } from './flow/collection.js';
import { createService } from './flow/create-service.js';
import { createJobs } from './flow/jobs.js';
import type { Service } from './flow/service.js';
import { createGenerations } from './generations.js';
import { createServer } from './http/server.js';
import { createLogger } from './ops/logger.js';
import { createMetrics } from './ops/metrics.js';
import type { Settings } from './settings.js';
import { packageVersions, version } from './versions.js';

/** The assembly: every part by hand, in the order of need, closed in reverse. The only file that sees all. */
export interface App {
  http: ReturnType<typeof createServer>;
  service: Service;
  /** The jobs of the start (import, first index), once they have ended. */
  startup: Promise<Job[]>;
  /** The job that runs now. */
  currentJob(): Job | null;
  close(): Promise<void>;
}

export async function createApp(settings: Settings): Promise<App> {
  const logger = createLogger(settings.logLevel);
  const metrics = createMetrics();
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const onCrash = (worker: string) => (error: Error) => {
    metrics.workerRestarted(worker);
    logger.error({ err: error, worker }, 'a worker died and was started again');
  };
  try {
    const { manifest, onnxPath } = await readModel(settings.model);
    const identity = { model_sha256: manifest.sha256, dimension: manifest.dimension };
    const store = openSqliteStore(join(settings.dataDir, 'lookalike.db'), identity);
    closers.push(() => store.close());
    const embedder = await createOnnxEmbedder({
      modelPath: onnxPath,
      manifest,
      intraOpThreads: settings.embedThreads,
      onCrash: onCrash('embedder'),
    });
    closers.push(() => embedder.close());
    const providers = await probeProviders({ setting: settings.exactProvider });
    const provider = chooseProvider(settings.exactProvider, providers);
    const generations = createGenerations({
      dataDir: settings.dataDir,
      identity,
      provider,
      onCrash: onCrash('index'),
    });
    const generation = await generations.openNewest((number, reason) =>
      logger.error({ generation: number, reason }, 'a generation was set aside; a new one is built'),
    );
    const collection = openCollection(store, () => createFlatIndex(manifest.dimension), generation);
    closers.push(() => collection.close());
    const jobs = createJobs({
      store,
      newId: randomUUID,
      now: () => new Date().toISOString(),
      onFinished: (job, cause) => logger[cause ? 'error' : 'info']({ job, err: cause }, `job ${job.state}`),
    });
    closers.push(() => jobs.close());

    const decoder = createDecoder({ maxPixels: settings.maxPixels, timeoutSeconds: 10 });
    const parts = {
      manifest,
      decoder,
      embedder,
      store,
      collection,
      generations,
      jobs,
      sha256: sha256Of,
      read: (path: string) => readFile(path),
      files: { list: listImages, stat: statFile, read: (path: string) => readFile(path) },
      cache: createThumbnailCache(join(settings.dataDir, 'images', 'thumbnails')),
      yieldToRequests: () => nextTurn(),
    };
    const { folder, prune } = settings;
    const source =
      folder === null
        ? { kind: 'bank' as const, read: () => readDemoBank(settings.demoBank, manifest.sha256) }
        : { kind: 'folder' as const, folder, prune };
    const wasEmpty = collection.size === 0;
    let starting = true;
    const startup = bringUp(parts, source).finally(() => {
      starting = false;
    });
    startup.catch((error) => logger.fatal({ err: error }, 'the start failed'));
    closers.push(() => startup.catch(() => undefined));
    closers.push(() => jobs.close());
    const service = createService({
      ...parts,
      about: {
        version,
        versions: packageVersions(),
        exact: { provider, providers },
        limits: { max_bytes: settings.maxBytes, max_pixels: settings.maxPixels, max_k: settings.maxK },
      },
      pending: () =>
        starting && wasEmpty ? 'the first import is running; searches see what is in so far' : null,
    });
    const http = createServer({ service, settings, metrics, logger });
    return { http, service, startup, currentJob: jobs.current, close };
  } catch (error) {
    await close();
    throw error;
  }
}
