import type { Store } from '../core/ports.js';
import { canonicalScore } from '../core/vector.js';
import type { Active } from './collections.js';
import type { Duplicate } from './service.js';

/** Pictures of a collection that a new one would repeat: the same file, or one whose vector is near in any orientation. */
export interface Sought {
  sha256: string;
  vectors: Float32Array; // one for each orientation, the picture itself first
  near: number; // cosine
  signal?: AbortSignal;
}

/** Of each kind this many are named. */
const NAMED = 10;
const PAGE = 1000;

/**
 * Seeks them, and resolves to a function that says which there are in the moment it is called: what was removed since
 * is left out, what came since is looked at, so that of two that come at once the second sees the first. Best first.
 */
export async function seekDuplicates(
  { store, collection }: Pick<Active, 'store' | 'collection'>,
  sought: Sought,
): Promise<() => Duplicate[]> {
  const queries = rowsOf(sought.vectors, store.identity.dimension);
  const mark = store.highWaterMark();
  const options = { k: NAMED, mode: 'exact' as const, ...(sought.signal && { signal: sought.signal }) };
  const found = await Promise.all(queries.map((query) => collection.search(query, options)));

  return () => {
    const same = new Set(store.itemsBySha256(sought.sha256).map(({ row }) => row));
    const scores = new Map<number, number>();
    const note = (row: number, score: number) =>
      scores.set(row, Math.max(score, scores.get(row) ?? Number.NEGATIVE_INFINITY));
    for (const { hits } of found) for (const { row, score } of hits) note(row, score);
    for (const row of [...same, ...rowsAfter(store, mark)])
      for (const query of queries) note(row, scoreOf(store, row, query));
    return [...scores]
      .filter(([row, score]) => same.has(row) || score >= sought.near)
      .map(([row, score]) => ({ item: store.itemByRow(row), score, same_file: same.has(row) }))
      .filter(
        (one): one is typeof one & { item: NonNullable<(typeof one)['item']> } => one.item !== undefined,
      )
      .sort((a, b) => Number(b.same_file) - Number(a.same_file) || b.score - a.score)
      .slice(0, NAMED)
      .map(({ item, score, same_file }) => ({ id: item.id, score, same_file }));
  };
}

const rowsOf = (vectors: Float32Array, dimension: number) =>
  Array.from({ length: vectors.length / dimension }, (_, i) =>
    vectors.slice(i * dimension, (i + 1) * dimension),
  );

const scoreOf = (store: Store, row: number, query: Float32Array) =>
  canonicalScore(query, 0, store.vector(row)!, 0, query.length);

/** The rows above `mark`; few, since they came while this picture was embedded. */
function* rowsAfter(store: Store, mark: number) {
  for (let after = mark; ; ) {
    const page = store.labelsInRowOrder(after, PAGE);
    if (page.length === 0) return;
    for (const { row } of page) yield row;
    after = page.at(-1)!.row;
  }
}
