import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LookalikeError } from './core/errors.js';
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
import { bringUp, type Source } from './flow/bring-up.js';
import { openCollection } from './flow/collection.js';
import { createService } from './flow/create-service.js';
import { createJobs } from './flow/jobs.js';
import type { Service } from './flow/service.js';
import { createGenerations } from './generations.js';
import { createServer } from './http/server.js';
import { createLogger, type Logger } from './ops/logger.js';
import { createMetrics, type Metrics } from './ops/metrics.js';
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

/** What every part of the assembly may use. `onClose` runs in reverse order. */
interface Frame {
  settings: Settings;
  logger: Logger;
  metrics: Metrics;
  onClose(closer: () => unknown): void;
}

/** Opens everything; what was opened is closed again when a later part fails. */
export async function createApp(settings: Settings): Promise<App> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const logger = createLogger(settings.logLevel);
  const metrics = createMetrics();
  const frame: Frame = { settings, logger, metrics, onClose: (closer) => closers.push(closer) };
  try {
    const parts = await openParts(frame);
    const startup = bringUp(parts, sourceOf(settings, parts.manifest.sha256));
    let starting = parts.collection.size === 0;
    const ended = startup.then(
      () => undefined,
      (error) => logger.fatal({ err: error }, 'the start failed'),
    );
    void ended.then(() => {
      starting = false;
    });
    // Jobs are told to stop first, so that what the start still does ends soon.
    frame.onClose(() => ended);
    frame.onClose(() => parts.jobs.close());
    const service = createService({
      ...parts,
      about: {
        version,
        versions: packageVersions(),
        exact: parts.exact,
        limits: { max_bytes: settings.maxBytes, max_pixels: settings.maxPixels, max_k: settings.maxK },
      },
      pending: () => (starting ? 'the first import is running; searches see what is in so far' : null),
    });
    const http = createServer({ service, settings, metrics, logger });
    return { http, service, startup, currentJob: parts.jobs.current, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The parts that the flows are made of. */
async function openParts(frame: Frame) {
  const { settings, logger, onClose } = frame;
  const { manifest, onnxPath } = await readModel(settings.model);
  const identity = { model_sha256: manifest.sha256, dimension: manifest.dimension };
  const store = openSqliteStore(join(settings.dataDir, 'lookalike.db'), identity);
  onClose(() => store.close());
  const embedder = await createOnnxEmbedder({
    modelPath: onnxPath,
    manifest,
    intraOpThreads: settings.embedThreads,
    onCrash: crashReport(frame, 'embedder'),
  });
  onClose(() => embedder.close());
  const providers = await probeProviders({ setting: settings.exactProvider });
  const provider = chooseProvider(settings.exactProvider, providers);
  const onCrash = crashReport(frame, 'index');
  const generations = createGenerations({ dataDir: settings.dataDir, identity, provider, onCrash });
  const generation = await generations.openNewest((number, reason) =>
    logger.error({ generation: number, reason }, 'a generation was set aside; a new one is built'),
  );
  const collection = openCollection(store, () => createFlatIndex(manifest.dimension), generation);
  onClose(() => collection.close());
  const read = (path: string) => readFile(path);
  return {
    manifest,
    store,
    embedder,
    generations,
    collection,
    exact: { provider, providers },
    decoder: createDecoder({ maxPixels: settings.maxPixels, timeoutSeconds: 10 }),
    jobs: createJobs({
      store,
      newId: randomUUID,
      now: () => new Date().toISOString(),
      // What went wrong by name is in the job, and told there; only surprises need the log's attention.
      onFinished: (job, cause) => {
        const surprise = cause && !(cause instanceof LookalikeError);
        logger[surprise ? 'error' : 'info']({ job, err: cause }, `job ${job.state}`);
      },
    }),
    sha256: sha256Of,
    read,
    files: { list: listImages, stat: statFile, read },
    cache: createThumbnailCache(join(settings.dataDir, 'images', 'thumbnails')),
    yieldToRequests: () => nextTurn(),
  };
}

function crashReport({ metrics, logger }: Frame, worker: string) {
  return (error: Error) => {
    metrics.workerRestarted(worker);
    logger.error({ err: error, worker }, 'a worker died and was started again');
  };
}

function sourceOf({ folder, prune, demoBank }: Settings, modelSha256: string): Source {
  if (folder !== null) return { kind: 'folder', folder, prune };
  return { kind: 'bank', read: () => readDemoBank(demoBank, modelSha256) };
}
