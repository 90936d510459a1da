import { DEFAULT_COLLECTION } from '../core/collection-name.js';
import { LookalikeError } from '../core/errors.js';
import type { Snapshots } from '../core/ports.js';
import { IMAGE_TYPES } from '../core/sniff.js';
import type { Job } from '../core/types.js';
import { type AnswerParts, answer } from './answer.js';
import type { Collections, NamedCollection } from './collections.js';
import type { RecallWatch } from './recall-watch.js';
import { type RequestParts, requestReindex, requestRollback, requestSwitch } from './request-reindex.js';
import type { Info, JobAnswer, Service } from './service.js';
import { type ThumbnailParts, thumbnail } from './thumbnail.js';

/** The flows behind one face. */
export interface ServiceParts
  extends Omit<AnswerParts, keyof NamedCollection['active']>,
    Omit<ThumbnailParts, keyof NamedCollection['active']>,
    RequestParts {
  snapshots: Snapshots;
  collections: Collections;
  recallWatch: RecallWatch;
  about: Pick<Info, 'version' | 'versions' | 'exact'> & { limits: Omit<Info['limits'], 'formats'> };
  /** Why searches do not give the full answer yet; null when they do. */
  pending: () => string | null;
}

export function createService(parts: ServiceParts): Service {
  const { collections, jobs, recallWatch } = parts;
  const named = (collection = DEFAULT_COLLECTION) => collections.get(collection);
  const answered = (job: Job): JobAnswer => ({ ...job, ...jobs.pace(job) });
  return {
    search: (request, timed) =>
      recallWatch.during(() =>
        named(request.collection).using((active) => answer({ ...parts, ...active }, request, timed)),
      ),
    info: (collection) => describe(parts, named(collection)),
    readiness() {
      const reason = parts.pending();
      return { ready: reason === null, reason };
    },
    reindex: async ({ collection, ...request } = {}) =>
      answered(await requestReindex(parts, named(collection), request)),
    switchModel: async ({ collection, ...request }) =>
      answered(await requestSwitch(parts, named(collection), request)),
    rollback: async ({ collection, ...request }) =>
      answered(await requestRollback(parts, named(collection), request)),
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
    snapshots: {
      start: () => answered(jobs.start({ kind: 'snapshot', collection: null, parameters: {} }).job),
      list: () => parts.snapshots.list(),
      path: (id) => parts.snapshots.path(id),
      remove: (id) => parts.snapshots.remove(id),
    },
    thumbnail: (id, collection) =>
      named(collection).using((active) => thumbnail({ ...parts, ...active }, id)),
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
      graph_ready: generation !== null,
      recall: collection.recall,
      engine: 'hnswlib',
      parameters: generation?.parameters ?? {},
    },
    exact: about.exact,
    limits: { ...about.limits, formats: [...IMAGE_TYPES] },
  };
}
