import type { CalibrationRecord } from '../core/calibrate.js';
import { DEFAULT_COLLECTION } from '../core/collection-name.js';
import { LookalikeError } from '../core/errors.js';
import type { Imports, ModelShelf, Snapshots } from '../core/ports.js';
import { IMAGE_TYPES } from '../core/sniff.js';
import type { Job } from '../core/types.js';
import { type AddParts, addImage, putImage } from './add-image.js';
import { type AnswerParts, answer, answerAll } from './answer.js';
import type { Active, Collections, MadeCollection, NamedCollection } from './collections.js';
import { editImage, removeImage } from './edit-image.js';
import { embeddings } from './embeddings.js';
import { foundItem, viewOf } from './image-view.js';
import { listImages } from './list-images.js';
import { plannerView } from './planner-view.js';
import type { RecallWatch } from './recall-watch.js';
import { duplicates, labelReport } from './reports.js';
import { requestImport } from './request-import.js';
import { type RequestParts, requestReindex, requestRollback, requestSwitch } from './request-reindex.js';
import type { CalibrationSummary, CollectionView, Info, JobAnswer, OnCommit, Service } from './service.js';
import { type ThumbnailParts, thumbnail } from './thumbnail.js';
import { rebuildIfNeeded } from './upkeep.js';

/** The flows behind one face. */
export interface ServiceParts
  extends Omit<AnswerParts, keyof Active>,
    Omit<ThumbnailParts, keyof Active>,
    Omit<AddParts, keyof Active | 'database'>,
    RequestParts {
  database: RequestParts['database'] & AddParts['database'];
  /** SHA-256 of the model that new collections are of. */
  model: string;
  modelShelf: ModelShelf;
  snapshots: Snapshots;
  imports: Imports;
  collections: Collections;
  recallWatch: RecallWatch;
  about: Pick<Info, 'version' | 'versions' | 'exact'> & { limits: Omit<Info['limits'], 'formats'> };
  /** Why searches do not give the full answer yet; null when they do. */
  pending: () => string | null;
}

export function createService(parts: ServiceParts): Service {
  const { collections, jobs, recallWatch } = parts;
  const named = (collection = DEFAULT_COLLECTION) => collections.get(collection);
  /** Runs a search or an embedding with what answers now. */
  const reading = <T>(collection: string | undefined, flow: (all: ServiceParts & Active) => Promise<T>) =>
    recallWatch.during(() => named(collection).using((active) => flow({ ...parts, ...active })));
  const answered = (job: Job): JobAnswer => ({ ...job, ...jobs.pace(job) });
  const asAnswered = (onCommit: OnCommit<JobAnswer> | undefined) =>
    onCommit && ((job: Job) => onCommit(answered(job)));
  const upkeep = (name: string) => {
    // Another request may have removed it since.
    if (collections.list().some((one) => one.name === name)) rebuildIfNeeded(parts, name);
  };
  /** Runs a write that embeds: no switch of models splits it. The collection may be gone when its turn comes. */
  const writing = async <T>(
    collection: string | undefined,
    flow: (parts: ServiceParts & Active) => Promise<T>,
  ) => {
    const { name, writes } = named(collection);
    const written = await writes.shared(() => named(name).using((active) => flow({ ...parts, ...active })));
    upkeep(name);
    return written;
  };
  const reporting = (collection?: string) => ({ jobs, named: named(collection), answered });
  return {
    search: (request, timed) => reading(request.collection, (all) => answer(all, request, timed)),
    searchAll: (request, timed) => reading(request.collection, (all) => answerAll(all, request, timed)),
    searchCost({ collection, k, vote_k, mode, ef }, queries) {
      const search = { k: Math.max(k, vote_k), mode, ...(ef !== undefined && { ef }) };
      const { engine, costs } = named(collection).active.collection.choice(queries, search);
      return (costs[engine] ?? 0) * queries;
    },
    embed: (request, timed) => reading(request.collection, (all) => embeddings(all, request, timed)),
    info: (collection) => describe(parts, named(collection)),
    readiness() {
      const reason = parts.pending();
      return { ready: reason === null, reason };
    },
    reindex: async ({ collection, ...request } = {}, onCommit) =>
      answered(await requestReindex(parts, named(collection), request, asAnswered(onCommit))),
    switchModel: async ({ collection, ...request }, onCommit) =>
      answered(await requestSwitch(parts, named(collection), request, asAnswered(onCommit))),
    rollback: async ({ collection, ...request }, onCommit) =>
      answered(await requestRollback(parts, named(collection), request, asAnswered(onCommit))),
    job(id) {
      const job = jobs.get(id);
      return job && answered(job);
    },
    jobs: (limit, filter) => jobs.list(limit, filter).map(answered),
    cancelJob: (id) => answered(jobs.cancel(id)),
    watchJob(id, onChange) {
      const job = jobs.get(id);
      if (!job) throw new LookalikeError('not_found', `there is no job ${JSON.stringify(id.slice(0, 60))}`);
      const stop = jobs.watch(id, (now, version) => onChange(answered(now), version));
      return { job: answered(job), version: jobs.version(job), stop };
    },
    models: parts.modelShelf,
    duplicates: ({ collection, ...request }) => duplicates(reporting(collection), request),
    labelReport: ({ collection, ...request }) => labelReport(reporting(collection), request),
    imports: {
      spool: parts.imports.spool,
      discard: parts.imports.discard,
      errors: parts.imports.reportPath,
      start: async ({ collection, ...request }, onCommit) =>
        answered(await requestImport(parts, named(collection), request, asAnswered(onCommit))),
    },
    snapshots: {
      start: (onCommit) =>
        answered(
          jobs.start({ kind: 'snapshot', collection: null, parameters: {} }, asAnswered(onCommit)).job,
        ),
      list: () => parts.snapshots.list(),
      path: (id) => parts.snapshots.path(id),
      remove: (id) => parts.snapshots.remove(id),
    },
    thumbnail: (id, collection) =>
      named(collection).using((active) => thumbnail({ ...parts, ...active }, id)),
    addImage: (request, timed) => writing(request.collection, (all) => addImage(all, request, timed)),
    putImage: (request, timed) => writing(request.collection, (all) => putImage(all, request, timed)),
    editImage: (request) => editImage(named(request.collection).active, request),
    async removeImage(request) {
      const { name, active } = named(request.collection);
      await removeImage({ ...active, sweep: parts.sweep }, request);
      upkeep(name);
    },
    image(id, collection) {
      const { name, active } = named(collection);
      return viewOf(foundItem(active.store, id), name);
    },
    images({ collection, ...query }) {
      const one = named(collection);
      return one.using(async ({ store }) =>
        (await listImages({ ...parts, store }, query)).map((item) => viewOf(item, one.name)),
      );
    },
    collections: () => collections.list().map(viewOfCollection),
    collection: (name) => viewOfCollection(named(name)),
    createCollection: async (name, onCommit) =>
      viewOfCollection(
        await collections.create(name, parts.model, (made) => onCommit?.(viewOfNewCollection(made))),
      ),
    async removeCollection(name) {
      for (const { id } of jobs.unfinishedIn(name)) jobs.cancel(id);
      await collections.remove(name);
      await parts.sweep();
    },
  };
}

