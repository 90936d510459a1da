import { LookalikeError } from '../core/errors.js';
import type { ModelManifest } from '../core/manifests.js';
import { percentileOf } from '../core/percentile.js';
import type { Decoder, Embedder, Store } from '../core/ports.js';
import { toTensor } from '../core/preprocess.js';
import type { Item } from '../core/types.js';
import { vote } from '../core/vote.js';
import { calibratedVote } from './calibrated-vote.js';
import type { Collection } from './collection.js';
import type { SegmentHits } from './segments.js';
import type { SearchAnswer, SearchRequest, Timed } from './service.js';

/** The main job: an upload -> decode -> embed -> search -> vote -> the answer. */

export interface AnswerParts {
  manifest: ModelManifest;
  decoder: Decoder;
  embedder: Embedder;
  collection: Collection;
  store: Store;
  sha256: (bytes: Uint8Array) => string;
}

export async function answer(
  parts: AnswerParts,
  request: SearchRequest,
  timed: Timed,
): Promise<SearchAnswer> {
  const { manifest, collection } = parts;
  const allowed = allowedRows(collection, request.labels);
  const decoded = await timed('decode', () => parts.decoder.decode(request.bytes, manifest.preprocess));
  request.signal?.throwIfAborted();
  const query = await timed('embed', () =>
    parts.embedder.embed(toTensor([decoded.image], manifest.preprocess), 1),
  );
  const found = await timed('search', () => search(collection, query, { request, allowed }));
  return timed('vote', () => {
    const sha256 = parts.sha256(request.bytes);
    return {
      ...judged(parts, request, found),
      index: { generation: found.generation, mode: found.mode, exact: found.exact, rows: collection.size },
      query: {
        width: decoded.sourceWidth,
        height: decoded.sourceHeight,
        format: decoded.format,
        bytes: request.bytes.length,
        sha256,
        duplicate_of: parts.store.itemsBySha256(sha256).map((item) => item.id),
      },
    };
  });
}

/** The rows that the label filter leaves, or undefined when there is none. */
function allowedRows(collection: Collection, labels: readonly string[] | undefined): Set<number> | undefined {
  if (!labels || labels.length === 0) return undefined;
  const known = collection.labels.counts();
  const unknown = labels.find((label) => !known.has(label));
  if (unknown === undefined) return collection.labels.rowsWith(labels);
  const some = [...known.keys()].sort().slice(0, 20).join(', ');
  throw new LookalikeError(
    'unknown_label',
    `no picture has the label ${JSON.stringify(unknown)}; ${known.size} labels are known${some ? `: ${some}` : ''}${known.size > 20 ? ', …' : ''}`,
    { field: 'label' },
  );
}

/**
 * Hits enough for both lists: the k neighbours, and `vote_k` labelled rows for the vote. Unlabelled rows
 * take no part in the vote, so the search widens until enough labelled ones are found or all are seen.
 */
async function search(
  collection: Collection,
  query: Float32Array,
  { request, allowed }: { request: SearchRequest; allowed: Set<number> | undefined },
): Promise<SegmentHits> {
  const { k, vote_k, mode, ef, signal } = request;
  const reachable = allowed?.size ?? collection.size;
  const votersThere = allowed?.size ?? collection.size - collection.labels.unlabelled;
  for (let wide = Math.max(k, vote_k); ; wide *= 2) {
    const options = { k: wide, mode, ...(ef !== undefined && { ef }), ...(signal && { signal }) };
    const found = await collection.search(query, { ...options, ...(allowed && { allowed }) });
    const labelled = found.hits.filter(({ row }) => collection.labels.get(row) !== null).length;
    if (labelled >= Math.min(vote_k, votersThere) || wide >= reachable) return found;
  }
}

/** Labels and neighbours of what was found; rows below `min_score` take no part in either. */
function judged(parts: AnswerParts, request: SearchRequest, found: SegmentHits) {
  const { labels: column, calibration } = parts.collection;
  const { min_score = -1, vote_k, k } = request;
  const hits = found.hits.filter(({ score }) => score >= min_score);
  const voters = hits.filter(({ row }) => column.get(row) !== null).slice(0, vote_k);
  const temperature = request.temperature ?? parts.manifest.temperature;
  const result = vote(
    voters.map(({ row, score }) => ({ label: column.get(row)!, score })),
    temperature,
  );
  const table = calibration?.nearest_scores;
  const shareOf = new Map(voters.map(({ row }, i) => [row, result.shares[i]!]));
  const neighbours = hits
    .slice(0, k)
    .map(({ row, score }) => ({ item: parts.store.itemByRow(row), score, share: shareOf.get(row) ?? 0 }))
    // A row that was removed between the search and this line is left out.
    .filter((hit): hit is typeof hit & { item: Item } => hit.item !== undefined)
    .map(({ item, score, share }) => {
      const thumbnail = `/v1/images/${encodeURIComponent(item.id)}/thumbnail`;
      const percentile = table ? { percentile: percentileOf(score, table) } : {};
      return { id: item.id, label: item.label, score, ...percentile, share, thumbnail };
    });
  return { ...calibratedVote(result.labels, calibration, { ...request, temperature }), neighbours };
}
