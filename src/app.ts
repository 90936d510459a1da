import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_COLLECTION } from './core/collection-name.js';
import { LookalikeError } from './core/errors.js';
import type { ImportOrigin } from './core/import-entry.js';
import type { Database, Imports, Models } from './core/ports.js';
import { createSharedLock } from './core/shared-lock.js';
import type { Job } from './core/types.js';
import { readDemoBank } from './demo.js';
import { startCalibrationFit } from './engines/calibration-fit.js';
import { sha256Of } from './engines/files.js';
import { listImages, statFile } from './engines/folder.js';
import { createFreshIndex } from './engines/fresh-index.js';
import { type ModelRegistry, openModelRegistry } from './engines/model-registry.js';
import { inspectModel } from './engines/onnx-inspect.js';
import { createPictureFiles } from './engines/picture-files.js';
import { chooseProvider, probeProviders } from './engines/provider-probe.js';
import { createDecoder } from './engines/sharp-decoder.js';
import { openSqliteDatabase } from './engines/sqlite-database.js';
import { createThumbnailCache } from './engines/thumbnail-cache.js';
import { threadNames } from './engines/worker-call.js';
import { bringUp, type Source } from './flow/bring-up.js';
import { type Active, openCollections } from './flow/collections.js';
import { createService } from './flow/create-service.js';
import { jobWork } from './flow/job-work.js';
import { createJobs } from './flow/jobs.js';
import { type MeasureParts, planCollection } from './flow/measure-plan.js';
import { createRecallWatch } from './flow/recall-watch.js';
import type { Service } from './flow/service.js';
import { sweep } from './flow/sweep.js';
import { rebuildIfNeeded } from './flow/upkeep.js';
import { createGenerations } from './generations.js';
import { createServer } from './http/server.js';
import { createImports } from './imports.js';
import { createModelShelf } from './model-shelf.js';
import { createModels } from './models.js';
import { countVotes } from './ops/counted.js';
import { createLogger, type LineSink, type Logger } from './ops/logger.js';
import { createMetrics, type Metrics, type WorkerName } from './ops/metrics.js';
import type { Tracing } from './ops/tracing.js';
import type { Settings } from './settings.js';
import { createSnapshots, DATABASE_FILE } from './snapshots.js';
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

/**
 * Opens everything; what was opened is closed again when a later part fails. `source` is what the start indexes: the
 * folder of the settings, or the demo, when absent; `log` takes the lines of the log instead of standard error.
 */
