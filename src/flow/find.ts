import { concatenated } from '../core/concatenated.js';
import { LookalikeError } from '../core/errors.js';
import type { Store } from '../core/ports.js';
import type { RowSet } from '../core/row-set.js';
import type { Collection } from './collection.js';
import type { Direction } from './query.js';
import type { SegmentHits } from './segments.js';
import type { SearchOptions } from './service.js';

/** The rows that an answer is made of: filtered, without those that the query names, enough of them. */
export interface FindParts {
  collection: Collection;
  store: Store;
  /** Lets waiting requests run; a group of searches comes between two turns. */
  yieldToRequests: () => Promise<void>;
}

/** Directions that are searched as one batch; fresh rows are scanned on this thread. */
const GROUP = 16;

/** One list a direction, in their order. Throws what a search throws. */
export async function find(
  parts: FindParts,
  directions: readonly Direction[],
  options: SearchOptions,
): Promise<SegmentHits[]> {
  const allowed = await allowedRows(parts, options);
  const found: SegmentHits[] = [];
  for (let at = 0; at < directions.length; at += GROUP) {
    if (at > 0) await parts.yieldToRequests();
    options.signal?.throwIfAborted();
    found.push(...(await findGroup(parts, directions.slice(at, at + GROUP), { options, allowed })));
  }
  return found;
}

/** Refuses labels that nobody has; the filter itself is read when the search begins. */
export function checkLabels({ labels: column }: Collection, labels: readonly string[] = []): void {
  const known = column.counts();
  const unknown = labels.find((label) => !known.has(label));
  if (unknown === undefined) return;
  const some = [...known.keys()].sort().slice(0, 20).join(', ');
  throw new LookalikeError(
    'unknown_label',
    `no picture has the label ${JSON.stringify(unknown)}; ${known.size} labels are known${some ? `: ${some}` : ''}${known.size > 20 ? ', …' : ''}`,
    { field: 'label' },
  );
}

/** The rows that the filters leave, or undefined when there is none. */
async function allowedRows(
  { collection, store }: FindParts,
  { labels, where }: SearchOptions,
): Promise<RowSet | undefined> {
  const labelled = labels?.length ? collection.labels.rowsWith(labels) : undefined;
  if (!where?.length) return labelled;
  const fitting = await store.rowsWhere(where);
  return labelled ? fitting.and(labelled) : fitting;
}

interface Filtered {
  options: SearchOptions;
  allowed: RowSet | undefined;
}

/**
 * Hits enough for both lists: the k neighbours, and `vote_k` labelled rows for the vote. Unlabelled rows
 * take no part in the vote, so the search widens until enough labelled ones are found or all are seen.
 */
async function findGroup(
  { collection }: FindParts,
  directions: readonly Direction[],
  { options, allowed }: Filtered,
): Promise<SegmentHits[]> {
  const { labels, size } = collection;
  const { k, vote_k, mode, ef, signal } = options;
  const reachable = allowed?.size ?? size;
  const voters = allowed ? labels.labelledAmong(allowed) : size - labels.unlabelled;
  const found: SegmentHits[] = [];
  const enough = (i: number) => {
    const votersLeftOut = directions[i]!.leftOut.filter(
      (row) => labels.get(row) !== null && (allowed?.has(row) ?? true),
    );
    let lacking = Math.min(vote_k, voters - votersLeftOut.length);
    for (const { row } of found[i]!.hits) if (labels.get(row) !== null) lacking--;
    return lacking <= 0;
  };
  let open = directions.map((_, i) => i);
  const spare = Math.max(...directions.map(({ leftOut }) => leftOut.length));
  for (let wide = Math.max(k, vote_k) + spare; open.length > 0; wide *= 2) {
    const search = { k: wide, mode, ...(ef !== undefined && { ef }), ...(signal && { signal }) };
    const queries = concatenated(
      Float32Array,
      open.map((i) => directions[i]!.vector),
    );
    const lists = await collection.searchAll(queries, open.length, {
      ...search,
      ...(allowed && { allowed }),
    });
    open.forEach((i, at) => {
      found[i] = without(lists[at]!, directions[i]!.leftOut);
    });
    open = wide >= reachable ? [] : open.filter((i) => !enough(i));
  }
  return found;
}

function without(list: SegmentHits, leftOut: readonly number[]): SegmentHits {
  return leftOut.length === 0
    ? list
    : { ...list, hits: list.hits.filter(({ row }) => !leftOut.includes(row)) };
}
