import { LookalikeError } from '../core/errors.js';
import type { Found } from '../core/leave-one-out.js';
import type { Generation, MutableIndex, SearchOptions } from '../core/ports.js';
import { recallAt } from '../core/recall.js';
import type { Hits, SearchMode } from '../core/types.js';
import type { Rerun } from './recall-watch.js';

/**
 * One searchable state: an immutable generation, the rows newer than it (the fresh segment, searched
 * exactly) and the rows of the generation that are gone since. A search holds on to the state it began with.
 */

export interface SegmentSearch {
  k: number;
  mode: SearchMode;
  ef?: number;
  /** Only these rows of the store. */
  allowed?: ReadonlySet<number>;
  signal?: AbortSignal;
}

export interface SegmentHits {
  hits: { row: number; score: number }[]; // rows of the store
  mode: 'hnsw' | 'exact';
  exact: boolean;
  generation: number; // 0 while there is none
  /** Where the graph answered and nothing was filtered: how much of the true list it found. */
  rerun?: Rerun;
}

export class Segments {
  readonly generation: Generation | null;
  readonly fresh: MutableIndex;
  /** Positions of the generation whose rows are gone. */
  readonly removed = new Set<number>();
  readonly #positionOf = new Map<number, number>();
  #searches = 0;
  #retired = false;

  constructor(generation: Generation | null, fresh: MutableIndex) {
    this.generation = generation;
    this.fresh = fresh;
    generation?.rows.forEach((row, position) => {
      this.#positionOf.set(row, position);
    });
  }

  get size(): number {
    return (this.generation?.rows.length ?? 0) - this.removed.size + this.fresh.size;
  }

  /** Whether the row is in the generation, removed or not. */
  covers(row: number): boolean {
    return this.#positionOf.has(row);
  }

  remove(rows: readonly number[]): void {
    for (const row of rows) {
      const position = this.#positionOf.get(row);
      if (position !== undefined) this.removed.add(position);
    }
    this.fresh.remove(Int32Array.from(rows));
  }

  /** The best k of the generation and of the fresh rows, unsorted; more than k where fresh rows tie. */
  async search(query: Float32Array, options: SegmentSearch): Promise<SegmentHits> {
    return (await this.searchAll(query, 1, options))[0]!;
  }