export async function createApp(
  settings: Settings,
  source = sourceOf(settings),
  log?: LineSink,
): Promise<App> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const logger = createLogger(settings.logLevel, log);
  const metrics = createMetrics(threadNames);
  const frame: Frame = { settings, logger, metrics, onClose: (closer) => closers.push(closer) };
  try {
    const parts = await openParts(frame);
    const stop = new AbortController();
    const startup = bringUp(
      { ...parts, plan: (active) => planAtStart({ ...parts, ...active }, frame, stop.signal) },
      source,
    );
    let starting = parts.collections.get(DEFAULT_COLLECTION).active.collection.size === 0;
    const ended = startup.then(
      () => undefined,
      (error) => logger.fatal({ err: error }, 'the start failed'),
    );
    void ended.then(() => {
      starting = false;
      parts.start.over = true;
    });
    frame.onClose(() => stop.abort());
    // Jobs are told to stop first, so that what the start still does ends soon.
    frame.onClose(() => ended);
    frame.onClose(() => parts.jobs.close());
    const flows = createService({
      ...parts,
      about: {
        version,
        versions: packageVersions(),
        exact: parts.exact,
        limits: { max_bytes: settings.maxBytes, max_pixels: settings.maxPixels, max_k: settings.maxK },
      },
      pending: () => (starting ? 'the first import is running; searches see what is in so far' : null),
    });
    const service = countVotes(flows, metrics);
    const tracing = await tracingOf(frame);
    const http = createServer({ service, answers: parts.database, settings, metrics, logger, tracing });
    return { http, service, startup, currentJob: parts.jobs.current, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Its packages are loaded only where traces are wanted. */
async function tracingOf({ settings, logger, onClose }: Frame): Promise<Tracing | null> {
  if (settings.traces === null) return null;
  const { createOtlpTracing } = await import('./ops/otlp-tracing.js');
  const tracing = createOtlpTracing({ protocol: settings.traces, version, logger });
  onClose(() => tracing.close());
  return tracing;
}

/** Without a search for this long, the service is idle enough to measure its recall. */
const IDLE_MS = 50;

/** The parts that the flows are made of. */
async function openParts(frame: Frame) {
  const { settings, logger, metrics, onClose } = frame;
  const knownModels = await openModelRegistry({
    folder: join(settings.dataDir, 'models'),
    start: settings.model,
    inspect: inspectModel,
  });
  const base = await knownModels.start();
  const database = openSqliteDatabase(join(settings.dataDir, DATABASE_FILE));
  onClose(() => database.close());
  const providers = await probeProviders({ setting: settings.exactProvider });
  const provider = chooseProvider(settings.exactProvider, providers);
  const recallWatch = createRecallWatch({
    share: settings.recallSample,
    random: Math.random,
    now: () => performance.now(),
    moment: (signal) => sleep(IDLE_MS, undefined, { signal, ref: false }),
  });
  const planning = { machine: machineOf(provider), recallTarget: settings.recallTarget };
  const models = modelsFrom(frame, knownModels);
  const collections = await openCollections({
    database,
    recallWatch,
    planning,
    models,
    newFresh: (dimension) => createFreshIndex(dimension, { onCrash: crashReport(frame, 'index') }),
    generationsOf: ({ space, identity }) =>
      createGenerations({
        dir: join(settings.dataDir, 'generations', String(space)),
        identity,
        provider,
        exactThreads: settings.exactThreads,
        maxVectorBytes: settings.maxVectorBytes,
        ...(settings.buildThreads > 0 && { buildThreads: settings.buildThreads }),
        onBuild: (facts) => logger.info({ space, ...facts }, 'a graph is built'),
        onCrash: crashReport(frame, 'index'),
      }),
    onSetAside: (collection, generation, reason) =>
      logger.error({ collection, generation, reason }, 'a generation was set aside; a new one is built'),
    forgetSpace: (space) =>
      rm(join(settings.dataDir, 'generations', String(space)), { recursive: true, force: true }),
    yieldToRequests: () => nextTurn(),
  });
  onClose(() => collections.close());
  onClose(() => recallWatch.close());
  if (database.collections().every(({ name }) => name !== DEFAULT_COLLECTION))
    await collections.create(DEFAULT_COLLECTION, base.sha256);
  const read = (path: string) => readFile(path);
  const imports = await openImports(settings, database);
  const decoder = createDecoder({ maxPixels: settings.maxPixels, timeoutSeconds: 10 });
  const flowParts = {
    ...openPictureFiles(frame, database),
    collections,
    models,
    imports,
    decoder,
    sha256: sha256Of,
    read,
    files: { list: listImages, stat: statFile, read },
    yieldToRequests: () => nextTurn(),
    snapshots: createSnapshots({ dataDir: settings.dataDir, database, version }),
    now: () => new Date().toISOString(),
    newId: randomUUID,
    ...planning,
    clock: () => performance.now(),
    precision: settings.precision,
    startFit: startCalibrationFit,
    readDemo: (modelSha256: string) => readDemoBank(settings.demoBank, modelSha256),
  };
  const start = { over: false };
  const jobs = createJobs({
    store: database,
    work: jobWork(flowParts),
    newId: flowParts.newId,
    now: flowParts.now,
    onUnsaved: (job, err) => logger.error({ job, err }, 'the state of a job could not be stored'),
    // What went wrong by name is in the job, and told there; only surprises need the log's attention.
    onFinished: (job, cause) => {
      metrics.jobFinished(job);
      const { upload } = (job.parameters.origin ?? {}) as { upload?: { id: string } };
      if (upload)
        void imports
          .discard(upload.id)
          .catch((err) => logger.error({ err }, 'an upload could not be removed'));
      const surprise = cause && !(cause instanceof LookalikeError);
      logger[surprise ? 'error' : 'info']({ job, err: cause }, `job ${job.state}`);
      // While a swap waits or runs no rebuild is queued; what it should have done is seen to now. An import brings many
      // rows; those of the start are seen to by the start. A rebuild that failed is not tried again and again.
      const grown = job.parameters.model !== undefined || (job.kind === 'import' && start.over);
      for (const { name } of collections.list())
        if (grown && name === job.collection) rebuildIfNeeded({ collections, jobs }, name);
      void flowParts.sweep(); // an import may have replaced or removed pictures
    },
  });
  const model = base.sha256;
  const modelShelf = createModelShelf({ dataDir: settings.dataDir, registry: knownModels, database });
  return {
    ...flowParts,
    jobs,
    start,
    knownModels,
    modelShelf,
    recallWatch,
    model,
    exact: { provider, providers },
  };
}

/** What is kept of pictures in the data folder; files that a crash left over are removed first. */
function openPictureFiles({ settings, logger, onClose }: Frame, database: Database) {
  const files = {
    keep: settings.keep,
    database,
    pictures: createPictureFiles(join(settings.dataDir, 'images')),
    cache: createThumbnailCache(join(settings.dataDir, 'images', 'thumbnails')),
    fileWrites: createSharedLock(),
  };
  let held = 0;
  /** Never rejects: what could not be removed stays in the trash, and the next sweep tries again. */
  const sweepNow = async () => {
    if (held > 0) return;
    await sweep(files).catch((err) =>
      logger.error({ err }, 'files of deleted pictures could not be removed'),
    );
  };
  const whileNotSwept = async <T>(step: () => Promise<T>): Promise<T> => {
    held++;
    try {
      return await step();
    } finally {
      held--;
    }
  };
  void sweepNow();
  onClose(sweepNow); // waits for those before it
  return { ...files, sweep: sweepNow, whileNotSwept };
}

/** The sources of imports; uploads that belong to no job are removed first. */
async function openImports(settings: Settings, database: Database): Promise<Imports> {
  const { dataDir, importRoots: roots, maxBytes, maxImportBytes } = settings;
  const imports = createImports({ dataDir, roots, maxBytes, maxTotalBytes: 4 * maxImportBytes });
  const waiting = database
    .unfinishedJobs()
    .map(({ parameters }) => parameters.origin as ImportOrigin | undefined);
  await imports.keepOnly(waiting.flatMap((origin) => origin?.upload?.id ?? []));
  return imports;
}

/** The models that collections may be of. */
function modelsFrom(frame: Frame, known: ModelRegistry): Models {
  const { model: folder, embedThreads, embedSpinning, embedBatch, embedWaitMs, dataDir } = frame.settings;
  return createModels({
    threads: { intraOpThreads: embedThreads, spinning: embedSpinning },
    batch: { most: embedBatch, waitMs: embedWaitMs },
    onCrash: crashReport(frame, 'embedder'),
    find: (sha256) =>
      known.get(sha256).catch((cause) => {
        if (!(cause instanceof LookalikeError && cause.code === 'not_found')) throw cause;
        throw new LookalikeError(
          'database_mismatch',
          `${dataDir} was indexed by the model ${sha256.slice(0, 12)}…, which is neither that of ${folder} nor among its models. ` +
            'Start with the model that made it (--model), or index the pictures again into a new --data-dir.',
        );
      }),
  });
}

/** Not to be had is no reason not to start: the graph answers with its default breadth then. */
async function planAtStart(
  parts: MeasureParts & Pick<Active, 'collection'>,
  { logger }: Frame,
  signal: AbortSignal,
): Promise<void> {
  await planCollection(parts, signal).catch((err) => {
    if (!signal.aborted) logger.warn({ err }, 'the planner could not measure the indexes');
  });
}

/** What measured times hold for. */
const machineOf = (provider: string): string =>
  `${cpus()[0]?.model ?? 'unknown'} x ${availableParallelism()}, ${provider}`;

function crashReport({ metrics, logger }: Frame, worker: WorkerName) {
  return (error: Error) => {
    metrics.workerRestarted(worker);
    logger.error({ err: error, worker }, 'a worker died and was started again');
  };
}

function sourceOf({ folder, prune }: Settings): Source {
  return folder === null ? { kind: 'demo' } : { kind: 'folder', folder, prune };
}