function viewOfCollection({ name, createdAt, active }: NamedCollection): CollectionView {
  const { manifest, collection } = active;
  const { labels, size } = collection;
  return {
    ...viewOfNewCollection({ name, createdAt, manifest }),
    rows: size,
    labels: labels.counts().size,
    unlabelled: labels.unlabelled,
  };
}

function viewOfNewCollection({ name, createdAt, manifest }: MadeCollection): CollectionView {
  return {
    name,
    model: manifest.name,
    model_sha256: manifest.sha256,
    dimension: manifest.dimension,
    rows: 0,
    labels: 0,
    unlabelled: 0,
    created_at: createdAt,
  };
}

function describe({ about }: ServiceParts, { active, previousModel }: NamedCollection): Info {
  const { manifest, collection } = active;
  const { generation, labels } = collection;
  return {
    name: 'lookalike',
    version: about.version,
    versions: about.versions,
    model: {
      name: manifest.name,
      sha256: manifest.sha256,
      dimension: manifest.dimension,
      temperature: manifest.temperature,
      input: { width: manifest.input.width, height: manifest.input.height },
      preprocess: manifest.preprocess,
      trained_on: manifest.trained_on,
      terms: manifest.terms,
      accuracy: manifest.accuracy,
    },
    previous_model: previousModel,
    bank: {
      rows: collection.size,
      labels: labels.counts().size,
      unlabelled: labels.unlabelled,
      unsearchable: collection.unsearchable,
    },
    index: {
      generation: generation?.number ?? 0,
      rows: generation?.rows.length ?? 0,
      fresh_rows: collection.freshRows,
      removed_rows: collection.removedRows,
      created_at: generation?.createdAt ?? null,
      graph_ready: generation?.graph != null,
      recall: collection.recall,
      planner: plannerView(collection),
      engine: 'usearch',
      parameters: generation?.parameters ?? {},
    },
    exact: about.exact,
    calibration: collection.calibration && summaryOf(collection.calibration),
    limits: { ...about.limits, formats: [...IMAGE_TYPES] },
  };
}

function summaryOf({ vote, samples, reason, fit }: CalibrationRecord): CalibrationSummary {
  const { before, after } = fit?.calibration_error ?? {};
  return {
    vote_k: vote.k,
    temperature: vote.temperature,
    samples,
    reason,
    accuracy: fit?.accuracy ?? null,
    calibration_error: before === undefined || after === undefined ? null : { before, after },
    asked_precision: fit?.abstention.asked_precision ?? null,
    threshold: fit?.abstention.threshold ?? null,
    precision: fit?.abstention.precision ?? null,
    coverage: fit?.abstention.coverage ?? null,
  };
}