  /** The same for n queries (n x dimension), searched as a batch. */
  searchAll(queries: Float32Array, n: number, options: SegmentSearch): Promise<SegmentHits[]> {
    const each = rowsOf(queries, n);
    return this.#using(async () => {
      const [old, fresh] = await Promise.all([
        this.#searchGeneration(queries, n, options),
        Promise.all(each.map((query) => searchFresh(this.fresh, query, options))),
      ]);
      return old.map((list, i) => ({ ...list, hits: [...list.hits, ...fresh[i]!] }));
    });
  }

  /** The best k rows for each of n queries (n x dimension), of all there are, exactly: by score descending, then by row. */
  searchMany(
    queries: Float32Array,
    n: number,
    options: Pick<SegmentSearch, 'k' | 'signal'>,
  ): Promise<Found[][]> {
    return this.#using(async () => {
      const { generation, removed } = this;
      const { k } = options;
      const [old, fresh] = await Promise.all([
        generation?.exact.search(queries, n, { ...options, k: k + removed.size }),
        this.fresh.search(queries, n, options),
      ]);
      return fresh.map((hits, i) => {
        const there = old ? pairs(old[i]!).filter(({ row }) => !removed.has(row)) : [];
        const all = there.map(({ row, score }) => ({ row: generation!.rows[row]!, score }));
        return [...all, ...pairs(hits)].sort((a, b) => b.score - a.score || a.row - b.row).slice(0, k);
      });
    });
  }

  /** Closes the indexes once no search uses them. */
  async retire(): Promise<void> {
    this.#retired = true;
    await this.#closeWhenDone();
  }

  /** The indexes stay open while a step uses them. */
  async #using<T>(step: () => Promise<T>): Promise<T> {
    this.#searches++;
    try {
      return await step();
    } finally {
      this.#searches--;
      await this.#closeWhenDone();
    }
  }

  async #closeWhenDone(): Promise<void> {
    if (!this.#retired || this.#searches > 0) return;
    await Promise.all([this.generation?.close(), this.fresh.close()]);
  }

  async #searchGeneration(queries: Float32Array, n: number, options: SegmentSearch): Promise<SegmentHits[]> {
    const { generation, removed } = this;
    const { k, mode } = options;
    if (!generation) {
      const none: SegmentHits = { hits: [], mode: 'exact', exact: true, generation: 0 };
      if (mode !== 'hnsw') return Array.from({ length: n }, () => none);
      throw new LookalikeError(
        'not_ready',
        'the graph is not built yet; mode exact and auto answer meanwhile',
        {
          field: 'mode',
        },
      );
    }
    const allowed = options.allowed && this.#positions(options.allowed);
    // A filter makes a graph search miss; the exact index looks at just the rows that are allowed.
    const useGraph = mode === 'hnsw' || (mode === 'auto' && !allowed);
    const search = {
      ...indexOptions(options),
      k: allowed ? k : k + removed.size,
      ...(allowed && { allowed }),
    };
    const found = await (useGraph ? generation.graph : generation.exact).search(queries, n, search);
    const hitsOf = (list: Hits) => pairs(list).filter(({ row }) => !removed.has(row));
    const each = rowsOf(queries, n);
    return found.map((list, i) => ({
      hits: hitsOf(list)
        .slice(0, k)
        .map(({ row, score }) => ({ row: generation.rows[row]!, score })),
      mode: useGraph ? 'hnsw' : 'exact',
      exact: list.exact,
      generation: generation.number,
      ...(useGraph && !allowed && { rerun: this.#rerunOf(each[i]!, list, { k, asked: search.k }) }),
    }));
  }

  /**
   * Holds what the graph found against the exact list of the same generation. Rows that were removed by then
   * count in neither; fresh rows are searched exactly and say nothing of the graph.
   */
  #rerunOf(query: Float32Array, found: Hits, { k, asked }: { k: number; asked: number }): Rerun {
    const scoresLeft = (hits: Hits) => hits.scores.filter((_, i) => !this.removed.has(hits.rows[i]!));
    return async (signal) => {
      if (this.#retired) return null;
      const [truth] = await this.#using(() => this.generation!.exact.search(query, 1, { k: asked, signal }));
      return truth!.exact ? recallAt(k, scoresLeft(found), scoresLeft(truth!)) : null;
    };
  }

  /** Rows of the store as positions of the generation, without the removed ones. */
  #positions(rows: ReadonlySet<number>): Set<number> {
    const found = new Set<number>();
    for (const row of rows) {
      const position = this.#positionOf.get(row);
      if (position !== undefined && !this.removed.has(position)) found.add(position);
    }
    return found;
  }
}

/**
 * The fresh rows, cut only where the score changes: their index breaks ties by row, the list wants them by
 * id, so every row that ties with the k-th stays in until the merged list is sorted.
 */
async function searchFresh(fresh: MutableIndex, query: Float32Array, options: SegmentSearch) {
  const { allowed } = options;
  for (let k = options.k + 1; ; k *= 2) {
    const [hits] = await fresh.search(query, 1, { ...indexOptions(options), k, ...(allowed && { allowed }) });
    const { scores } = hits!;
    if (scores.length < k || scores[options.k - 1] !== scores[k - 1]) return pairs(hits!);
  }
}

function indexOptions({ k, ef, signal }: SegmentSearch): SearchOptions {
  return { k, ...(ef !== undefined && { ef }), ...(signal && { signal }) };
}

const rowsOf = (queries: Float32Array, n: number) =>
  Array.from({ length: n }, (_, i) =>
    queries.subarray((i * queries.length) / n, ((i + 1) * queries.length) / n),
  );

const pairs = ({ rows, scores }: Hits) => Array.from(rows, (row, i) => ({ row, score: scores[i]! }));
