import { DEFAULT_COLLECTION } from '../core/collection-name.js';
import type { Snapshots } from '../core/ports.js';
import { IMAGE_TYPES } from '../core/sniff.js';
import { type AnswerParts, answer } from './answer.js';
import type { Active, Collections } from './collections.js';
import type { Jobs } from './jobs.js';
import type { RecallWatch } from './recall-watch.js';
import type { Info, Service } from './service.js';
import { type ThumbnailParts, thumbnail } from './thumbnail.js';

/** The flows behind one face. */
export interface ServiceParts extends Omit<AnswerParts, keyof Active>, Omit<ThumbnailParts, keyof Active> {
  jobs: Jobs;
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
  return {
    search: (request, timed) =>
      recallWatch.during(() =>
        named(request.collection).using((active) => answer({ ...parts, ...active }, request, timed)),
      ),
    info: (collection) => describe(parts, named(collection).active),
    readiness() {
      const reason = parts.pending();
      return { ready: reason === null, reason };
    },
    reindex({ collection } = {}) {
      const { name } = named(collection);
      return jobs.start({ kind: 'reindex', collection: name, parameters: {} }).job;
    },
    job: (id) => jobs.get(id),
    jobs: (limit) => jobs.list(limit),
    snapshots: {
      start: () => jobs.start({ kind: 'snapshot', collection: null, parameters: {} }).job,
      list: () => parts.snapshots.list(),
      path: (id) => parts.snapshots.path(id),
      remove: (id) => parts.snapshots.remove(id),
    },
    thumbnail: (id, collection) =>
      named(collection).using((active) => thumbnail({ ...parts, ...active }, id)),
  };
}

function describe({ about }: ServiceParts, { manifest, collection }: Active): Info {
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
    bank: { rows: collection.size, labels: labels.counts().size, unlabelled: labels.unlabelled },
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
