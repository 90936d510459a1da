import { LookalikeError } from '../core/errors.js';
import type { Found } from '../core/leave-one-out.js';
import { type Choice, choose, type PlanRecord } from '../core/plan.js';
import type { Generation, MutableIndex, SearchOptions } from '../core/ports.js';
import { recallAt } from '../core/recall.js';
import { RowSet } from '../core/row-set.js';
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
  /** What the planner goes by; null until it was measured. */
  plan: PlanRecord | null = null;
  /** Factor of the tuned breadth that the live recall asks for. */
  boost = 1;
  /** By row of the store: its position plus one, 0 for a row that is not in the generation. */
  readonly #places: Int32Array;
  #searches = 0;
  #retired = false;

  constructor(generation: Generation | null, fresh: MutableIndex) {
    this.generation = generation;
    this.fresh = fresh;
    this.#places = placesOf(generation?.rows ?? new Int32Array(0));
  }

  get size(): number {
    return (this.generation?.rows.length ?? 0) - this.removed.size + this.fresh.size;
  }

  /** Whether the row is in the generation, removed or not. */
  covers(row: number): boolean {
    return this.#positionOf(row) !== undefined;
  }

  remove(rows: readonly number[]): void {
    for (const row of rows) {
      const position = this.#positionOf(row);
      if (position !== undefined) this.removed.add(position);
    }
    this.fresh.remove(Int32Array.from(rows));
  }

  #positionOf(row: number): number | undefined {
    const place = this.#places[row] ?? 0;
    return place === 0 ? undefined : place - 1;
  }

  /** What the planner decides about n queries; `allowed`: how many rows of the generation a filter leaves. */
  choice(n: number, { k, mode, ef }: SegmentSearch, allowed: number | null): Choice {
    const { generation, plan, boost } = this;
    const rows = generation?.rows.length ?? 0;
    const graphReady = generation?.graph != null;
    const busy = this.#searches > 1;
    return choose({ mode, k, queries: n, ef, rows, allowed, busy, graphReady, plan, boost });
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
      return old.map((list, i) =>
        fresh[i]!.length > 0 ? { ...list, hits: [...list.hits, ...fresh[i]!] } : list,
      );
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
    const { generation } = this;
    if (!generation) {
      const none: SegmentHits = { hits: [], mode: 'exact', exact: true, generation: 0 };
      if (options.mode !== 'hnsw') return Array.from({ length: n }, () => none);
      throw noGraph();
    }
    const allowed = options.allowed && this.#positions(options.allowed);
    const { engine, ef } = this.choice(n, options, allowed?.size ?? null);
    const asked = { queries, n, k: options.k, ef, allowed, signal: options.signal };
    const found = await this.#searchPart(engine, asked);
    const wanted = Math.min(options.k, allowed?.size ?? 0);
    // Behind a filter a graph may find too few; what was not named is not left at that.
    const short =
      engine === 'hnsw' && options.mode === 'auto' && found.some(({ hits }) => hits.length < wanted);
    return short ? this.#searchPart('exact', asked) : found;
  }

  /** Asks one index; more rows than k as long as removed ones take their places. */
  async #searchPart(
    engine: 'hnsw' | 'exact',
    { queries, n, k, ef, allowed, signal }: Asked,
  ): Promise<SegmentHits[]> {
    const generation = this.generation!;
    const index = engine === 'hnsw' ? generation.graph : generation.exact;
    if (!index) throw noGraph();
    const removed = allowed ? 0 : this.removed.size; // a filter leaves them out already
    const live = generation.rows.length - removed;
    const each = rowsOf(queries, n);
    // Twice as many to spare as there would be among the nearest if they lay evenly.
    for (let spare = Math.min(removed, 8 + Math.ceil((2 * k * removed) / Math.max(1, live))); ; spare *= 2) {
      const fetch = k + Math.min(spare, removed);
      const breadth = Math.max(ef, fetch);
      const found = await index.search(queries, n, {
        k: fetch,
        ef: breadth,
        ...(allowed && { allowed }),
        ...(signal && { signal }),
      });
      const lists = found.map((list) => this.#live(list, k));
      if (spare < removed && lists.some((hits) => hits.length < Math.min(k, live))) continue;
      return found.map((list, i) => ({
        hits: lists[i]!,
        mode: engine,
        exact: list.exact,
        generation: generation.number,
        ...(engine === 'hnsw' && !allowed && { rerun: this.#rerunOf(each[i]!, list, { k, asked: fetch }) }),
      }));
    }
  }

  /** The first k of what was found that are still there, as rows of the store. */
  #live({ rows, scores }: Hits, k: number): SegmentHits['hits'] {
    const hits: SegmentHits['hits'] = [];
    for (let i = 0; i < rows.length && hits.length < k; i++)
      if (!this.removed.has(rows[i]!))
        hits.push({ row: this.generation!.rows[rows[i]!]!, score: scores[i]! });
    return hits;
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
  #positions(allowed: ReadonlySet<number>): RowSet {
    const { rows } = this.generation!;
    const mask = new Uint8Array(rows.length);
    if (allowed.size < rows.length) {
      for (const row of allowed) {
        const position = this.#positionOf(row);
        if (position !== undefined) mask[position] = 1;
      }
    } else for (let at = 0; at < mask.length; at++) mask[at] = allowed.has(rows[at]!) ? 1 : 0;
    for (const position of this.removed) mask[position] = 0;
    return new RowSet(mask);
  }
}

interface Asked {
  queries: Float32Array;
  n: number;
  k: number;
  ef: number;
  allowed: RowSet | undefined; // positions
  signal: AbortSignal | undefined;
}

const noGraph = () =>
  new LookalikeError('not_ready', 'the graph is not built yet; mode exact and auto answer meanwhile', {
    field: 'mode',
  });

function placesOf(rows: Int32Array): Int32Array {
  let last = -1;
  for (let i = 0; i < rows.length; i++) if (rows[i]! > last) last = rows[i]!;
  const places = new Int32Array(last + 1);
  for (let i = 0; i < rows.length; i++) places[rows[i]!] = i + 1;
  return places;
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
